"""What is built on Sitedesk. Nothing of the product needs it."""
