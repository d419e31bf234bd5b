"""The bytes of files on their way into a backup: what the target has is not sent again."""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.backups.manifest import Content, Lost, Medium, media_place
from api.backups.survey import KnownFile
from api.backups.targets import Target
from api.backups.transfer import save
from media.public_forms import CLEAN, PURE
from media.store_keys import NotStored
from media.stores import Store


@dataclass
class Sent:
    """What a backup needs of the media store, what was not to be had, and how much had to be sent."""

    media: list[Medium] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    files: int = 0
    bytes: int = 0


@dataclass
class Sender:
    """From a store into a target. `there`: names and sizes in the target; `known`: by key, what earlier backups have of
    the public forms of pictures, so that they need not be read again."""

    store: Store
    target: Target
    scratch: Path
    there: dict[str, int]
    known: Mapping[str, Medium]
    sent: Sent = field(default_factory=Sent)

    def send(self, files: Iterable[KnownFile]) -> Generator[dict[str, Any], None, Sent]:
        """Send the original of each file and the public form of each picture, telling how far it is."""
        some = list(files)
        for number, file in enumerate(some, 1):
            self._send_file(file)
            yield {"progress": number, "of": len(some), "doing": "media"}
        return self.sent

    def _send_file(self, file: KnownFile) -> None:
        expected = Medium(key=file.sha256, size=file.size, sha256=file.sha256)
        if not self._has(expected):
            found = self._save(file.sha256)
            # Other bytes than the name says are as good as none.
            if found is None or found.sha256 != file.sha256:
                self.sent.lost.append(Lost(sha256=file.sha256, held=file.held))
                return
            self._put(found)
            expected = Medium(key=file.sha256, size=found.size, sha256=found.sha256)
        self.sent.media.append(expected)
        if file.is_image:
            self._send_public_form(file.sha256)

    def _send_public_form(self, sha256: str) -> None:
        for key in (f"{sha256}/{CLEAN}", f"{sha256}/{PURE}"):
            known = self.known.get(key)
            if known is not None and self._has(known):
                self.sent.media.append(known)
                return
        for key in (f"{sha256}/{CLEAN}", f"{sha256}/{PURE}"):
            found = self._save(key)
            if found is not None:
                self._put(found)
                self.sent.media.append(Medium(key=key, size=found.size, sha256=found.sha256))
                return

    def _has(self, content: Content) -> bool:
        return self.there.get(media_place(content.sha256)) == content.size

    @property
    def _part(self) -> Path:
        return self.scratch / "media.part"

    def _save(self, key: str) -> Content | None:
        self._part.unlink(missing_ok=True)
        try:
            with self.store.open(key) as source:
                return save(source, self._part)
        except NotStored:
            return None

    def _put(self, content: Content) -> None:
        place = media_place(content.sha256)
        if self.there.get(place) != content.size:
            self.target.put(place, self._part)
            self.there[place] = content.size
            self.sent.files += 1
            self.sent.bytes += content.size
