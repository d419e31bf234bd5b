"""Tables as text: whatever encoding, delimiter and quoting they come in."""

import codecs
import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from cms.import_formats import FORMATS, Author, Item, Link, Options, Problem, SourceUnreadable
from cms.import_formats.csv_tables import heading

SHARED_TMP = [HealthCheck.function_scoped_fixture]
RUSSIAN = (
    "Заголовок;Текст;Дата публикации;Раздел;Теги;Автор;Черновик\r\n"
    "Часы работы в январе;В праздники мы работаем с десяти до шести.;31.01.2026 14:05;Новости;часы, праздники;"
    "Пресс-служба;нет\r\n"
    "Новый офис;Мы переехали на улицу Ленина.;31 января 2026 г.;Новости/Офис;офис;Анна; да\r\n"
)


def results(place: Path, content: str | bytes, *, name: str = "rows.csv", **choices: str) -> list[Item | Problem]:
    path = place / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = FORMATS["csv"].read(path, Options(choices=choices)).items()
    return [one for one in found if isinstance(one, Item) or not one.warning]


def items(place: Path, content: str | bytes, **choices: str) -> list[Item]:
    found = results(place, content, **choices)
    assert all(isinstance(one, Item) for one in found), found
    return [one for one in found if isinstance(one, Item)]


def codes(found: list[Item | Problem]) -> list[str]:
    return [one.code if isinstance(one, Problem) else one.external_id for one in found]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "koi8-r", "cp866", "mac-cyrillic"]
)
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_encoding_and_delimiter_are_found(encoding: str, delimiter: str, tmp_path: Path) -> None:
    first, second = items(tmp_path, RUSSIAN.replace(";", delimiter).encode(encoding))
    assert first.fields["title"] == "Часы работы в январе"
    assert first.fields["topics"] == ["часы", "праздники"]
    assert first.first_published_at == datetime(2026, 1, 31, 14, 5, tzinfo=UTC)
    assert (first.section, first.section_names) == (("novosti",), ("Новости",))
    assert first.byline == (Author("Пресс-служба", "Пресс-служба"),)
    assert (first.draft, second.draft) == (False, True)
    assert second.first_published_at == datetime(2026, 1, 31, tzinfo=UTC)
    assert second.section == ("novosti", "ofis")


def test_an_encoding_is_found_where_it_first_shows(tmp_path: Path) -> None:
    plain = "id,title\n" + "".join(f"{number},Plain title {number}\n" for number in range(40_000))
    [*_, last] = items(tmp_path, plain.encode() + "x,Новости компании за неделю\n".encode("cp1251"))
    assert last.fields["title"] == "Новости компании за неделю"


def test_a_mark_of_utf_16_tells_its_order(tmp_path: Path) -> None:
    [found] = items(tmp_path, codecs.BOM_UTF16_BE + "id,title\n1,Имя\n".encode("utf-16-be"))
    assert found.fields["title"] == "Имя"


def test_of_a_broken_text_only_the_broken_row_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"{number},Новости номер {number}\n" for number in range(50)).encode()
    found = results(tmp_path, b"id,title\n" + rows + b"x,\xff\xfe\n" + b"y,Y\n")
    assert codes(found)[-2:] == ["bad_encoding", "y"]


def test_the_encoding_may_be_said(tmp_path: Path) -> None:
    [found] = items(tmp_path, "id,title\n1,ё\n".encode("cp866"), encoding="cp866")
    assert found.fields["title"] == "ё"


def test_cells_may_have_lines_and_quotation_marks(tmp_path: Path) -> None:
    found = items(tmp_path, 'id,title,body\r\n1,"A ""B""","One\r\n\r\nTwo"\r\n2,C,D\r\n')
    assert [one.origin.line for one in found] == [2, 5]
    assert found[0].fields["title"] == 'A "B"'
    assert found[0].fields["body"]["value"] == "One\r\n\r\nTwo"
    assert found[0].raw == '1,"A ""B""","One\r\n\r\nTwo"'


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("1,A", "wrong_cell_count"),
        ("1,A,B,C", "wrong_cell_count"),
        ("1,A,B,,", "1"),
        ('1,"A" B,C', "not_csv"),
        ("1,,B", "missing"),
        ("1,A,x\0y", "nul"),
        ("1,A," + "x" * 4_194_305, "not_csv"),
        ("1,A," + "x" * 9_000_000, "too_long"),
    ],
)
def test_a_bad_row_refuses_only_itself(row: str, expected: str, tmp_path: Path) -> None:
    found = results(tmp_path, f"id,title,body\n0,Z,z\n{row}\n2,B,b\n")
    assert codes(found) == ["0", expected, "2"]
    if isinstance(found[1], Problem):
        assert (found[1].file, found[1].line) == ("rows.csv", 3)


