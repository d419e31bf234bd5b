"""What a backup says of itself. It is written last: without one that is whole, what lies there is no backup."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any, Literal

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from api.backups.refusal import BackupRefused
from api.backups.targets import Target
from cms.clock import written
from media.store_keys import NotStored

FORMAT = 1
FOLDER, NAME = "backups", "manifest.json"
# A kilobyte for each of a million files.
_LARGEST = 1 << 30

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=0)]
BackupName = Annotated[str, Field(pattern=r"^\d{8}T\d{6}Z$")]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Content(_Said):
    """Bytes."""

    size: Size
    sha256: Sha256


class Medium(Content):
    """Bytes of the media store: the key that they have there. They lie in the target under their own SHA-256."""

    key: Annotated[str, Field(pattern="^[0-9a-f]{64}(/[a-z]+)?$")]


class Lost(_Said):
    """A file that the database knows and whose bytes the media store did not have. `held`: a revision holds it."""

    sha256: Sha256
    held: bool


class Table(_Said):
    """How many rows a table has, and the digest of all of them, in whatever order."""

    rows: Size
    digest: Sha256


class Manifest(_Said):
    """Everything that a restore needs to know. `database` is the copy as it was before it was packed; `event` the
    number of the newest event in it; `files` what lies in the backup's own folder."""

    format: Literal[1]
    name: BackupName
    sitedesk: str
    kind: Literal["sqlite", "postgresql"]
    instant: AwareDatetime
    migration: str
    event: Size
    tables: dict[str, Table]
    database: Content
    files: dict[Annotated[str, Field(pattern="^[a-z]+([.][a-z]+)*$")], Content]
    media: list[Medium]
    lost: list[Lost]

    def place(self, file: str) -> str:
        """Where a file of the backup's own lies in the target."""
        return f"{FOLDER}/{self.name}/{file}"

    def contents(self) -> dict[str, Content]:
        """Everything that the backup needs, by its name in the target; the manifest itself is not among it."""
        own = {self.place(file): content for file, content in self.files.items()}
        return own | {media_place(one.sha256): one for one in self.media}


def media_place(sha256: str) -> str:
    """Where bytes of the media store lie in the target, for all backups together."""
    return f"media/{sha256[:2]}/{sha256}"


def backup_name(instant: datetime) -> str:
    """What a backup of this moment is called: `20261130T100000Z`."""
    return f"{instant:%Y%m%dT%H%M%SZ}"


def sitedesk_version() -> str:
    """The version of this program."""
    return version("sitedesk")


def packed(manifest: Manifest) -> bytes:
    """The manifest as it is written, with its digest."""
    said = manifest.model_dump(mode="json") | {"instant": written(manifest.instant)}
    return _with_digest(said)


def _with_digest(said: Mapping[str, Any]) -> bytes:
    digest = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return orjson.dumps({**said, "digest": digest}, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2) + b"\n"


def unpacked(content: bytes, *, name: str) -> Manifest:
    """The manifest of the backup of that name. Raises `BackupRefused`."""
    try:
        said = orjson.loads(content)
    except ValueError:
        raise BackupRefused(f"the backup {name} is damaged: its manifest is cut short or no JSON") from None
    if isinstance(said, dict) and isinstance(said.get("format"), int) and said["format"] > FORMAT:
        made_by = said.get("sitedesk")
        raise BackupRefused(f"the backup {name} was made by a newer Sitedesk ({made_by}): restore it with that version")
    if not isinstance(said, dict) or _with_digest({key: said[key] for key in said if key != "digest"}) != content:
        raise BackupRefused(f"the backup {name} is damaged: its manifest has another digest than it says")
    del said["digest"]
    try:
        manifest = Manifest.model_validate(said)
    except ValidationError as error:
        raise BackupRefused(
            f"the backup {name} has a manifest that makes no sense: {error.errors()[0]['loc']}"
        ) from None
    if manifest.name != name:
        raise BackupRefused(f"the backup {name} is not itself: its manifest is that of {manifest.name}")
    return manifest


def names(places: Iterable[str]) -> tuple[list[str], list[str]]:
    """The backups among names in the target, oldest first: those that have a manifest, and those that have none."""
    files: dict[str, set[str]] = {}
    for place in places:
        folder, _, file = place.removeprefix(f"{FOLDER}/").partition("/")
        files.setdefault(folder, set()).add(file)
    whole = sorted(folder for folder, found in files.items() if NAME in found)
    return whole, sorted(files.keys() - set(whole))


def read(target: Target, name: str) -> Manifest:
    """A backup's manifest. Raises `BackupRefused`."""
    try:
        with target.open(f"{FOLDER}/{name}/{NAME}") as file:
            return unpacked(file.read(_LARGEST), name=name)
    except NotStored:
        raise BackupRefused(f"there is no backup {name}: nothing there has a manifest") from None
