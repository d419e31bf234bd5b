"""The Editor API, one file per resource."""
