"""Counters: what a provider's few fields turn into. Pure: no database here, and nothing of HTTP."""
