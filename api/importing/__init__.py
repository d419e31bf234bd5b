"""Import jobs at work: read, tried, run, undone, wherever the data folder is held."""

from api.importing.again import bringer, read_again
from api.importing.driving import Worker, drive
from api.importing.places import files_folder, folder_id, job_folder, spool_file

__all__ = ["Worker", "bringer", "drive", "files_folder", "folder_id", "job_folder", "read_again", "spool_file"]
