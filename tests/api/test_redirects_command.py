"""Redirects at the command line: a file in, and all of them out."""

from pathlib import Path

from tests.api.desk import fresh
from tests.api.test_command_line import Running, pytestmark, run, server

__all__ = ["pytestmark", "server"]


def test_a_file_comes_in_and_goes_out_again(tmp_path: Path) -> None:
    folder, file = tmp_path / "data", tmp_path / "redirects.csv"
    file.write_bytes("path;to;explanation\n/часы;/hours;Переехали\n/a;/b;\n".encode("cp1251"))
    brought = run(folder, "redirects", "import", str(file))
    assert (brought.returncode, brought.stdout) == (0, "")
    assert "made 2, changed 0, same 0, refused 0" in brought.stderr
    written = run(folder, "redirects", "export")
    assert written.returncode == 0
    assert written.stdout == (
        "path,to,status,prefix,locale,explanation,source,hits,last_hit_at\n"
        "/часы,/hours,301,false,,Переехали,import,0,\n"
        "/a,/b,301,false,,,import,0,\n"
    )
    file.write_text(written.stdout, encoding="utf-8")
    assert "made 0, changed 0, same 2, refused 0" in run(folder, "redirects", "import", str(file)).stderr


def test_refused_rows_are_told_with_their_lines(tmp_path: Path, server: Running) -> None:
    file, path = tmp_path / "redirects.csv", f"/{fresh()}"
    file.write_text(f"path,to\n{path},/x\nbad,/x\n", encoding="utf-8")
    strictly = run(server.folder, "redirects", "import", "--strict", str(file))
    assert (strictly.returncode, strictly.stdout) == (1, "")
    assert f"{file}:3: A path begins with one '/'" in strictly.stderr.replace("\n", " ").replace("  ", " ")
    assert "made 0" in strictly.stderr
    assert "dry run" in run(server.folder, "redirects", "import", "--dry-run", str(file)).stderr
    assert "made 1" in run(server.folder, "redirects", "import", str(file)).stderr


def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path, server: Running) -> None:
    file = tmp_path / "redirects.csv"
    file.write_text("nonsense\n", encoding="utf-8")
    ended = run(server.folder, "redirects", "import", str(file))
    assert (ended.returncode, len(ended.stderr.splitlines())) == (1, 1)
    assert run(server.folder, "redirects", "import", str(tmp_path / "none.csv")).returncode == 2
