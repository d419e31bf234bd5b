"""The zip that an export ends with: the same files give the same bytes."""

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

from api.exporting.growing import Growing
from media.store_keys import NotStored
from media.stores import Store

_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
# What is packed already does not become smaller.
_STORED = zipfile.ZIP_STORED
_CHUNK = 1 << 20


def pack(files: Growing, into: Path, *, main: str | None, store: Store) -> Iterator[str | None]:
    """Pack everything, a file a step; yields the SHA-256 of bytes that are not in the store, None for all others."""
    with zipfile.ZipFile(into, "w", allowZip64=True) as archive:
        if main is not None:
            _add(archive, main, files.main)
            yield None
        for path, made in files.made():
            _add(archive, path, made)
            yield None
        for path, sha256 in files.kept():
            yield None if _copy(archive, path, sha256, store) else sha256


def _add(archive: zipfile.ZipFile, path: str, file: Path) -> None:
    info = _info(path, zipfile.ZIP_DEFLATED)
    with file.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, _CHUNK)


def _copy(archive: zipfile.ZipFile, path: str, sha256: str, store: Store) -> bool:
    try:
        source = store.open(sha256)
    except NotStored:
        return False
    with source, archive.open(_info(path, _STORED), "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, _CHUNK)
    return True


def _info(path: str, compression: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _FIRST_DAY)
    info.compress_type = compression
    info.external_attr = 0o600 << 16
    return info
