"""Counters, besides that they are entries: their providers, the switch that stops them, and which pages load what."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response

from api import query
from api.access import Desk, reading, writing
from api.answers import private
from api.delivery.counters import environment_of
from api.delivery.forms import path_of
from api.editor.bodies import StopBody
from cms import counter_report, kill_switch, showing, site
from cms.counters.consent import SIGNALS
from cms.counters.providers import PROVIDERS
from cms.tables.publications import ALL_COUNTERS, StoppedCounter

router = APIRouter(tags=["counters"])


@router.get("/counters/providers")
def list_providers(request: Request) -> Response:
    """The providers of counters, what their ids look like and what they are set to. `custom` takes code instead."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("read", type="counter")
    return private([_provider(name) for name in PROVIDERS])


def _provider(name: str) -> dict[str, Any]:
    one = PROVIDERS[name]
    return {
        "name": name,
        "title": one.title,
        "id_pattern": one.id and f"^({one.id.pattern})$",
        "id_example": one.example,
        "options": one.options.model_json_schema(),
        "position": one.position,
        "category": one.category,
        "consent": list(SIGNALS[one.category]),
        "consent_mode": one.consent_mode,
    }


@router.get("/counters/stop")
def list_stopped(request: Request) -> Response:
    """Which counters are switched off, by whom and why."""
    query.only(request)
    with reading(request) as desk:
        desk.permit("read", type="counter")
        return private(_stopped(desk))


@router.put("/counters/stop")
def stop_counters(request: Request, body: Annotated[StopBody | None, Body()] = None) -> Response:
    """Switch counters off at once, all of them unless some are named, whatever is published."""
    query.only(request)
    said = body or StopBody()
    with writing(request, note=said.note) as desk:
        desk.permit("stop", type="counter")
        kill_switch.stop(desk.session, said.counters, by=desk.by)
        return private(_stopped(desk))


@router.delete("/counters/stop", status_code=200)
def resume_counters(request: Request, body: Annotated[StopBody | None, Body()] = None) -> Response:
    """Switch counters on again, whatever is off unless some are named. It takes the right to publish them."""
    query.only(request)
    said = body or StopBody()
    with writing(request, note=said.note) as desk:
        desk.permit("publish", type="counter")
        kill_switch.resume(desk.session, said.counters, by=desk.by)
        return private(_stopped(desk))


def _stopped(desk: Desk) -> dict[str, Any]:
    rows = kill_switch.stopped(desk.session)
    people = showing.persons(desk.session, (one.on_behalf_of for one in rows if one.on_behalf_of is not None))
    whole = next((one for one in rows if one.counter == ALL_COUNTERS), None)
    return {
        "all": whole and showing.attribution(whole, whole.at, people),
        "counters": [_one(one, people) for one in rows if one is not whole],
    }


def _one(row: StoppedCounter, people: dict[str, Any]) -> dict[str, Any]:
    return {"counter": row.counter, "stopped": showing.attribution(row, row.at, people)}


@router.get("/counters/report", openapi_extra=query.takes("path", "locale", "environment"))
def read_report(request: Request) -> Response:
    """Which pages load what: every live counter with the pages that load it, and every section with its counters.
    With `path`, what that page loads, and why it does not load the others."""
    given = query.only(request, "path", "locale", "environment")
    environment = environment_of(given.get("environment"))
    with reading(request) as desk:
        desk.permit("read", type="counter")
        now = desk.by.at
        if "path" not in given:
            return private(counter_report.whole(desk.session, now=now, environment=environment))
        locale = query.locale(given.get("locale"), site.locales(desk.session))
        path = path_of(given)
        told = counter_report.of_path(desk.session, path, locale=locale, now=now, environment=environment)
        return private(told)
