"""Doing an export: a job is worked on from where it is until it ends; its file lies in the data folder."""

from api.exporting.folders import file_of, folder_id, job_folder, remove_files
from api.exporting.formats import formats_of
from api.exporting.loop import Exporter
from api.exporting.work import drive

__all__ = ["Exporter", "drive", "file_of", "folder_id", "formats_of", "job_folder", "remove_files"]
