"""The Delivery API, one file per resource. Nothing in here may reach what reads entries or revisions."""
