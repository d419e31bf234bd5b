"""Bringing a whole site from its own export: entries with all their revisions, and what is beside them."""
