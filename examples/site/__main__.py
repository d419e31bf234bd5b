"""`python -m examples.site`: this front end on port 8001, before the Sitedesk on port 8000."""

import os

import uvicorn

from examples.site.app import create_site

if __name__ == "__main__":
    cms = os.environ.get("SITEDESK_URL", "http://127.0.0.1:8000")
    uvicorn.run(create_site(cms), host="127.0.0.1", port=int(os.environ.get("PORT", "8001")))
