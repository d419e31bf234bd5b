"""The application: every part, route and middleware in one place."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import assets, background, control, media_files
from api.access import SCHEMES
from api.boundary import Boundary
from api.cors import PublicCors
from api.delivery import banners as delivery_banners
from api.delivery import beacons, feeds, go_links, menus, page, sitemap
from api.delivery import counters as delivery_counters
from api.delivery import entries as delivery_entries
from api.delivery import redirects as delivery_redirects
from api.delivery import search as delivery_search
from api.delivery import structure as delivery_structure
from api.documentation import install_documentation
from api.editor import (
    banners,
    counters,
    entries,
    exports,
    history,
    imports,
    media,
    media_folders,
    media_reports,
    missing_paths,
    people,
    publication,
    redirects,
    renditions,
    replacing,
    search,
    session,
    standing_imports,
    structure,
    types,
    uploads,
)
from api.editor.import_uploads import LARGEST_IMPORT
from api.metrics import MeasureRequests, Metrics
from api.openapi import install_openapi, operation_id
from api.parts import Parts
from api.problems import Problem, install_problem_handlers
from api.refusals import install_refusal_handlers
from api.request_log import RequestLog
from api.uploads import LARGEST_UPLOAD
from cms import migrating
from cms.redirect_files import LARGEST_FILE
from media.inspection import close_inspection

# A multipart body is a little longer than the file in it, and than what is said beside it.
_FORM = 2**21
_STREAMED = {
    # Below the uploads, and taken whole: the first that fits counts.
    "/editor/v1/media/from-url": 0,
    "/editor/v1/media/folders": 0,
    "/editor/v1/media/sweep": 0,
    "/editor/v1/media": LARGEST_UPLOAD + _FORM,
    "/editor/v1/uploads": LARGEST_UPLOAD,
    "/editor/v1/entries/*/file": LARGEST_UPLOAD + _FORM,
    "/editor/v1/redirects/import": LARGEST_FILE + 2**16,
    "/editor/v1/imports/*": 0,
    "/editor/v1/imports": LARGEST_IMPORT + _FORM,
}
# Told by pages that are about to be left: browsers do not wait for an answer to a question then.
_PLAIN = ("/delivery/v1/beacons",)

EDITOR = (
    session,
    entries,
    history,
    publication,
    structure,
    types,
    redirects,
    missing_paths,
    media,
    media_folders,
    media_reports,
    replacing,
    renditions,
    uploads,
    counters,
    banners,
    people,
    imports,
    standing_imports,
    exports,
    search,
)
DELIVERY = (
    delivery_search,
    delivery_structure,
    menus,
    page,
    delivery_redirects,
    delivery_banners,
    delivery_counters,
    beacons,
    delivery_entries,
)


def create_app(parts: Parts, *, token: str | None = None) -> FastAPI:
    """The application over its parts. `token` lets commands on this machine work inside this process."""
    app = FastAPI(
        title="Sitedesk",
        version="0.1.0",
        summary="A lightweight headless CMS for the people who keep a company's site running.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=operation_id,
    )
    app.state.parts = parts
    app.state.token = token
    app.state.metrics = _metrics(parts)
    app.include_router(_together("/delivery/v1", DELIVERY))
    app.include_router(_together("/editor/v1", EDITOR), dependencies=[Depends(scheme) for scheme in SCHEMES])
    app.include_router(media_files.router)
    app.include_router(assets.router)
    app.include_router(sitemap.router)
    app.include_router(feeds.router)
    app.include_router(go_links.router)
    app.include_router(control.router)
    app.include_router(_vitals)
    install_openapi(app)
    install_documentation(app)
    install_problem_handlers(app)
    install_refusal_handlers(app)
    app.add_middleware(Head)
    app.add_middleware(Boundary, streamed=_STREAMED, plain=_PLAIN)
    app.add_middleware(PublicCors)
    app.add_middleware(RequestLog)
    app.add_middleware(MeasureRequests, metrics=app.state.metrics)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    with background.running(app.state.parts):
        yield
    close_inspection()


def _together(prefix: str, rooms: tuple[object, ...]) -> APIRouter:
    together = APIRouter(prefix=prefix)
    for room in rooms:
        together.include_router(room.router)  # type: ignore[attr-defined]
    return together


def _metrics(parts: Parts) -> Metrics:
    metrics = Metrics()
    metrics.watch(
        "sitedesk_index_lag_events",
        "Events that a search index has yet to follow.",
        lambda: {follower.name: follower.lag() for follower in parts.followers},
        label="index",
    )
    metrics.watch(
        "sitedesk_banner_views_left_out",
        "What was told of banners and not counted, since the start.",
        lambda: parts.views.left_out,
        label="reason",
    )
    metrics.watch(
        "sitedesk_missing_paths_left_out",
        "Paths that were not found and not counted, since the start.",
        lambda: parts.tally.left_out,
        label="reason",
    )
    return metrics


class Head:
    """ASGI middleware: HEAD is GET without the body, on every route that has a GET."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope.setdefault("state", {})["head"] = True
            await self.app({**scope, "method": "GET"}, receive, _without_body(send))
        else:
            await self.app(scope, receive, send)


def _without_body(send: Send) -> Callable[[Message], Awaitable[None]]:
    async def send_head(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_head


_vitals = APIRouter(tags=["vitals"])


@_vitals.get("/healthz")
async def tell_health() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@_vitals.get("/readyz")
def tell_readiness(request: Request) -> dict[str, str]:
    """The process can do its work: the database answers and has the code's version."""
    parts: Parts = request.app.state.parts
    try:
        state = migrating.state(parts.database)
    except SQLAlchemyError as error:
        raise Problem(503, "unavailable", "The database does not answer.", headers={"Retry-After": "5"}) from error
    if state != "current":
        raise Problem(503, "unavailable", "The database has migrations pending.", headers={"Retry-After": "5"})
    return {"status": "ready"}


@_vitals.get("/metrics")
def tell_metrics(request: Request) -> Response:
    """Figures for Prometheus."""
    metrics: Metrics = request.app.state.metrics
    return metrics.answer(request.headers.get("accept", ""))
