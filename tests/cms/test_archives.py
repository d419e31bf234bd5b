"""Archives: what is in them comes out as it was; what would do harm is refused with the reason."""

import bz2
import gzip
import io
import lzma
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cms.import_formats import SourceUnreadable, archives

FILES = {"site/a.md": b"A", "site/images/b.png": b"\x89PNG", "site/empty.txt": b""}


def a_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def a_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as made:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return path


def unpacked(archive: Path) -> dict[str, bytes]:
    into = archive.parent / "into"
    archives.unpack(archive, into)
    return {path.relative_to(into).as_posix(): path.read_bytes() for path in sorted(into.rglob("*")) if path.is_file()}


def refused(archive: Path) -> str:
    with pytest.raises(SourceUnreadable) as caught:
        archives.unpack(archive, archive.parent / "into")
    assert not (archive.parent / "into").exists()
    return caught.value.reason


KINDS: dict[str, Callable[[Path], Path]] = {
    "zip": lambda place: a_zip(place / "site.zip", FILES),
    "tar": lambda place: a_tar(place / "site.tar", FILES),
    "tar.gz": lambda place: a_tar(place / "site.tgz", FILES, "w:gz"),
    "tar.bz2": lambda place: a_tar(place / "site", FILES, "w:bz2"),
    "tar.xz": lambda place: a_tar(place / "site.tar.xz", FILES, "w:xz"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_in_it_comes_out(kind: str, tmp_path: Path) -> None:
    archive = KINDS[kind](tmp_path)
    assert archives.is_archive(archive)
    assert unpacked(archive) == FILES


@pytest.mark.parametrize("kind", KINDS)
def test_a_cut_off_archive_is_refused(kind: str, tmp_path: Path) -> None:
    archive = KINDS[kind](tmp_path)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: min(len(whole) - 1, 1600)])
    assert "cut off" in refused(archive)


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)],
    ids=["gz", "xz", "bz2"],
)
def test_a_file_that_is_only_compressed_is_called_as_before(
    suffix: str, compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / f"rows.jsonl{suffix}"
    path.write_bytes(compress(b"{}\n" * 500_000) + compress(b"[]"))
    assert unpacked(path) == {"rows.jsonl": b"{}\n" * 500_000 + b"[]"}


def test_an_xz_that_wants_all_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.xz"
    whole = bytearray(lzma.compress(b"x"))
    # The size of the dictionary stands in the block's header, which has a checksum of its own.
    whole[whole.index(b"\x21\x01") + 2] = 36
    header = slice(12, 12 + (whole[12] + 1) * 4 - 4)
    whole[header.stop : header.stop + 4] = zlib.crc32(whole[header]).to_bytes(4, "little")
    path.write_bytes(whole)
    assert "Memory usage limit" in refused(path)


def test_an_archive_inside_stays_one(tmp_path: Path) -> None:
    inner = a_zip(tmp_path / "inner.zip", FILES).read_bytes()
    assert unpacked(a_zip(tmp_path / "outer.zip", {"x/inner.zip": inner})) == {"x/inner.zip": inner}


def test_what_systems_leave_behind_does_not_come_out(tmp_path: Path) -> None:
    left = {"__MACOSX/site/._a.md": b"x", "site/.DS_Store": b"x", "site/._a.md": b"x", "Thumbs.db": b"x"}
    assert unpacked(a_zip(tmp_path / "site.zip", {**FILES, **left})) == FILES


@pytest.mark.parametrize("encoding", ["cp866", "cp1251", "utf-8"])
@pytest.mark.parametrize("make", [a_zip, a_tar], ids=["zip", "tar"])
def test_russian_names_of_any_system_are_read(
    make: Callable[[Path, dict[str, bytes]], Path], encoding: str, tmp_path: Path
) -> None:
    name = "Новости/Новый год.md"
    stand_in = "x" * len(name.encode(encoding))
    archive = make(tmp_path / "site", {stand_in: b"x"})
    written = archive.read_bytes().replace(stand_in.encode(), name.encode(encoding))
    if make is a_tar:
        block = written[:512]
        total = sum(block[:148]) + sum(block[156:512]) + 8 * 32
        written = block[:148] + f"{total:06o}".encode() + b"\0 " + block[156:] + written[512:]
    archive.write_bytes(written)
    assert list(unpacked(archive)) == [name]


def test_modes_are_not_kept(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("run.sh")
    member.external_attr = (stat.S_IFREG | 0o4777) << 16
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as made:
        made.writestr(member, b"x")
    archives.unpack(tmp_path / "site.zip", tmp_path / "into")
    assert not (tmp_path / "into" / "run.sh").stat().st_mode & 0o7111


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../x.md", "leads out"),
        ("a/../../x.md", "leads out"),
        ("a/..", "leads out"),
        ("/etc/passwd", "absolute"),
        ("C:/x.md", "absolute"),
        ("a\\..\\x.md", "backslash"),
        ("a\nb.md", "not readable text"),
        ("a/" * 70 + "x.md", "deeper"),
        ("x" * 1_200, "longer"),
    ],
)
@pytest.mark.parametrize("make", [a_zip, a_tar], ids=["zip", "tar"])
def test_a_path_that_is_not_plainly_inside_is_refused(
    make: Callable[[Path, dict[str, bytes]], Path], name: str, said: str, tmp_path: Path
) -> None:
    assert said in refused(make(tmp_path / "site", {"fine.md": b"x", name: b"x"}))
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "site.tar", "w") as made:
        member = tarfile.TarInfo("x")
        member.type, member.linkname = kind, "/etc/passwd"
        made.addfile(member)
    assert "link or a device" in refused(tmp_path / "site.tar")


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    member = zipfile.ZipInfo("x")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as made:
        made.writestr(member, b"/etc/passwd")
    assert "link or a device" in refused(tmp_path / "site.zip")


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    archive = a_zip(tmp_path / "site.zip", {"a.md": b"x"})
    written = bytearray(archive.read_bytes())
    written[written.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(written)
    assert "encrypted" in refused(archive)


@pytest.mark.parametrize("make", [a_zip, a_tar], ids=["zip", "tar"])
def test_a_bomb_is_refused_by_what_comes_out(
    make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "RATIO_COUNTS_FROM", 100_000)
    more = ("w:gz",) if make is a_tar else ()
    assert "200 times" in refused(make(tmp_path / "site", {"a.md": b"\0" * 3_000_000}, *more))


@pytest.mark.parametrize("make", [a_zip, a_tar], ids=["zip", "tar"])
def test_too_many_files_are_refused(make: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 20)
    assert "more than 20 files" in refused(make(tmp_path / "site", {f"{n}.md": b"" for n in range(21)}))


def test_a_file_where_a_folder_was_is_refused(tmp_path: Path) -> None:
    assert "same name" in refused(a_zip(tmp_path / "site.zip", {"a": b"x", "a/b": b"y"}))


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("# Text")
    assert not archives.is_archive(tmp_path / "x.md")
    assert refused(tmp_path / "x.md") == "is no zip or tar archive"


def test_one_folder_around_everything_is_the_source(tmp_path: Path) -> None:
    archives.unpack(a_zip(tmp_path / "site.zip", FILES), tmp_path / "into")
    assert archives.top(tmp_path / "into") == tmp_path / "into" / "site"


def test_a_folder_that_means_something_stays_in_its_place(tmp_path: Path) -> None:
    archives.unpack(a_zip(tmp_path / "site.zip", {"_posts/a.md": b"x"}), tmp_path / "into")
    assert archives.top(tmp_path / "into") == tmp_path / "into"


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(KINDS)), data=st.data())
def test_a_damaged_archive_comes_out_or_is_refused(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    archive = KINDS[kind](tmp_path)
    written = bytearray(archive.read_bytes())
    for place in data.draw(st.lists(st.integers(0, len(written) - 1), max_size=8)):
        written[place] = data.draw(st.integers(0, 255))
    archive.write_bytes(written)
    (outside := tmp_path.parent / "outside").mkdir(exist_ok=True)
    with suppress(SourceUnreadable):
        unpacked(archive)
    assert not list(outside.iterdir())
    shutil.rmtree(tmp_path / "into", ignore_errors=True)
