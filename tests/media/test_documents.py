"""What is read out of documents, and that a hostile one costs no more than itself."""

import io
import zipfile
import zlib
from collections.abc import Callable

import pypdf
import pytest
from PIL import Image
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from media.refusals import RefusedMedia
from tests.media.bytes_at_hand import Look


def pdf(*pages: str, password: str | None = None) -> bytes:
    writer = pypdf.PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for words in pages:
        page = writer.add_blank_page(595, 842)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 24 Tf 72 720 Td ({words}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def packed(**parts: str | bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def docx(body: str) -> bytes:
    return packed(**{"word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>"})


def test_a_pdf_has_pages_words_and_a_picture(look: Look) -> None:
    found = look(pdf("Annual report", "Second page"))
    assert (found.media_type, found.pages) == ("application/pdf", 2)
    assert (found.text or "").split("\n") == ["Annual report", "Second page"]
    assert found.picture
    with Image.open(io.BytesIO(found.picture)) as shown:
        assert (shown.format, shown.size[1]) == ("WEBP", 1200)


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7\n", b"%PDF-1.7\n" + b"1 0 obj" * 3000, pdf("a")[:400], pdf("a").replace(b"/Pages", b"/Pagez")],
)
def test_a_broken_pdf_is_kept_without_words(look: Look, content: bytes) -> None:
    found = look(content)
    assert (found.kind, found.media_type) == ("file", "application/pdf")


def test_a_locked_pdf_is_kept_without_words(look: Look) -> None:
    found = look(pdf("secret", password="word"))
    assert (found.text, found.picture) == (None, None)


def test_word_says_its_paragraphs(look: Look) -> None:
    found = look(docx("<w:p><w:r><w:t>Годовой</w:t></w:r><w:r><w:t> отчёт</w:t></w:r></w:p><w:p><w:t>2026</w:t></w:p>"))
    assert found.text == "Годовой отчёт\n2026"


def test_excel_says_its_words(look: Look) -> None:
    shared = '<sst xmlns="x"><si><t>Выручка</t></si><si><t>Прибыль</t></si></sst>'
    sheet = '<worksheet xmlns="x"><row><c t="inlineStr"><is><t>Итого</t></is></c><c><v>15</v></c></row></worksheet>'
    found = look(packed(**{"xl/sharedStrings.xml": shared, "xl/worksheets/sheet1.xml": sheet}))
    assert found.text == "Выручка\nПрибыль\nИтого"


def test_slides_stand_in_their_order(look: Look) -> None:
    slides = {f"ppt/slides/slide{each}.xml": f'<a:p xmlns:a="x"><a:t>слайд {each}</a:t></a:p>' for each in (10, 2, 1)}
    assert look(packed(**slides)).text == "слайд 1\nслайд 2\nслайд 10"


def test_an_opendocument_says_its_words(look: Look) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", '<o xmlns:t="x"><t:h>Приказ</t:h><t:p>О <t:span>награждении</t:span></t:p></o>')
    found = look(file.getvalue())
    assert (found.media_type, found.text) == ("application/vnd.oasis.opendocument.text", "Приказ\nО награждении")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("обычный текст".encode(), "обычный текст"),
        ("обычный текст".encode("cp1251"), "обычный текст"),
        ("обычный текст".encode("utf-16"), "обычный текст"),
        (b"# Title\n\nwords", "# Title\nwords"),
        (b"a;b\r\n1;2\r\n", "a;b\n1;2"),
        (b"<!DOCTYPE html><title>T</title><script>no()</script><style>p{}</style><p>Words", "T Words"),
        (b"   \n ", None),
    ],
)
def test_plain_words_are_taken_as_they_are(look: Look, content: bytes, text: str | None) -> None:
    assert look(content, "notes.md").text == text


def test_words_are_cut_and_hold_nothing_that_a_database_refuses(look: Look) -> None:
    found = look(("слово " * 200_000).encode(), "long.txt")
    assert len(found.text or "") in (499_999, 500_000)
    named = docx("<w:p><w:t>a&#x85;b</w:t></w:p>")
    assert "\0" not in (look(named).text or "")


def deflated(size: int) -> bytes:
    return packed(**{"word/document.xml": b"<w>" + b" " * size})


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a zip bomb": lambda: deflated(100_000_000),
    "entities": lambda: packed(
        **{"word/document.xml": '<!DOCTYPE a [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><w:t xmlns:w="x">&b;</w:t>'}
    ),
    "thousands of parts": lambda: packed(**{f"word/header{each}.xml": "<a/>" for each in range(3000)}),
    "broken XML": lambda: docx("<w:p"),
    "a broken zip": lambda: docx("<w:p/>" * 90)[:-60] + b"PK\x01\x02" + b"\0" * 42 + b"word/",
    "deep elements": lambda: docx("<w:p>" * 100_000),
    "a program inside": lambda: packed(**{"word/document.xml": b"\x7fELF"}),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_document_is_kept_without_words(look: Look, make: Callable[[], bytes]) -> None:
    content = make()
    try:
        found = look(content)
    except RefusedMedia as refusal:
        pytest.fail(refusal.message)
    assert not found.text
    assert found.kind == "file"


def test_a_pdf_that_unpacks_without_end_is_kept_without_words(look: Look) -> None:
    bomb = zlib.compress(b"BT (x) Tj ET " * 20_000_000, 1)
    parts = (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R>>endobj\n4 0 obj<</Filter/FlateDecode",
        f"/Length {len(bomb)}>>stream\n".encode(),
        bomb,
        b"\nendstream endobj\ntrailer<</Root 1 0 R>>\n",
    )
    content = b"".join(parts)
    assert look(content).kind == "file"
