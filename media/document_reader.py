"""The program of the child process for documents: their words, their pages, a picture of the first page."""

import codecs
import io
import logging
import re
import time
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO
from xml.parsers import expat

import pypdf
import pypdfium2
from selectolax.lexbor import LexborHTMLParser

from media import child
from media.child import Facts, Options, refuse

MOST_TEXT = 500_000
# So much of a document's parts is unpacked, however small the file is.
MOST_UNPACKED = 64 << 20
MOST_PARTS = 2_000
MOST_PAGES = 2_000
# Seconds after which a long document's first words have to do.
PATIENCE = 6
PICTURE_SIDE = 1200
CHUNK = 1 << 16

Words = Iterator[str]


def read_pdf(path: Path, _: Options) -> tuple[Facts, bytes]:
    """Pages by pdfium, words by pypdf, the first page as a WebP. What one of them cannot do, it leaves out."""
    facts: Facts = {"pages": None, "text": None}
    picture = b""
    with suppress(Exception):
        facts["pages"], picture = _first_page(path)
    with suppress(Exception):
        facts["text"] = _cut(_pdf_words(path))
    return facts, picture


def read_office(path: Path, _: Options) -> tuple[Facts, bytes]:
    """Words of a Word, Excel or PowerPoint document (OOXML)."""
    return {"text": _cut(_zipped_words(path, _OFFICE_PARTS, _OFFICE_BREAKS))}, b""


def read_opendocument(path: Path, _: Options) -> tuple[Facts, bytes]:
    """Words of a text, spreadsheet or presentation of OpenDocument."""
    return {"text": _cut(_zipped_words(path, re.compile(r"content\.xml"), _OPEN_BREAKS))}, b""


def read_plain(path: Path, options: Options) -> tuple[Facts, bytes]:
    """Text as it stands, Markdown and CSV too."""
    with path.open("rb") as file:
        return {"text": _cut(iter([_decoded(file.read(4 * MOST_TEXT))]))}, b""


def read_html(path: Path, _: Options) -> tuple[Facts, bytes]:
    """The words of a page, without its scripts and styles."""
    with path.open("rb") as file:
        tree = LexborHTMLParser(_decoded(file.read(8 * MOST_TEXT)))
    tree.strip_tags(["script", "style", "template", "noscript"])
    return {"text": _cut(iter([tree.text(separator=" ")]))}, b""


TASKS: dict[str, child.Task] = {
    "pdf": read_pdf,
    "office": read_office,
    "opendocument": read_opendocument,
    "plain": read_plain,
    "html": read_html,
}


def explain(error: Exception) -> tuple[str, str]:
    return "unreadable", child.reason_of(error)


def _first_page(path: Path) -> tuple[int, bytes]:
    with pypdfium2.PdfDocument(path) as document:
        pages = len(document)
        with suppress(Exception):
            page = document[0]
            scale = min(4.0, PICTURE_SIDE / max(page.get_size()))
            file = io.BytesIO()
            page.render(scale=scale).to_pil().convert("RGB").save(file, "WEBP", quality=80, method=2)
            return pages, file.getvalue()
        return pages, b""


def _pdf_words(path: Path) -> Words:
    reader = pypdf.PdfReader(path)
    until = time.monotonic() + PATIENCE
    for number in range(min(len(reader.pages), MOST_PAGES)):
        # One page that is broken does not take the others' words away.
        with suppress(Exception):
            yield reader.pages[number].extract_text() + "\n"
        if time.monotonic() > until:
            return


_OFFICE_PARTS = re.compile(
    r"word/(?:document|footnotes|endnotes|header\d*|footer\d*)\.xml|xl/sharedStrings\.xml|xl/worksheets/sheet\d+\.xml|"
    r"ppt/(?:slides|notesSlides)/\w+\d+\.xml"
)
# Elements that hold words, and those after which a line ends.
_OFFICE_BREAKS = frozenset({"p", "br", "tab", "tr", "si", "row"})
_OPEN_BREAKS = frozenset({"p", "h", "tab", "line-break", "s", "table-cell"})
_OFFICE_WORDS = frozenset({"t"})


def _zipped_words(path: Path, parts: re.Pattern[str], breaks: frozenset[str]) -> Words:
    left = MOST_UNPACKED
    with zipfile.ZipFile(path) as archive:
        if len(archive.infolist()) > MOST_PARTS:
            refuse("unreadable", "it has too many parts")
        for each in sorted(archive.infolist(), key=_place):
            if not parts.fullmatch(each.filename):
                continue
            with archive.open(each) as part:
                for words, size in _xml_words(part, breaks, spoken=breaks is _OPEN_BREAKS):
                    left -= size
                    if left < 0:
                        return
                    yield words


def _place(part: zipfile.ZipInfo) -> tuple[str, int]:
    """The second slide before the tenth."""
    match = re.search(r"(\d{1,6})\.xml$", part.filename)
    return (part.filename.rstrip("0123456789.xml"), int(match[1]) if match else 0)


def _xml_words(part: IO[bytes], breaks: frozenset[str], *, spoken: bool) -> Iterator[tuple[str, int]]:
    """The words that stand in `<…:t>`, or everywhere when `spoken`, with the bytes that were read for them."""
    words: list[str] = []
    inside = 0

    def start(name: str, _: object) -> None:
        nonlocal inside
        inside += name.rpartition(" ")[2] in _OFFICE_WORDS

    def end(name: str) -> None:
        nonlocal inside
        plain = name.rpartition(" ")[2]
        inside -= plain in _OFFICE_WORDS
        if plain in breaks:
            words.append("\n")

    def text(content: str) -> None:
        if inside or spoken:
            words.append(content)

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.EntityDeclHandler = _refuse_entity
    while chunk := part.read(CHUNK):
        parser.Parse(chunk, False)
        yield "".join(words), len(chunk)
        words.clear()


def _refuse_entity(*_: object) -> None:
    refuse("unreadable", "it declares XML entities")


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(content)
    except UnicodeDecodeError:
        # Without control bytes and not UTF-8: here that is a Russian code page.
        return content.decode("cp1251", errors="replace")


def _cut(words: Words) -> str | None:
    """At most so many characters, blanks folded; without what a database or JSON would not take."""
    taken: list[str] = []
    left = MOST_TEXT
    for each in words:
        clean = _BLANKS.sub(_fold, _UNWANTED.sub("", each))[:left]
        taken.append(clean)
        left -= len(clean)
        if left <= 0:
            break
    return "".join(taken).strip() or None


_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_BLANKS = re.compile(r"\s{2,}|[\t\r]")
_fold: Callable[[re.Match[str]], str] = lambda match: "\n" if "\n" in match[0] else " "  # noqa: E731


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable()
    child.serve(TASKS, explain)


if __name__ == "__main__":
    main()