def test_a_quotation_mark_that_is_not_closed_is_told_where_it_is(tmp_path: Path) -> None:
    found = results(tmp_path, 'id,title\n1,A\n2,"B\n3,C\n')
    assert codes(found) == ["1", "not_csv"]
    assert isinstance(found[1], Problem)
    assert found[1].line == 3


def test_rows_above_the_header_and_empty_rows_do_not_matter(tmp_path: Path) -> None:
    found = items(tmp_path, "Выгрузка новостей;;\n;;\nid;Заголовок;Текст\n;;\n1;A;a\n;;\n2;B;b\n")
    assert [(one.external_id, one.origin.line) for one in found] == [("1", 5), ("2", 7)]


def test_the_line_of_excel_tells_the_delimiter(tmp_path: Path) -> None:
    assert codes(list(results(tmp_path, "sep=|\nid|title, and more\n1|A\n"))) == ["missing"]
    [found] = items(tmp_path, "sep=|\r\nid|title\r\n1|A, B; C\r\n")
    assert found.fields["title"] == "A, B; C"


def test_columns_of_one_name_and_of_none_are_kept_apart(tmp_path: Path) -> None:
    [found] = items(tmp_path, "id,title,note,note,\n1,A,x,y,\n")
    assert found.source_fields == {"note": "x", "note (2)": "y"}
    [found] = items(tmp_path, "id,title,,note\n1,A,x,y\n")
    assert found.source_fields == {"column 3": "x", "note": "y"}


def test_a_row_without_an_id_is_known_by_its_slug_or_its_title_and_date(tmp_path: Path) -> None:
    table = "title,slug,date\nA,a-page,\nB,,2026-01-31\nB,,2026-02-01\nB,,2026-02-01\n"
    found = results(tmp_path, table)
    assert codes(found)[0] == "a-page"
    assert len(set(codes(found)[:3])) == 3
    assert codes(found)[3] == "duplicate"
    assert codes(found) == codes(results(tmp_path, table))
    *_, warning = FORMATS["csv"].read(tmp_path / "rows.csv", Options()).items()
    assert isinstance(warning, Problem)
    assert (warning.code, warning.warning) == ("no_ids", True)


def test_the_column_of_ids_may_be_said(tmp_path: Path) -> None:
    [found] = items(tmp_path, "id,title,Код\n1,A,x-1\n", id_column="Код")
    assert (found.external_id, found.source_fields) == ("x-1", {"id": "1"})


def test_the_zone_of_dates_may_be_said(tmp_path: Path) -> None:
    [found] = items(tmp_path, "id,title,date\n1,A,31.01.2026 03:00\n", zone="Europe/Moscow")
    assert found.first_published_at == datetime(2026, 1, 31, tzinfo=UTC)
    with pytest.raises(SourceUnreadable, match="Europe/Moscow"):
        results(tmp_path, "id,title\n1,A\n", zone="Moscow")


def test_plain_text_becomes_paragraphs_by_choice(tmp_path: Path) -> None:
    [found] = items(tmp_path, 'id,title,text\n1,A,"a < b\n\nc"\n', body_format="text")
    assert found.fields["body"] == {"format": "html", "value": "<p>a &lt; b</p><p>c</p>"}


def test_an_apostrophe_before_a_formula_is_taken_away_and_a_formula_stays_text(tmp_path: Path) -> None:
    [found] = items(tmp_path, "id,title,a,b\n1,'=SUM(A1),'quoted',=1+1\n")
    assert found.fields["title"] == "=SUM(A1)"
    assert found.source_fields == {"a": "'quoted'", "b": "=1+1"}


def test_refused_rows_are_mended_and_read_again(tmp_path: Path) -> None:
    content = 'Дата;Заголовок;ид\r\nвчера;"A;\r\nB";1\r\n01.02.2026;C;2\r\n'.encode("cp1251")
    bad, good = results(tmp_path, content)
    assert isinstance(bad, Problem)
    assert isinstance(good, Item)
    again = f"{heading(tmp_path / 'rows.csv', Options())}\n{bad.raw}\n".replace("вчера", "31.01.2026")
    [mended] = items(tmp_path, again)
    assert (mended.external_id, mended.fields["title"]) == ("1", "A; B")


