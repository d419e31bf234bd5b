"""What was sent for an import: its format, found by looking at it, and the file or folder to read."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from cms.import_formats import FORMATS, SourceUnreadable, archives

Found = tuple[str, Path]
# Beside others, so that a document that is a zip inside stays a document.
_SUFFIXES = frozenset({".zip", ".tar", ".tgz", ".gz", ".tbz2", ".bz2", ".txz", ".xz"})
_LEFT_OUT = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


def find_out(files: Path, *, workspace: Path) -> Found:
    """The format's name, and the path to read: a file or a folder, `files` itself or within it or `workspace`.

    `files` is one file, or a folder: of one file, of several that belong together, or of a whole site. Archives that no
    format reads as they are are unpacked into `workspace`, once: asked again it gives the same answer at once.
    Raises `SourceUnreadable`.
    """
    if not files.exists():
        raise SourceUnreadable(files.name, "is not there")
    inside = _entries(files) if files.is_dir() else [files]
    if not inside:
        raise SourceUnreadable(files.name, "is empty")
    if len(inside) == 1 and inside[0].is_file():
        return _of_file(inside[0], workspace)
    if all(path.is_file() for path in inside):
        return _of_several(files, inside, workspace)
    return _surest([files]) or _refuse(files)


def open_as(format: str, files: Path, *, workspace: Path) -> Path:
    """The path to read where staff have said which format it is. Raises `SourceUnreadable`."""
    inside = _entries(files) if files.is_dir() else [files]
    alone = inside[0] if len(inside) == 1 and inside[0].is_file() else None
    if alone is None:
        return _together(files, inside, workspace) if any(map(_is_unread_archive, inside)) else files
    if FORMATS[format].recognise(alone) or not archives.is_archive(alone):
        return alone
    unpacked = _unpacked(alone, workspace)
    return max(_candidates(unpacked), key=lambda path: _sureness(format, path))


def _of_file(file: Path, workspace: Path) -> Found:
    found = _surest([file])
    if found is None and archives.is_archive(file):
        found = _surest(_candidates(_unpacked(file, workspace)))
    return found or _refuse(file)


def _of_several(folder: Path, inside: Iterable[Path], workspace: Path) -> Found:
    """Files that were sent together, as they would be read if the archives among them had been folders."""
    if any(map(_is_unread_archive, inside)):
        folder = _together(folder, inside, workspace)
    return _surest([folder]) or _refuse(folder)


def _candidates(unpacked: Path) -> list[Path]:
    """An unpacked archive, and its only file."""
    folder = archives.top(unpacked)
    inside = _entries(folder)
    return [*inside, folder] if len(inside) == 1 and inside[0].is_file() else [folder]


def _is_unread_archive(file: Path) -> bool:
    return file.suffix.lower() in _SUFFIXES and archives.is_archive(file) and _surest([file]) is None


def _surest(paths: Iterable[Path]) -> Found | None:
    """The surest format; the first path and the first format of those that are equally sure."""
    sure = [(_sureness(name, path), name, path) for path in paths for name in FORMATS]
    best = max(sure, key=lambda found: found[0], default=(0, "", Path()))
    return (best[1], best[2]) if best[0] > 0 else None


def _sureness(format: str, path: Path) -> int:
    try:
        return FORMATS[format].recognise(path)
    except OSError as error:
        raise SourceUnreadable(path.name, error.strerror or "cannot be read") from error


def _refuse(path: Path) -> Found:
    known = "; ".join(format.label for format in FORMATS.values())
    raise SourceUnreadable(path.name, f"is of no kind that is known. These are: {known}")


def _entries(folder: Path) -> list[Path]:
    shown = (path for path in folder.iterdir() if not path.name.startswith(".") and path.name not in _LEFT_OUT)
    return sorted(shown)


def _unpacked(archive: Path, workspace: Path) -> Path:
    return _once(workspace, [archive], lambda into: archives.unpack(archive, into))


def _together(folder: Path, inside: Iterable[Path], workspace: Path) -> Path:
    """A copy of a folder (of links to its files), in which each archive is a folder, too."""

    def lay_out(into: Path) -> None:
        for path in inside:
            if _is_unread_archive(path):
                _move_up(path, into / path.name.partition(".")[0])
            if path.is_file():
                _link(path, into / path.name)
            else:
                shutil.copytree(path, into / path.name, copy_function=_link, symlinks=True)

    return _once(workspace, inside, lay_out)


def _move_up(archive: Path, into: Path) -> None:
    if into.exists():
        into = into.with_name(f"{into.name}-unpacked")
    unpacked = into.with_name(f"{into.name}.unpacking")
    archives.unpack(archive, unpacked)
    archives.top(unpacked).rename(into)
    shutil.rmtree(unpacked, ignore_errors=True)


def _link(path: str | Path, into: str | Path) -> None:
    try:
        os.link(path, into, follow_symlinks=False)
    except OSError:
        shutil.copy2(path, into, follow_symlinks=False)


def _once(workspace: Path, of: Iterable[Path], make: Callable[[Path], None]) -> Path:
    """A folder that is there as a whole or not at all, made again only when the files are others."""
    made = workspace / f"unpacked-{_fingerprint(of)}"
    if made.is_dir():
        return made
    unfinished = made.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        make(unfinished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    unfinished.rename(made)
    return made


def _fingerprint(files: Iterable[Path]) -> str:
    return hashlib.blake2b("\n".join(_marks(files)).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _marks(files: Iterable[Path]) -> Iterator[str]:
    for path in files:
        told = path.stat()
        yield f"{path.name} {told.st_size} {told.st_mtime_ns}"
