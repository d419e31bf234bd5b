"""The words of a document, for search and diffs."""

from cms.rich_text import from_html, to_text


def test_each_block_is_a_line() -> None:
    html = "<h2>T</h2><p>a <b>b</b><br>c</p><ul><li>d<ul><li>e</ul></ul><hr><pre>f\n  g</pre><blockquote>h</blockquote>"
    assert to_text(from_html(html).document) == "T\na b\nc\nd\ne\nf\n  g\nh"


def test_the_cells_of_a_row_share_a_line() -> None:
    assert to_text(from_html("<table><tr><td>a<br>b<td>c<tr><td><td>d</table>").document) == "a b\tc\n\td"


def test_images_and_files_are_found_by_their_words() -> None:
    entry = "01890a5d-ac96-774b-bcce-b302099a8057"
    html = f'<img data-entry="{entry}" alt="Cat" title="Sun"><a data-file="{entry}">Form</a>'
    assert to_text(from_html(html).document) == "Cat\nSun\nForm"


def test_an_empty_document_has_no_words() -> None:
    assert to_text(from_html("").document) == ""
