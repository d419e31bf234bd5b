"""A picture in a form of one's own: its address, for who has a key."""

from typing import Any, cast, get_args

from fastapi import APIRouter, Request, Response

from api import query
from api.access import parts_of, reading
from api.answers import private
from api.picture_addresses import one_form
from api.problems import Problem
from cms import snapshots
from cms.delivery.publications import public_uploads
from cms.errors import BadQuery
from cms.pictures import Preset
from media.renditions import QUALITIES, SIDES, AnyFormat, BadSpec, Fit, Spec

router = APIRouter(tags=["media"])

_ASKED = ("fit", "width", "height", "ratio", "quality", "format")
_RATIOS = {"1": 1.0, "1.5": 1.5, "2": 2.0, "3": 3.0}


@router.get("/entries/{id}/renditions", openapi_extra=query.takes(*_ASKED))
def read_renditions(request: Request, id: str) -> Response:
    """The address of a picture in a form that no preset names. Sides and qualities are those of an allow-list; `ratio`
    multiplies the sides, and without it `srcset` has both densities. Of a document it is the picture of its first page.
    It is that of the newest revision."""
    given = query.only(request, *_ASKED)
    asked = _asked(given)
    with reading(request) as desk:
        entry = snapshots.find(desk.session, id)
        desk.permit("read", entry=entry)
        fields = snapshots.revision_of(desk.session, entry).fields
        file = fields.get("file") or {}
        shown = {**(file.get("picture") or file), "focal_point": fields.get("focal_point")}
        is_public = "sha256" in shown and bool(public_uploads(desk.session, [shown["sha256"]]))
        sign = None if is_public else desk.sign
    form = _form(parts_of(request).secret, shown, asked, sign) if "sha256" in shown else None
    if form is None:
        raise Problem(404, "not_renderable", "The entry holds no picture.")
    return private(form if given.get("ratio", "1") == "1" else {**form, "srcset": None})


def _form(secret: bytes, shown: dict[str, Any], asked: Preset, sign: Any) -> Any:
    try:
        return one_form(secret, shown, asked, sign=sign)
    except BadSpec as refusal:
        raise BadQuery("width", "out_of_range", str(refusal)) from None


def _asked(given: dict[str, str]) -> Preset:
    fit = cast("Fit", query.one_of(given.get("fit"), get_args(Fit), name="fit"))
    format = cast("AnyFormat", query.one_of(given.get("format"), get_args(AnyFormat), name="format"))
    ratio = _RATIOS[query.one_of(given.get("ratio"), tuple(_RATIOS), name="ratio")]
    sides = {name: _listed(given, name, SIDES) for name in ("width", "height")}
    quality = _listed(given, "quality", QUALITIES)
    try:
        Spec(fit, sides["width"], sides["height"], None, quality, format)
    except BadSpec as refusal:
        raise BadQuery("width", "out_of_range", str(refusal)) from None
    dense = {name: side and round(side * ratio) for name, side in sides.items()}
    return Preset("", fit, dense["width"], dense["height"], quality, format)


def _listed(given: dict[str, str], name: str, offered: frozenset[int]) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    told = ", ".join(str(one) for one in sorted(offered))
    return query.number(value, name, among=offered, said=f"'{name}' is one of: {told}.")
