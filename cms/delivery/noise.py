"""Which paths that nobody found are worth a look, and what they and their referrers are counted as."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from urllib.parse import urlsplit, urlunsplit

from crawleruseragents import CRAWLER_USER_AGENTS_DATA

from cms.delivery.resolving import LONGEST_PATH
from cms.paths import before_query, normal

_LONGEST_BYTES = 2_000
_LONGEST_REFERRER = 500

# Robots say so, though not all are on the list. A Cubot is a telephone.
_ROBOT = re.compile(r"(?<!cu)bot\b|crawl|spider|slurp|scanner|nikto|sqlmap|masscan|zgrab|nuclei", re.IGNORECASE)

# What those try who look for holes: other systems' programs, and files that should never be served.
_TRIED = re.compile(
    r"/\.(?!well-known/)|\.\./|/wp-|/wordpress|xmlrpc|phpmyadmin|/pma\b|/cgi-bin|/vendor/phpunit|/etc/passwd|"
    r"/actuator|/boaform|/solr/|/server-status|/HNAP1|\.(?:php\d?|phtml|aspx?|jspx?|cgi|env|bak|sql|ini|old|swp)(?:$|/)",
    re.IGNORECASE,
)


@dataclass
class Missed:
    """How often a path was not found since it was last told, and what the last visitor told."""

    hits: int
    last_at: datetime
    locale: str | None = None
    referrer: str | None = None


def is_noise(path: str, agent: str = "") -> bool:
    """Whether a miss tells of a robot or of somebody who tries doors, by the path and the browser's name."""
    return is_robot(agent) or bool(_TRIED.search(path)) or len(path.encode()) > _LONGEST_BYTES


def is_robot(agent: str) -> bool:
    """Whether a browser's name is that of a robot: a known one, or one that says so."""
    return _is_robot(agent[:_LONGEST_AGENT])


# The same few hundred names come again and again, and 1,400 patterns take a tenth of a millisecond.
@lru_cache(maxsize=4_096)
def _is_robot(agent: str) -> bool:
    return bool(_ROBOT.search(agent) or any(known.search(agent) for known in _known_robots()))


@cache
def _known_robots() -> tuple[re.Pattern[str], ...]:
    patterns = [one["pattern"] for one in CRAWLER_USER_AGENTS_DATA if not _USED_BY_PEOPLE.intersection(one["tags"])]
    return tuple(re.compile("|".join(patterns[at : at + _TOGETHER])) for at in range(0, len(patterns), _TOGETHER))


# Tools such as curl are used by people, and their libraries by front ends that tell of theirs.
_USED_BY_PEOPLE = frozenset({"http-library"})
# One expression of them all is slower than several (measured by the list's own makers).
_TOGETHER = 25
_LONGEST_AGENT = 500


def grouped(path: str) -> str:
    """The path as misses are counted by: in normal form, without a query string."""
    return normal(before_query(path[: 2 * LONGEST_PATH]))


def without_query(referrer: str | None) -> str | None:
    """Where a visitor came from, without what may tell of the visitor; None: no web address."""
    try:
        parts = urlsplit((referrer or "").strip())
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    address = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    return address[:_LONGEST_REFERRER] if address.isprintable() else None
