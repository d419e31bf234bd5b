"""The database's migrations, oldest first. They use SQL only and never import the application."""
