"""From settings to a server that answers: what must hold before anything is touched, and what a first start makes."""

import gc
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import structlog
import uvicorn
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from api import data_folder, sample
from api.app import create_app
from api.parts import Parts, opened
from api.settings import Settings
from cms import founding, migrating, people, sign_in
from cms.attribution import COMMAND_LINE, By
from cms.tables.people import User

log = structlog.get_logger("api.starting")

# What is being answered when a stop is asked for may take this long. Seconds.
_GRACE = 30


class CannotStart(Exception):
    """One line that says why, and what to do."""


@contextmanager
def prepared(settings: Settings) -> Iterator[Parts]:
    """The parts over a data folder that is ours alone and a database that is up to date. Raises `CannotStart`."""
    with ExitStack() as stack:
        try:
            stack.enter_context(data_folder.hold(settings.folder))
            parts = stack.enter_context(opened(settings))
            _migrate(parts)
        except data_folder.FolderRefused as error:
            raise CannotStart(str(error)) from error
        except SQLAlchemyError as error:
            raise CannotStart(f"the database cannot be used: {str(error).splitlines()[0]}") from error
        _spare_the_collector()
        yield parts


def _spare_the_collector() -> None:
    """Documents are trees of thousands of small objects without cycles: looking through them again and again costs
    an import half of its time. What was made while starting stays, so it is not looked at any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def _migrate(parts: Parts) -> None:
    state = migrating.state(parts.database)
    if state == "ahead":
        raise CannotStart("the database was written by a newer Sitedesk: install that version, or restore a backup")
    if state != "current":
        migrating.migrate(parts.database)
    with parts.database.writing() as session:
        founding.found(session, by=By(COMMAND_LINE, parts.clock()))


def serve(settings: Settings, *, with_sample: bool, say: Callable[[str], object]) -> None:
    """Serve until stopped. Raises `CannotStart`, before anything is touched if the port is taken."""
    with _port(settings) as listening, prepared(settings) as parts:
        host, port = listening.getsockname()[:2]
        url = f"http://{_reachable(host)}:{port}"
        _first_start(parts, url, with_sample=with_sample, say=say)
        with data_folder.announced(settings.folder, url) as token:
            config = uvicorn.Config(
                create_app(parts, token=token),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE,
            )
            log.info("serving", url=url, data=str(settings.folder))
            _run_until_stopped(uvicorn.Server(config), listening)


def _run_until_stopped(server: uvicorn.Server, listening: socket.socket) -> None:
    def stop(_signal: int, _frame: object) -> None:
        server.should_exit = True

    # uvicorn raises the signal again when it has stopped: by default the process would die of it, with nothing closed.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _port(settings: Settings) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((settings.host, settings.port))
            # Two binds with SO_REUSEADDR may both succeed; two listens do not.
            listening.listen(2048)
        except OSError as error:
            said = f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
            raise CannotStart(f"{said}. Set SITEDESK_PORT to a free port.") from error
        yield listening


def _reachable(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - told, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _first_start(parts: Parts, url: str, *, with_sample: bool, say: Callable[[str], object]) -> None:
    """The sample site if it is wanted and nothing is there, and the first administrator if nobody can sign in."""
    by = By(COMMAND_LINE, parts.clock())
    with parts.database.reading() as session:
        empty = founding.is_empty(session)
        nobody = session.scalar(select(User.person_id).limit(1)) is None
    if with_sample and empty:
        sample.load(parts, by=by)
    if not nobody:
        return
    password = secrets.token_urlsafe(12)
    with parts.database.writing() as session:
        person = people.add(session, name="Administrator", email="admin@example.org", by=by)
        session.flush()
        people.make_user(session, person, role="administrator", password=password, by=by)
        _, token = sign_in.make_key(session, name="first key", role="administrator", by=by)
    say(_WELCOME.format(email="admin@example.org", password=password, token=token, url=url))


_WELCOME = """\
Sitedesk is ready. Keep these; they are shown only now:

  administrator  {email}
  password       {password}
  API key        {token}

Try:

  curl '{url}/delivery/v1/entries?page[size]=3' -g
  curl '{url}/delivery/v1/search?q=%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8'
  curl '{url}/editor/v1/me' -H 'Authorization: Bearer {token}'

The API is documented at {url}/docs
"""
