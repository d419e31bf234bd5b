"""A small front end, rendered on the server from the Delivery API."""
