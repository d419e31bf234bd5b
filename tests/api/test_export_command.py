"""`sitedesk export` and `digest`: files and stdout, with and without a server beside them."""

import hashlib
import json
import zipfile
from pathlib import Path

from tests.api.test_command_line import Running, pytestmark, run, server

__all__ = ["pytestmark", "server"]


def test_a_site_goes_out_and_comes_in_by_commands(tmp_path: Path) -> None:
    folder, other, file = tmp_path / "data", tmp_path / "other", tmp_path / "site.zip"
    told = run(folder, "export", "--to", str(file))
    assert (told.returncode, told.stdout) == (0, ""), told.stderr
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["site.jsonl"]
    assert list((folder / "exports").iterdir()) == []
    digest = run(folder, "digest").stdout.strip()
    assert len(digest) == 64
    assert run(other, "digest").stdout.strip() != digest
    brought = run(other, "import", str(file))
    assert brought.returncode == 0, brought.stderr
    assert run(other, "digest").stdout.strip() == digest


def test_beside_a_server_the_server_exports(server: Running) -> None:
    told = run(server.folder, "export", "jsonl", "--to", "-")
    assert told.returncode == 0, told.stderr
    lines = [json.loads(line)["line"] for line in told.stdout.splitlines()]
    assert (lines[0], lines[-1]) == ("site", "end")
    assert hashlib.sha256(told.stdout.encode()).hexdigest() in told.stderr.replace("\n", "")


def test_what_cannot_be_exported_is_refused_in_words(server: Running) -> None:
    told = run(server.folder, "export", "docx", "--to", "-")
    assert (told.returncode, told.stdout) == (1, "")
    assert "/format: The formats are: sitedesk" in told.stderr
    told = run(server.folder, "export", "csv", "--section", "/nowhere", "--to", "-")
    assert (told.returncode, told.stdout) == (1, "")
    assert "No section has the path /nowhere." in told.stderr
