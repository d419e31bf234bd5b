"""Where the files of exports lie: `<data>/exports/<job id>/`, for its owner alone."""

import hashlib
import shutil
from pathlib import Path

from api.parts import Parts
from cms.export_formats import ExportFormat
from cms.identity import is_id
from cms.tables.jobs import ExportJob


def folder_id(parts: Parts) -> str:
    """What the data folder is called in jobs: the same wherever it is moved, and no secret."""
    return hashlib.blake2b(b"data folder " + parts.secret, digest_size=12).hexdigest()


def exports_folder(parts: Parts) -> Path:
    """The folder of all exports."""
    return parts.settings.folder / "exports"


def job_folder(parts: Parts, id: str) -> Path:
    """The folder of one export."""
    if not is_id(id):
        raise ValueError(f"not an id: {id!r}")
    return exports_folder(parts) / id


def file_of(parts: Parts, job: ExportJob, of: ExportFormat) -> Path:
    """The file that an export makes. It is there when the job is completed, until it is removed."""
    return job_folder(parts, job.id) / f"sitedesk-{job.format}.{of.suffix}"


def remove_files(parts: Parts, id: str) -> None:
    """Remove all files of an export, if there are any."""
    shutil.rmtree(job_folder(parts, id), ignore_errors=True)
