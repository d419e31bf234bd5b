"""The content types that staff make: which there are, how they are written, and what a change does to entries."""
