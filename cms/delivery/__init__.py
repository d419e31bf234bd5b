"""What the public reads, from publications alone. Nothing in here may reach entries or revisions."""
