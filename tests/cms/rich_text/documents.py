"""Documents for the tests of rich text: a few by hand, any number generated."""

from typing import Any

from hypothesis import strategies as st

from cms.rich_text import Document, from_document

ENTRY = "01890a5d-ac96-774b-bcce-b302099a8057"
OTHER = "01890a5d-ac96-774b-bcce-b302099a8058"


def doc(*content: dict[str, Any]) -> Document:
    return {"type": "doc", "content": list(content)}


def text(words: str, *marks: str | dict[str, Any]) -> dict[str, Any]:
    named = [{"type": mark} if isinstance(mark, str) else mark for mark in marks]
    return {"type": "text", "marks": named, "text": words} if named else {"type": "text", "text": words}


def link(href: str) -> dict[str, Any]:
    return {"type": "link", "attrs": {"href": href}}


def entry_link(entry: str, fragment: str | None = None) -> dict[str, Any]:
    return {"type": "link", "attrs": {"entry": entry, "fragment": fragment} if fragment else {"entry": entry}}


def p(*content: dict[str, Any] | str) -> dict[str, Any]:
    return {"type": "paragraph", "content": [text(part) if isinstance(part, str) else part for part in content]}


def node(kind: str, *content: dict[str, Any], **attrs: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": kind}
    if attrs:
        made["attrs"] = attrs
    if content:
        made["content"] = list(content)
    return made


def cell(*content: dict[str, Any], kind: str = "tableCell", colspan: int = 1, rowspan: int = 1) -> dict[str, Any]:
    return node(kind, *content, colspan=colspan, rowspan=rowspan)


_WORDS = st.one_of(
    st.text(alphabet="ab яё", min_size=1, max_size=6),
    st.text(alphabet=" a1.)(-+*_~`#>|<&;:\"'!?[]{}\\/=\n\t\u00a0\u2003\u2028№é", min_size=1, max_size=10),
    st.sampled_from(["&amp;", "<b>", "</b>", "![a](b)", "---", "1. a", "- a", "# a", "| a |", "&#1;", "!"]),
    st.text(max_size=8),
)
_MARKS = st.one_of(
    st.sampled_from(["bold", "italic", "strike", "code", "underline", "subscript", "superscript"]).map(
        lambda name: {"type": name}
    ),
    st.sampled_from(["/a", "#b", "https://a.b/?q=1&copy=2", "/a_(b)*c*", "mailto:a@b", "a b", "/я|b", "\\a"]).map(link),
    st.sampled_from([entry_link(ENTRY), entry_link(ENTRY, "part"), entry_link(OTHER, "a(b")]),
)
_TEXTS = st.builds(lambda words, marks: text(words, *marks), _WORDS, st.lists(_MARKS, max_size=3))
_INLINE = st.lists(st.one_of(_TEXTS, _TEXTS, st.just({"type": "hardBreak"})), max_size=5)
_SHORT = st.one_of(st.just(""), _WORDS)
_IMAGES = st.builds(lambda alt, caption: node("image", entry=ENTRY, alt=alt, caption=caption), _SHORT, _SHORT)
_CODE = st.builds(
    lambda words, language: node("codeBlock", text(words), language=language),
    st.one_of(st.text(alphabet="a `~\n\t<&", min_size=1, max_size=12), _WORDS),
    st.sampled_from([None, "python", "c++", "a b"]),
)
_LEAVES = st.one_of(
    st.builds(lambda content: node("paragraph", *content), _INLINE),
    st.builds(lambda content: node("paragraph", *content), _INLINE),
    st.builds(lambda content, level: node("heading", *content, level=level), _INLINE, st.integers(1, 6)),
    _CODE,
    _IMAGES,
    st.builds(lambda title: node("file", entry=OTHER, title=title), _SHORT),
    st.just(node("horizontalRule")),
    st.just(node("embed", url="https://www.youtube.com/embed/dQw4w9WgXcQ?start=3&rel=0")),
)


def _tables(blocks: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    spans = st.sampled_from([1, 1, 1, 2])
    kinds = st.sampled_from(["tableCell", "tableHeader"])
    cells = st.builds(
        lambda content, kind, colspan, rowspan: cell(*content, kind=kind, colspan=colspan, rowspan=rowspan),
        st.lists(blocks, max_size=2),
        kinds,
        spans,
        spans,
    )
    ragged = st.lists(st.lists(cells, max_size=3), max_size=3)
    return st.one_of(ragged, _plain_rows()).map(
        lambda rows: node("table", *(node("tableRow", *row) for row in rows)),
    )


def _plain_rows() -> st.SearchStrategy[list[list[dict[str, Any]]]]:
    rows = st.lists(st.tuples(_INLINE, _INLINE), min_size=1, max_size=3)
    return rows.map(
        lambda plain: [
            [cell(node("paragraph", *line), kind="tableCell" if place else "tableHeader") for line in row]
            for place, row in enumerate(plain)
        ]
    )


def _containers(blocks: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(blocks, max_size=3)
    items = several.map(lambda content: node("listItem", *content))
    return st.one_of(
        several.map(lambda content: node("blockquote", *content)),
        st.lists(items, max_size=3).map(lambda content: node("bulletList", *content)),
        st.builds(
            lambda content, start: node("orderedList", *content, start=start), st.lists(items), st.integers(0, 12)
        ),
        _tables(blocks),
    )


_BLOCKS = st.recursive(_LEAVES, _containers, max_leaves=8)

# Any tree of known nodes, not always where the schema wants them.
loose_documents = st.lists(_BLOCKS, max_size=4).map(lambda content: doc(*content))
documents = loose_documents.map(lambda document: from_document(document).document)

_KEYS = st.sampled_from(["type", "content", "attrs", "marks", "text", "entry", "href", "level", "start", "x"])
_NAMES = st.sampled_from(
    ["doc", "paragraph", "text", "table", "bullet_list", "image", "link", "hardBreak", "codeBlock"]
)
any_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), _NAMES, st.text(max_size=5)),
    lambda values: st.one_of(st.lists(values, max_size=4), st.dictionaries(_KEYS, values, max_size=5)),
    max_leaves=20,
)
