"""What differs between two revisions, as data."""

import json
import random
from itertools import pairwise
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cms.diffing import FieldDiff, Run, compare

Json = dict[str, Any]

LINK_KINDS = {"links": "groups", "links/label": "text", "links/url": "url"}


def text(value: str, *marks: str) -> Json:
    node: Json = {"type": "text", "text": value}
    return {**node, "marks": [{"type": mark} for mark in marks]} if marks else node


def paragraph(*content: Json | str) -> Json:
    return {"type": "paragraph", "content": [text(item) if isinstance(item, str) else item for item in content]}


def heading(value: str, level: int = 2) -> Json:
    return {"type": "heading", "attrs": {"level": level}, "content": [text(value)]}


def node(kind: str, *content: Json, **attrs: Any) -> Json:
    return {"type": kind, "attrs": attrs, "content": list(content)}


def doc(*content: Json) -> Json:
    return {"type": "doc", "content": list(content)}


def one(old: Any, new: Any, kind: str = "text", **kinds: str) -> FieldDiff:
    [diff] = compare({"it": old}, {"it": new}, kinds={"it": kind, **kinds})
    return diff


def body(old: Json, new: Json) -> list[Any]:
    return list(one(old, new, "rich_text")["blocks"])


def ops(members: list[Any]) -> list[str]:
    return [member["op"] for member in members]


def spelled(runs: list[Run], side: str) -> str:
    return "".join(run["text"] for run in runs if run["op"] in ("kept", side))


def plain(document: Json) -> str:
    return "\n".join(
        "".join(part.get("text", "") for part in block.get("content", ())) for block in document["content"]
    )


def is_readable(runs: list[Run]) -> bool:
    return all(run["text"] for run in runs) and all(one["op"] != two["op"] for one, two in pairwise(runs))


# Fields


def test_only_fields_that_differ_are_listed() -> None:
    old, new = {"title": "One", "summary": "Same"}, {"title": "Two", "summary": "Same"}
    [diff] = compare(old, new, kinds={"title": "text", "summary": "long_text"})
    assert diff == {
        "pointer": "/fields/title",
        "kind": "text",
        "runs": [{"op": "removed", "text": "One"}, {"op": "added", "text": "Two"}],
    }


def test_fields_come_in_the_order_of_their_kinds_and_the_unnamed_last() -> None:
    new = {"gone": "x", "b": "x", "a": "x"}
    assert [diff["pointer"] for diff in compare({}, new, kinds={"b": "text", "a": "text"})] == [
        "/fields/b",
        "/fields/a",
        "/fields/gone",
    ]


def test_top_level_keys_take_an_empty_prefix() -> None:
    [diff] = compare({"slug": "old"}, {"slug": "new"}, kinds={"slug": "text"}, prefix="")
    assert diff["pointer"] == "/slug"


def test_pointers_are_escaped_as_json_pointer_demands() -> None:
    assert compare({}, {"a/b~c": "x"}, kinds={})[0]["pointer"] == "/fields/a~1b~0c"


def test_absent_null_and_empty_are_the_same() -> None:
    kinds = {"a": "text", "b": "topics", "c": "rich_text", "d": "group", "d/x": "text", "e": "groups"}
    assert compare({"a": None, "c": doc()}, {"a": "", "b": [], "d": {}, "e": []}, kinds=kinds) == []


def test_a_value_shows_from_and_to() -> None:
    diff = one(3, 12, "number")
    assert (diff["from"], diff["to"]) == (3, 12)
    assert diff["runs"] == [{"op": "removed", "text": "3"}, {"op": "added", "text": "12"}]


def test_a_flag_that_was_unset_is_not_the_same_as_false() -> None:
    diff = one(None, False, "boolean")
    assert (diff["from"], diff["to"], diff["runs"]) == (None, False, [{"op": "added", "text": "false"}])


def test_false_is_not_zero() -> None:
    assert one(0, False, "boolean")["to"] is False


def test_an_address_is_replaced_whole() -> None:
    assert ops(list(one("https://a.example/x", "https://a.example/y", "url")["runs"])) == ["removed", "added"]


def test_a_group_is_listed_as_its_changed_fields() -> None:
    kinds = {"seo": "group", "seo/title": "text", "seo/hidden": "boolean"}
    [diff] = compare({"seo": {"title": "A", "hidden": True}}, {"seo": {"title": "B", "hidden": True}}, kinds=kinds)
    assert (diff["pointer"], diff["kind"]) == ("/fields/seo/title", "text")


