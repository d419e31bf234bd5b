"""What the site as a whole is set to: the published settings, as they hold for everything that is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cms.database import remembered
from cms.pictures import Preset
from cms.tables.publications import Publication

USUAL_IN_FEED = 20


@dataclass(frozen=True)
class Locales:
    """The locales that entries may have, and the one that is meant when none is named."""

    all: tuple[str, ...]
    default: str


DEFAULT_LOCALES = Locales(("ru", "en"), "ru")


@dataclass(frozen=True)
class Feed:
    """A feed that staff have named: of which types (none: all), of which section (and below), in which locale."""

    name: str
    title: str | None = None
    types: tuple[str, ...] = ()
    section: str | None = None
    locale: str | None = None
    limit: int = USUAL_IN_FEED


@dataclass(frozen=True)
class Settings:
    """The published settings. `url` is the site's address for visitors, without a slash at its end; `seo` has the
    `description`, `image` and `robots` of what says nothing of its own; `redirect_hosts` are in lower case."""

    locales: Locales = DEFAULT_LOCALES
    name: str | None = None
    url: str | None = None
    title_pattern: str | None = None
    seo: Mapping[str, Any] = field(default_factory=dict)
    robots_txt: str | None = None
    redirect_hosts: frozenset[str] = frozenset()
    feeds: tuple[Feed, ...] = ()
    presets: tuple[Preset, ...] = ()

    def absolute(self, path: str) -> str | None:
        """The address of a path on this site, when the site's own is known."""
        return None if self.url is None else self.url + path


def settings(session: Session) -> Settings:
    """The settings in force. One statement, the first time."""
    return remembered(session, "settings", lambda: _settings(session))


def locales(session: Session) -> Locales:
    """The locales of the published settings, or Russian and English."""
    return settings(session).locales


def _settings(session: Session) -> Settings:
    published = session.scalar(select(Publication.rendered).where(Publication.type == "settings")) or {}
    said = {name: value for name, value in published.items() if value is not None}
    return Settings(
        locales=_locales(said),
        name=said.get("site_name") or None,
        url=said["site_url"].rstrip("/") if said.get("site_url") else None,
        title_pattern=said.get("title_pattern") or None,
        seo={name: value for name, value in (said.get("seo") or {}).items() if value is not None},
        robots_txt=said.get("robots_txt") or None,
        redirect_hosts=frozenset(host.lower() for host in said.get("redirect_hosts") or ()),
        feeds=tuple(_feed(one) for one in said.get("feeds") or ()),
        presets=tuple(_preset(one) for one in said.get("image_presets") or ()),
    )


def _locales(said: Mapping[str, Any]) -> Locales:
    named = tuple(said.get("locales") or ())
    if not named:
        return DEFAULT_LOCALES
    default = said.get("default_locale")
    return Locales(named, str(default) if default in named else named[0])


def _feed(said: Mapping[str, Any]) -> Feed:
    return Feed(
        name=said["name"],
        title=said.get("title") or None,
        types=tuple(said.get("types") or ()),
        section=said.get("section") or None,
        locale=said.get("locale") or None,
        limit=int(said.get("limit") or USUAL_IN_FEED),
    )


def _preset(said: Mapping[str, Any]) -> Preset:
    sides = {name: int(said[name]) for name in ("width", "height", "quality") if said.get(name)}
    return Preset(name=said["name"], fit=said.get("fit") or "fit", format=said.get("format") or "auto", **sides)
