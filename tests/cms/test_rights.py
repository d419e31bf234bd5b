"""Who may do what: the whole table, written out."""

import itertools

import pytest

from cms.attribution import Actor
from cms.errors import Forbidden
from cms.rights import ACTIONS, ROLES, permit
from cms.tables.entries import Entry

ME = "me"

# For each role: what it may do with its own news, with another's news, with the structure, and with its own counter.
MAY = {
    "reader": ({"read"}, {"read"}, {"read"}, {"read"}),
    "author": ({"read", "create", "save", "trash"}, {"read", "create"}, {"read"}, {"read"}),
    "editor": ({"read", "create", "save", "trash"}, {"read", "create", "save", "trash"}, {"read"}, {"read"}),
    "publisher": (
        {"read", "create", "save", "trash", "publish", "redirects", "import", "export"},
        {"read", "create", "save", "trash", "publish", "redirects", "import", "export"},
        {"read"},
        {"read", "stop"},
    ),
    "analyst": ({"read"}, {"read"}, {"read"}, {"read", "create", "save", "trash", "publish", "stop"}),
    "administrator": (set(ACTIONS), set(ACTIONS), set(ACTIONS), set(ACTIONS)),
}
THINGS = (
    Entry(type="news", created_by=ME),
    Entry(type="news", created_by="other"),
    Entry(type="structure"),
    Entry(type="counter", created_by=ME),
)


def allowed(actor: Actor, action: str, *, entry: Entry | None = None, type: str = "") -> bool:
    try:
        permit(actor, action, type=type, entry=entry)
    except Forbidden:
        return False
    return True


def test_every_role_is_in_the_table() -> None:
    assert MAY.keys() == ROLES.keys()


@pytest.mark.parametrize(("role", "action"), [*itertools.product(MAY, ACTIONS)])
def test_a_role_may_do_what_the_table_says_and_nothing_else(role: str, action: str) -> None:
    actor = Actor("person", ME, "Me", role)
    said = [allowed(actor, action, entry=thing) for thing in THINGS]
    assert said == [action in column for column in MAY[role]]


@pytest.mark.parametrize("role", ["", "emperor", "Administrator"])
def test_an_unknown_role_may_nothing(role: str) -> None:
    assert not any(allowed(Actor("person", ME, "Me", role), action, type="news") for action in ACTIONS)


@pytest.mark.parametrize(
    ("scopes", "action", "type", "said"),
    [
        (None, "save", "news", True),
        ((), "save", "news", False),
        (("save",), "save", "news", True),
        (("save",), "read", "news", False),
        (("save:news",), "save", "news", True),
        (("save:news",), "save", "article", False),
        (("save:news", "publish"), "publish", "article", True),
        (("save:",), "save", "news", False),
    ],
)
def test_scopes_narrow_a_key(scopes: tuple[str, ...] | None, action: str, type: str, said: bool) -> None:
    assert allowed(Actor("key", ME, "Import", "administrator", scopes), action, type=type) is said


def test_scopes_widen_nothing() -> None:
    assert not allowed(Actor("key", ME, "Import", "reader", ("save", "publish")), "save", type="news")


def test_an_author_creates_but_owns_nothing_yet() -> None:
    author = Actor("person", ME, "Me", "author")
    assert (allowed(author, "create", type="news"), allowed(author, "save", type="news")) == (True, False)


def test_a_refusal_says_what_was_refused() -> None:
    with pytest.raises(Forbidden) as refused:
        permit(Actor("person", ME, "Me", "reader"), "save", type="news")
    assert (refused.value.action, refused.value.type) == ("save", "news")