def test_a_group_of_unknown_fields_is_one_value() -> None:
    assert one({"a": 1}, {"a": 2}, "upload")["from"] == {"a": 1}


# Words


def test_text_is_compared_by_word() -> None:
    assert one("The quick brown fox", "The slow brown cat")["runs"] == [
        {"op": "kept", "text": "The "},
        {"op": "removed", "text": "quick"},
        {"op": "added", "text": "slow"},
        {"op": "kept", "text": " brown "},
        {"op": "removed", "text": "fox"},
        {"op": "added", "text": "cat"},
    ]


def test_a_rewritten_sentence_is_not_confetti() -> None:
    assert ops(list(one("Офис закрыт до вторника", "Завтра работаем как обычно")["runs"])) == ["removed", "added"]


WORDS = st.lists(st.sampled_from(["a", "b", "слово", " ", "  ", "\n", ".", "é", "\u0301", "👍🏽", "x1"])).map("".join)


@given(WORDS | st.text(), WORDS | st.text())
@example("", "a")
@example("a", "")
@example("a b", "b a")
def test_runs_spell_both_texts(old: str, new: str) -> None:
    for diff in compare({"it": old}, {"it": new}, kinds={"it": "long_text"}):
        assert (spelled(diff["runs"], "removed"), spelled(diff["runs"], "added")) == (old, new)
        assert is_readable(diff["runs"])


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=True), st.sampled_from([3, 50, 5000]), st.integers(100, 12_000))
def test_runs_spell_both_texts_that_are_too_long_to_compare_exactly(
    source: random.Random, words: int, size: int
) -> None:
    old = [f"w{source.randrange(words)} " for _ in range(size)]
    new = [word if source.random() < 0.95 else "new, " for word in old]
    [diff] = compare({"it": "".join(old)}, {"it": "".join([*new, "end"])}, kinds={"it": "text"})
    assert spelled(diff["runs"], "removed") == "".join(old)
    assert spelled(diff["runs"], "added") == "".join([*new, "end"])


def test_a_very_long_text_is_compared_by_sentence_and_then_by_word() -> None:
    old = [f"Sentence {number} says what it has to say, and no more. " for number in range(12_000)]
    new = [text.replace("more", "less") if number % 100 == 0 else text for number, text in enumerate(old)]
    diff = one("".join(old), "".join(new))
    assert (spelled(diff["runs"], "removed"), spelled(diff["runs"], "added")) == ("".join(old), "".join(new))
    assert {"op": "added", "text": "less"} in diff["runs"]


def test_scattered_edits_of_a_long_text_keep_the_rest() -> None:
    old = [f"word{number} " for number in range(20_000)]
    new = [word if number % 100 else "edit " for number, word in enumerate(old)]
    diff = one("".join(old), "".join(new))
    assert sum(len(run["text"]) for run in diff["runs"] if run["op"] == "kept") > 0.97 * len("".join(new))


# Lists


def test_topics_are_compared_by_item() -> None:
    diff = one(["news", "office"], ["news", "hr", "office"], "topics")
    assert diff["items"] == [
        {"op": "kept", "value": "news"},
        {"op": "added", "value": "hr"},
        {"op": "kept", "value": "office"},
    ]
    assert spelled(diff["runs"], "added") == "news, hr, office"


def test_a_reordered_list_is_a_change() -> None:
    assert sorted(ops(list(one(["a", "b"], ["b", "a"], "references")["items"]))) == ["added", "kept", "removed"]


