"""Backup and restore: the whole site at one moment, in a folder or a bucket, and back."""
