"""Where the files of import jobs lie: in the data folder, private to who runs the server."""

import hashlib
from pathlib import Path

from api.parts import Parts

_FOLDER = "imports"


def folder_id(parts: Parts) -> str:
    """What names this data folder: jobs are gone on with only where their files lie."""
    return hashlib.blake2b(parts.secret, digest_size=16, person=b"data folder").hexdigest()


def job_folder(parts: Parts, id: str) -> Path:
    """The folder of a job, made when it is missing."""
    folder: Path = parts.settings.folder / _FOLDER / id
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def files_folder(parts: Parts, id: str) -> Path:
    """Where what was uploaded for a job lies."""
    return job_folder(parts, id) / "files"


def spool_file(parts: Parts, id: str) -> Path:
    """What the analysis has read; not there before, nor after a job of which nothing is left to decide."""
    return job_folder(parts, id) / "spool.db"