@given(st.lists(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd")))
def test_items_spell_both_lists(old: list[str], new: list[str]) -> None:
    for diff in compare({"it": old}, {"it": new}, kinds={"it": "topics"}):
        assert [item["value"] for item in diff["items"] if item["op"] != "added"] == old
        assert [item["value"] for item in diff["items"] if item["op"] != "removed"] == new
        assert spelled(diff["runs"], "removed") == ", ".join(old)


def test_a_group_that_changed_a_little_is_kept_with_its_fields() -> None:
    old = [{"label": "Home", "url": "/"}, {"label": "News", "url": "/news"}]
    new = [{"label": "Home", "url": "/"}, {"label": "News", "url": "/press"}]
    [diff] = compare({"links": old}, {"links": new}, kinds=LINK_KINDS)
    assert ops(list(diff["items"])) == ["kept", "kept"]
    [inner] = diff["items"][1]["fields"]
    assert (inner["pointer"], inner["from"], inner["to"]) == ("/fields/links/1/url", "/news", "/press")


def test_pointers_into_a_list_count_in_the_new_one() -> None:
    old = [{"label": "Vacancies", "url": "/jobs"}]
    new = [{"label": "Home", "url": "/"}, {"label": "Vacancies", "url": "/careers"}]
    [diff] = compare({"links": old}, {"links": new}, kinds=LINK_KINDS)
    assert ops(list(diff["items"])) == ["added", "kept"]
    assert diff["items"][1]["fields"][0]["pointer"] == "/fields/links/1/url"


def test_another_group_is_removed_and_added() -> None:
    [diff] = compare(
        {"links": [{"label": "Home", "url": "/"}]}, {"links": [{"label": "Jobs", "url": "/j"}]}, kinds=LINK_KINDS
    )
    assert ops(list(diff["items"])) == ["removed", "added"]


GROUPS = st.lists(
    st.fixed_dictionaries({"label": st.sampled_from(["Home", "Home page", "Jobs"]), "url": st.text("ab")})
)


@given(GROUPS, GROUPS)
def test_groups_spell_both_lists(old: list[Json], new: list[Json]) -> None:
    for diff in compare({"links": old}, {"links": new}, kinds=LINK_KINDS):
        assert [item["value"] for item in diff["items"] if item["op"] != "removed"] == new
        assert sum(item["op"] != "added" for item in diff["items"]) == len(old)


# Rich text


def test_an_edited_paragraph_is_kept_with_runs() -> None:
    old = doc(heading("Hours"), paragraph("The office is open on Monday."))
    new = doc(heading("Hours"), paragraph("The office is closed on Monday."))
    kept, edited = body(old, new)
    assert (kept["op"], kept["type"], kept["runs"]) == ("kept", "heading", [{"op": "kept", "text": "Hours"}])
    assert (edited["op"], edited["changed"]) == ("kept", [])
    assert {"op": "removed", "text": "open"} in edited["runs"]


def test_a_new_paragraph_is_added_whole() -> None:
    old, new = doc(paragraph("One"), paragraph("Three")), doc(paragraph("One"), paragraph("Two"), paragraph("Three"))
    assert ops(body(old, new)) == ["kept", "added", "kept"]


def test_another_paragraph_is_removed_and_added() -> None:
    assert ops(body(doc(paragraph("Summer party")), doc(paragraph("Новый график")))) == ["removed", "added"]


def test_a_mended_word_keeps_its_paragraph() -> None:
    assert ops(body(doc(paragraph("Anouncement")), doc(paragraph("Announcement")))) == ["kept"]


def test_marks_alone_are_named() -> None:
    [block] = body(doc(paragraph("plain words")), doc(paragraph("plain ", text("words", "bold"))))
    assert (block["op"], block["changed"], block["runs"]) == (
        "kept",
        ["marks"],
        [{"op": "kept", "text": "plain words"}],
    )


def test_how_marked_text_is_cut_into_nodes_is_no_change() -> None:
    old, new = doc(paragraph(text("ab", "bold"))), doc(paragraph(text("a", "bold"), text("b", "bold")))
    assert compare({"it": old}, {"it": new}, kinds={"it": "rich_text"}) == []


def test_a_heading_of_another_level_says_so() -> None:
    [block] = body(doc(heading("Hours", 2)), doc(heading("Hours", 3)))
    assert (block["changed"], block["attrs_before"], block["attrs"]) == (["level"], {"level": 2}, {"level": 3})


def test_a_paragraph_made_a_heading_is_kept() -> None:
    [block] = body(doc(paragraph("Hours")), doc(heading("Hours")))
    assert (block["op"], block["type"], block["changed"]) == ("kept", "heading", ["type", "level"])


def test_list_items_are_blocks() -> None:
    def bullets(*texts: str) -> Json:
        return doc(node("bulletList", *(node("listItem", paragraph(item)) for item in texts)))

    blocks = body(bullets("Milk", "Bread"), bullets("Milk", "Eggs", "Bread"))
    assert [(block["op"], block["type"]) for block in blocks] == [(op, "listItem") for op in ("kept", "added", "kept")]
    assert blocks[0]["path"] == "bulletList/listItem/paragraph"


def test_a_list_that_became_numbered_says_so() -> None:
    old, new = (doc(node(kind, node("listItem", paragraph("Milk")))) for kind in ("bulletList", "orderedList"))
    assert body(old, new)[0]["changed"] == ["path"]


def test_two_items_made_one_are_a_change_although_no_word_differs() -> None:
    old = doc(node("bulletList", node("listItem", paragraph("a")), node("listItem", paragraph("b"))))
    new = doc(node("bulletList", node("listItem", paragraph("a"), paragraph("b"))))
    assert ops(body(old, new)) == ["kept", "kept"]


def test_table_cells_are_blocks() -> None:
    def table(cell: str) -> Json:
        cells = [node("tableCell", paragraph(item)) for item in ("Monday", cell)]
        return doc(node("table", node("tableRow", *cells)))

    blocks = body(table("from nine to six"), table("from nine to five"))
    assert [(block["op"], block["type"]) for block in blocks] == [("kept", "tableCell")] * 2


def test_an_image_with_another_caption_is_the_same_image() -> None:
    old, new = (doc({"type": "image", "attrs": {"entry": "7", "alt": alt}}) for alt in ("Desk", "Office"))
    [block] = body(old, new)
    assert (block["op"], block["changed"]) == ("kept", ["alt"])


def test_another_image_is_removed_and_added() -> None:
    old, new = (doc({"type": "image", "attrs": {"entry": entry, "alt": ""}}) for entry in ("7", "8"))
    assert ops(body(old, new)) == ["removed", "added"]


def test_a_line_break_is_a_line_break() -> None:
    diff = one(doc(paragraph("a")), doc(paragraph("a", {"type": "hardBreak"}, "b")), "rich_text")
    assert spelled(diff["runs"], "added") == "a\nb"


def test_the_joined_runs_spell_both_bodies() -> None:
    diff = one(doc(paragraph("a")), doc(paragraph("new"), paragraph("a")), "rich_text")
    assert diff["runs"] == [{"op": "added", "text": "new\n"}, {"op": "kept", "text": "a"}]


BLOCKS = st.sampled_from(["", "a b c", "a b d", "one two three four", "one two six four", "x", "раз два", "раз"])
DOCUMENTS = st.lists(st.tuples(BLOCKS, st.booleans())).map(
    lambda blocks: doc(*((paragraph if plain_text else heading)(value) for value, plain_text in blocks))
)


@given(DOCUMENTS, DOCUMENTS)
def test_runs_and_blocks_spell_both_bodies(old: Json, new: Json) -> None:
    for diff in compare({"it": old}, {"it": new}, kinds={"it": "rich_text"}):
        assert spelled(diff["runs"], "removed") == plain(old)
        assert spelled(diff["runs"], "added") == plain(new)
        assert is_readable(diff["runs"])
        for side, document in (("removed", old), ("added", new)):
            blocks = [block for block in diff["blocks"] if block["op"] in ("kept", side)]
            assert [spelled(block["runs"], side) for block in blocks] == plain(document).split("\n")[: len(blocks)]
            assert len(blocks) == len(document["content"])


# Whatever is stored


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "content", "attrs", "marks", "text", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)
KINDS = st.sampled_from(
    ["text", "long_text", "rich_text", "number", "choice", "topics", "references", "group", "groups", "upload", "?"]
)


@given(VALUES, VALUES, KINDS)
def test_values_of_another_kind_than_said_are_compared_all_the_same(old: Any, new: Any, kind: str) -> None:
    kinds = {"it": kind, "it/x": "text"} if kind.startswith("group") else {"it": kind}
    json.dumps(compare({"it": old}, {"it": new}, kinds=kinds))
    assert compare({"it": old}, {"it": old}, kinds=kinds) == []


@given(VALUES, VALUES)
def test_documents_of_any_shape_are_compared(old: Any, new: Any) -> None:
    json.dumps(compare({"it": doc(old, {"type": "x", "content": old})}, {"it": doc(new)}, kinds={"it": "rich_text"}))


def test_a_very_deep_document_is_compared() -> None:
    deep = paragraph("a")
    for _ in range(400):
        deep = node("blockquote", deep)
    assert ops(body(doc(deep), doc(paragraph("a")))) == ["kept"]