def test_several_files_and_their_pictures_are_one_source(tmp_path: Path) -> None:
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "a.png").write_bytes(b"png")
    (tmp_path / "one.csv").write_text("id,title,image,alt\n1,A,img/a.png,An A\n2,B,https://example.org/b.jpg,\n")
    (tmp_path / "two.tsv").write_text("title\tid\timage\nC\t3\t../outside.png\n")
    assert FORMATS["csv"].recognise(tmp_path)
    reading = FORMATS["csv"].read(tmp_path, Options())
    found = [one for one in reading.items() if isinstance(one, Item)]
    assert [(one.external_id, one.origin.file) for one in found] == [
        ("1", "one.csv"),
        ("2", "one.csv"),
        ("3", "two.tsv"),
    ]
    assert found[0].fields["cover"] == Link("asset", "img/a.png")
    inside, outside = reading.assets()
    assert inside.path == (tmp_path / "img" / "a.png").resolve()
    assert (inside.fields, outside.url) == ({"alt": "An A"}, "https://example.org/b.jpg")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("rows.csv", "id,title\n1,A\n", True),
        ("rows.txt", "id;title;date\n1;A;\n2;B;\n", True),
        ("rows", RUSSIAN, True),
        ("notes.txt", "Dear all,\nthe office is closed, and\nI am away.\n", False),
        ("rows.jsonl", '{"id": 1, "title": "A"}\n', False),
        ("page.html", "<p>id, title</p>", False),
        ("empty.csv", "", False),
        ("page.md", "---\ntitle: A\n---\n", False),
    ],
)
def test_a_table_is_recognised_by_what_is_in_it(name: str, content: str, expected: bool, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    assert bool(FORMATS["csv"].recognise(tmp_path / name)) is expected


def test_a_file_with_nothing_in_it_is_a_problem(tmp_path: Path) -> None:
    assert codes(results(tmp_path, "")) == ["no_header"]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=["Cs"]), max_size=12)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=4)
)


@settings(suppress_health_check=SHARED_TMP, deadline=None, max_examples=50)
@given(
    rows=TABLES,
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "windows-1251"]),
    end=st.sampled_from(["\n", "\r\n"]),
)
@example(rows=[["\r", "\n\n"]], delimiter=";", encoding="utf-16", end="\n")
def test_what_a_writer_writes_is_read(
    rows: list[list[str]], delimiter: str, encoding: str, end: str, tmp_path: Path
) -> None:
    # The writer does not quote the one without the other.
    rows = rows if end == "\r\n" else [[cell.replace("\r", "") for cell in row] for row in rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    names = [f"name {number}" for number in range(len(rows[0]))]
    writer.writerow(["id", "title", *names])
    writer.writerows([f"row {number}", "Новости", *row] for number, row in enumerate(rows))
    written = text.getvalue()
    assume(encoding != "windows-1251" or _fits(written, "cp1251"))
    # What is no letter in any of the likely encodings has more than one reading.
    said = {"encoding": encoding} if encoding == "windows-1251" else {}
    found = items(tmp_path, written.encode(encoding), **said)
    read = [[one.source_fields.get(name, "") for name in names] for one in found]
    assert read == [[_as_read(cell) for cell in row] for row in rows]


def _fits(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _as_read(cell: str) -> str:
    if not cell.strip():
        return ""
    begins = cell.lstrip("'")[:1]
    return cell[1:] if cell.startswith("'") and begins and begins in "=+-@\t\r\n" else cell


@settings(suppress_health_check=SHARED_TMP, deadline=None, max_examples=50)
@given(
    at=st.integers(0, len(RUSSIAN)), junk=st.binary(max_size=8), encoding=st.sampled_from(["utf-8", "cp1251", "utf-16"])
)
def test_damaged_tables_are_items_and_problems(at: int, junk: bytes, encoding: str, tmp_path: Path) -> None:
    content = RUSSIAN.encode(encoding)
    for one in results(tmp_path, content[:at] + junk + content[at + 1 :]):
        json.dumps([one.raw, one.fields if isinstance(one, Item) else one.reason], ensure_ascii=False).encode()


@settings(suppress_health_check=SHARED_TMP, deadline=None, max_examples=50)
@given(content=st.binary(max_size=200))
def test_any_bytes_are_items_and_problems(content: bytes, tmp_path: Path) -> None:
    results(tmp_path, content)
    FORMATS["csv"].recognise(tmp_path / "rows.csv")
