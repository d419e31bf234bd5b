"""Bringing anything in: jobs, what they read, what becomes of each row, and the way back."""
