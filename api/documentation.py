"""Interactive documentation of the API at `/docs`, served wholly from our own host."""

from html import escape
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from api.problems import PROBLEM_TITLES

ASSETS = Path(__file__).parent / "documentation_assets"

# Only our own files, and requests to our own host; Swagger UI draws its icons from data: addresses.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" type="image/png" href="{assets}/favicon-32x32.png">
<link rel="stylesheet" href="{assets}/swagger-ui.css">
<link rel="stylesheet" href="{assets}/pages.css">
</head>
<body>
{content}
</body>
</html>
"""


def install_documentation(app: FastAPI) -> None:
    """Serves `/docs` (Swagger UI over the application's OpenAPI 3.1), `/docs/problems` and their files.

    The application is made with `docs_url=None, redoc_url=None`: FastAPI's own pages load scripts from elsewhere.
    """
    if app.docs_url or app.redoc_url or not app.openapi_url:
        raise ValueError("FastAPI's own pages must be off (docs_url=None, redoc_url=None) and install_openapi before")
    app.openapi_version = "3.1.0"
    app.add_route("/docs", _show_documentation, include_in_schema=False)
    app.add_route("/docs/problems", _show_problems, include_in_schema=False)
    app.mount("/docs/assets", StaticFiles(directory=ASSETS), name="documentation_assets")


async def _show_documentation(request: Request) -> HTMLResponse:
    app, assets = request.app, _assets(request)
    openapi = escape(request.scope.get("root_path", "") + app.openapi_url)
    content = (
        f'<div id="swagger-ui" data-openapi="{openapi}"></div>\n'
        f'<script src="{assets}/swagger-ui-bundle.js"></script>\n<script src="{assets}/start.js"></script>'
    )
    return _page(request, app.title, content)


async def _show_problems(request: Request) -> HTMLResponse:
    terms = (
        f'<dt id="{escape(code)}">{escape(code)}</dt><dd>{escape(title)}.</dd>'
        for code, title in sorted(PROBLEM_TITLES.items())
    )
    return _page(request, "Problems", "<main><h1>Problems</h1>\n<dl>\n" + "\n".join(terms) + "\n</dl></main>")


def _page(request: Request, title: str, content: str) -> HTMLResponse:
    html = _PAGE.format(title=escape(title), assets=_assets(request), content=content)
    return HTMLResponse(html, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})


def _assets(request: Request) -> str:
    return escape(request.scope.get("root_path", "")) + "/docs/assets"
