"""What was sent is looked at: its format, and the file or folder to read, archives unpacked once."""

import json
import zipfile
from pathlib import Path

import pytest

from cms.import_formats import SourceUnreadable, archives
from cms.import_formats.finding_out import find_out, open_as

PAGE = "---\ntitle: Hello\n---\nText"
ROW = json.dumps({"id": "a", "title": "A", "body": "Text"})


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "files").mkdir()
    return tmp_path / "files"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def pack(path: Path, **texts: str) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, text in texts.items():
            made.writestr(name.replace("__", "/"), text)
    return path


def test_one_file_is_read_itself(files: Path, workspace: Path) -> None:
    write(files, **{"rows.jsonl": ROW})
    assert find_out(files, workspace=workspace) == ("jsonl", files / "rows.jsonl")
    assert find_out(files / "rows.jsonl", workspace=workspace) == ("jsonl", files / "rows.jsonl")


def test_one_page_is_read_itself(files: Path, workspace: Path) -> None:
    write(files, **{"page.md": PAGE})
    assert find_out(files, workspace=workspace) == ("markdown", files / "page.md")


def test_a_folder_is_read_where_it_is(files: Path, workspace: Path) -> None:
    write(files, **{"a.md": PAGE, "news__b.md": PAGE, "img__a.png": "x"})
    assert find_out(files, workspace=workspace) == ("markdown", files)
    assert not workspace.exists()


def test_an_archive_is_unpacked_and_the_folder_around_it_left_off(files: Path, workspace: Path) -> None:
    pack(files / "site.zip", **{"site__a.md": PAGE, "site__b.md": PAGE})
    format, path = find_out(files, workspace=workspace)
    assert (format, path.name, path.is_relative_to(workspace)) == ("markdown", "site", True)


def test_an_archive_of_one_file_is_that_file(files: Path, workspace: Path) -> None:
    pack(files / "site.zip", **{"export__rows.jsonl": ROW})
    format, path = find_out(files, workspace=workspace)
    assert (format, path.name) == ("jsonl", "rows.jsonl")


def test_an_archive_is_unpacked_once(files: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pack(files / "site.zip", **{"a.md": PAGE, "b.md": PAGE})
    found = find_out(files, workspace=workspace)
    monkeypatch.setattr(archives, "unpack", None)
    assert find_out(files, workspace=workspace) == found


def test_what_was_unpacked_in_part_is_unpacked_again(files: Path, workspace: Path) -> None:
    pack(files / "site.zip", **{"a.md": PAGE, "b.md": PAGE})
    _, path = find_out(files, workspace=workspace)
    path.rename(path.with_suffix(".unfinished"))
    (path.with_suffix(".unfinished") / "a.md").unlink()
    _, again = find_out(files, workspace=workspace)
    assert sorted(file.name for file in again.iterdir()) == ["a.md", "b.md"]


def test_an_archive_beside_pages_is_a_folder_beside_them(files: Path, workspace: Path) -> None:
    write(files, **{"a.md": PAGE})
    pack(files / "images.zip", **{"images__b.png": "x"})
    format, path = find_out(files, workspace=workspace)
    assert (format, sorted(found.relative_to(path).as_posix() for found in path.rglob("*") if found.is_file())) == (
        "markdown",
        ["a.md", "images.zip", "images/b.png"],
    )


def test_a_format_that_was_chosen_is_not_looked_for(files: Path, workspace: Path) -> None:
    write(files, **{"a.txt": ROW})
    assert open_as("markdown", files, workspace=workspace) == files / "a.txt"
    pack(files / "a.txt", **{"a.md": PAGE, "b.md": PAGE})
    assert open_as("markdown", files, workspace=workspace).is_relative_to(workspace)


@pytest.mark.parametrize("texts", [{"a.bin": "\x00\x01"}, {"a.bin": "\x00", "b.bin": "\x00"}, {}], ids=str)
def test_what_nobody_knows_is_refused_with_what_is_known(texts: dict[str, str], files: Path, workspace: Path) -> None:
    write(files, **texts)
    with pytest.raises(SourceUnreadable, match=r"known|empty"):
        find_out(files, workspace=workspace)


def test_what_is_not_there_is_refused(tmp_path: Path, workspace: Path) -> None:
    with pytest.raises(SourceUnreadable, match="not there"):
        find_out(tmp_path / "nowhere", workspace=workspace)


def test_a_bad_archive_is_refused_and_leaves_nothing(files: Path, workspace: Path) -> None:
    pack(files / "site.zip", **{"../a.md": PAGE})
    with pytest.raises(SourceUnreadable, match="leads out"):
        find_out(files, workspace=workspace)
    assert list(workspace.iterdir()) == []
