"""A real server for tests: uvicorn in a thread on a free port, over parts of its own."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace

import httpx
import structlog
import uvicorn
from starlette.types import ASGIApp

from api.app import create_app
from api.fetching import Fetcher
from api.parts import Parts
from api.settings import Settings
from api.starting import prepared
from cms import people, sign_in
from cms.attribution import COMMAND_LINE, By
from cms.rights import ROLES
from tests.api.desk import Desk, data_of

PASSWORD = "correct horse battery"
_PATIENCE = 20
# Reading those of the world takes each client 15 ms, and there is no https here.
_NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@dataclass
class Site:
    """A running server, and who uses it: a visitor, a stranger, and one colleague of each role, signed in."""

    url: str
    parts: Parts
    clients: ExitStack
    desks: dict[str, Desk] = field(default_factory=dict)

    @property
    def administrator(self) -> Desk:
        return self.desks["administrator"]

    @property
    def publisher(self) -> Desk:
        return self.desks["publisher"]

    @property
    def editor(self) -> Desk:
        return self.desks["editor"]

    @property
    def author(self) -> Desk:
        return self.desks["author"]

    @property
    def reader(self) -> Desk:
        return self.desks["reader"]

    @property
    def stranger(self) -> Desk:
        """Somebody at the Editor API who has not signed in."""
        return self.desks["stranger"]

    @property
    def visitor(self) -> Desk:
        """Somebody at the Delivery API."""
        return self.desks["visitor"]

    @property
    def anyone(self) -> Desk:
        """Somebody at the server's root."""
        return self.desks["anyone"]

    def desk(self, surface: str = "/editor/v1", **headers: str) -> Desk:
        """A further client, with headers of its own."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        made = Desk(base_url=self.url + surface, headers=named, timeout=60, verify=_NO_CERTIFICATES)
        return self.clients.enter_context(made)

    def key(self, role: str, *scopes: str) -> Desk:
        """A script with a new key."""
        body = {"name": f"{role} of a test", "role": role, "scopes": list(scopes) or None}
        made = data_of(self.administrator.post("keys", json=body), 201)
        return self.desk(authorization=f"Bearer {made['token']}")

    def sign_in(self, email: str, password: str = PASSWORD) -> Desk:
        """A colleague who has just signed in."""
        # Not from here, where tests fail to sign in.
        headers = {"X-Forwarded-For": "198.19.255.1"}
        body = {"email": email, "password": password}
        answer = self.anyone.post("/editor/v1/session", json=body, headers=headers)
        self.anyone.cookies.clear()
        return self.desk(
            cookie=answer.headers["set-cookie"].partition(";")[0],
            x_csrf_token=data_of(answer, 201)["csrf_token"],
        )


@contextmanager
def serving(settings: Settings, *, fetcher: Fetcher | None = None) -> Iterator[Site]:
    """Serve a new site with its cast until the block ends. `fetcher` stands for the world outside."""
    # The default log writes the variables of every frame of a traceback, for half a minute.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[plain])
    with ExitStack() as clients:
        parts = clients.enter_context(prepared(settings))
        parts = replace(parts, fetcher=fetcher or parts.fetcher)
        url = clients.enter_context(running(create_app(parts)))
        _engage(parts)
        site = Site(url, parts, clients)
        surfaces = {"stranger": "/editor/v1", "visitor": "/delivery/v1", "anyone": ""}
        site.desks |= {name: site.desk(surface) for name, surface in surfaces.items()}
        site.desks |= {role: site.sign_in(f"{role}@example.org") for role in ROLES}
        yield site


def _engage(parts: Parts) -> None:
    """One colleague of each role, who can sign in."""
    by = By(COMMAND_LINE, parts.clock())
    with parts.database.writing() as session:
        for role in ROLES:
            person = people.add(session, name=role.title(), email=f"{role}@example.org", by=by)
            session.flush()
            people.make_user(session, person, role=role, password=PASSWORD, by=by)
        sign_in.make_key(session, name="never used", role="reader", by=by)


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve an application on a free port until the block ends; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="server")
        thread.start()
        try:
            _wait_until_it_answers(url)
            yield url
        finally:
            server.should_exit = True
            thread.join()


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/healthz")
        except httpx.HTTPError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("the server did not begin to answer")
