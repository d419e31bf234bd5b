"""The tables, by room. `publications` is all that the public side may read; it knows nothing of entries."""
