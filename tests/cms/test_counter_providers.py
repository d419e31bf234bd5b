"""What every provider of counters keeps to, whatever it is given: nothing breaks out of its code."""

import html
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from cms.counters.code import hash_of, literal, source_of, union
from cms.counters.consent import DEFAULT_CODE, SIGNALS
from cms.counters.custom_code import BadCode, read, warnings
from cms.counters.making import Made, make
from cms.counters.providers import CUSTOM, PROVIDERS

NEEDED = {"matomo": {"url": "https://stats.example.org/m"}}
VENDORS = [name for name in PROVIDERS if name != CUSTOM]
HOSTILE = [
    "",
    "</script><script>alert(1)</script>",
    "<!--",
    "');alert(1);//",
    '"><img src=x onerror=alert(1)>',
    "1 2",
    "1\n2",
    "1;img-src *",
    "https://evil.example/'+x",
    "javascript:alert(1)",
    "\u2028alert(1)",
    "1\0",
    "١٢٣",
    "a" * 5_000,
]


def made(name: str, id: str | None = None, **options: Any) -> Made | None:
    id = PROVIDERS[name].example if id is None else id
    return make({"provider": name, "counter_id": id, "options": {**NEEDED.get(name, {}), **options}})


def fine(name: str, id: str | None = None, **options: Any) -> Made:
    found = made(name, id, **options)
    assert found is not None
    return found


def custom(code: str, **options: Any) -> Made:
    found = make({"provider": CUSTOM, "code": code, "options": options})
    assert found is not None
    return found


def elements(code: str) -> list[str]:
    body = LexborHTMLParser(f"<!doctype html><body>{code}").body
    assert body is not None
    return [str(node.tag) for node in body.traverse() if node.tag != "body"]


def matches_a_source(url: str, allowed: list[str]) -> bool:
    """Whether a policy lets a script come from there."""
    host = (source_of(url) or "").removeprefix("https://")
    wild = [one.removeprefix("https://*") for one in allowed if one.startswith("https://*")]
    return f"https://{host}" in allowed or any(host.endswith(one) for one in wild)


@pytest.mark.parametrize("name", VENDORS)
def test_the_code_is_scripts_and_nothing_else(name: str) -> None:
    one = fine(name)
    assert one.scripts
    assert elements(one.html) == ["script"] * len(one.scripts)
    assert one.noscript is None or set(elements(one.noscript)) <= {"img", "iframe"}


@pytest.mark.parametrize("name", VENDORS)
def test_the_policy_lets_the_code_run(name: str) -> None:
    one = fine(name)
    for script in one.scripts:
        if script.src is not None:
            assert matches_a_source(script.src, one.csp["script-src"])
        else:
            assert hash_of(script.inline or "") in one.csp["script-src"]
    for node in LexborHTMLParser(one.noscript or "").css("img, iframe"):
        directive = "img-src" if node.tag == "img" else "frame-src"
        assert matches_a_source(node.attributes["src"] or "", one.csp[directive])


@pytest.mark.parametrize("name", VENDORS)
def test_hosts_that_the_code_loads_scripts_from_are_in_the_policy(name: str) -> None:
    one = fine(name)
    for script in one.scripts:
        for piece in (script.inline or "").replace("'", '"').split('"'):
            if piece.startswith("https://") and ".js" in piece:
                assert matches_a_source(piece, one.csp["script-src"]), piece


@pytest.mark.parametrize("name", VENDORS)
def test_the_code_in_the_page_is_what_was_hashed(name: str) -> None:
    one = fine(name)
    inline = [node.text() for node in LexborHTMLParser(one.html).css("script") if node.text()]
    assert inline == [script.inline for script in one.scripts if script.inline]


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("id", HOSTILE)
def test_a_hostile_id_makes_no_code(name: str, id: str) -> None:
    assert make({"provider": name, "counter_id": id, "options": NEEDED.get(name, {})}) is None


@pytest.mark.parametrize("name", VENDORS)
@given(id=st.text(max_size=40))
def test_whatever_is_taken_for_an_id_is_plain(name: str, id: str) -> None:
    pattern = PROVIDERS[name].id
    assert pattern is not None
    if pattern.fullmatch(id):
        assert id.isascii()
        assert html.escape(id) == id
        assert not set(id) & set("\\`$(){}; \n")


def _texts_in(name: str) -> list[str]:
    schema = PROVIDERS[name].options.model_json_schema()["properties"]
    kinds = {key: [one, *one.get("anyOf", [])] for key, one in schema.items()}
    return [key for key, found in kinds.items() if any(one.get("type") == "string" for one in found)]


@pytest.mark.parametrize(("name", "option"), [(name, option) for name in VENDORS for option in _texts_in(name)])
@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_option_makes_no_code(name: str, option: str, value: str) -> None:
    assert made(name, **{option: value}) is None


@pytest.mark.parametrize("name", VENDORS)
def test_options_that_nobody_named_make_no_code(name: str) -> None:
    assert made(name, anything="else") is None
    for option in PROVIDERS[name].options.model_fields:
        given = {**NEEDED.get(name, {}), option: {"a": ["b"]}}
        assert make({"provider": name, "counter_id": PROVIDERS[name].example, "options": given}) is None


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_says_where_its_code_goes_and_under_which_consent(name: str) -> None:
    one = PROVIDERS[name]
    assert one.position in ("head", "body_start", "body_end")
    assert one.category in SIGNALS
    json.dumps(one.options.model_json_schema())


@given(st.recursive(st.text() | st.booleans() | st.integers(), lambda inner: st.lists(inner, max_size=3), max_leaves=5))
def test_a_literal_ends_no_script_and_means_the_value(value: Any) -> None:
    written = literal(value)
    assert not set("<>&\u2028\u2029\n") & set(written)
    assert json.loads(written) == value


def test_what_the_counter_says_goes_before_what_the_provider_says() -> None:
    one = make({"provider": "plausible", "counter_id": "example.org", "position": "body_end", "category": "necessary"})
    assert one is not None
    assert (one.position, one.category, one.consent) == ("body_end", "necessary", ("security_storage",))


def test_options_are_in_the_code() -> None:
    assert '"webvisor":true' in fine("yandex_metrica", webvisor=True).html
    assert "disableCookies" in fine("matomo", disable_cookies=True).html
    assert "gtm_preview=env-3" in fine("google_tag_manager", auth="a" * 22, preview="env-3").html.replace(
        "\\u0026", "&"
    )
    assert "VK.Retargeting" in fine("vk_pixel", "VK-RTRG-123-AbC9").html
    assert fine("plausible", "pa-XYZ_123").scripts[0].src == "https://plausible.io/js/pa-XYZ_123.js"
    assert "debug_mode" not in fine("google_analytics").html


def test_a_picture_for_those_without_scripts_stays_out_of_the_head() -> None:
    assert "<noscript>" not in fine("yandex_metrica").html
    body = make({"provider": "yandex_metrica", "counter_id": "1", "position": "body_end"})
    assert body is not None
    assert "<noscript><img" in body.html


def test_the_signals_are_denied_before_anything_asks() -> None:
    assert '"analytics_storage":"denied"' in DEFAULT_CODE
    assert '"security_storage":"granted"' in DEFAULT_CODE


# --- custom code ---


def test_custom_code_stands_as_it_is_and_is_read() -> None:
    code = (
        '<!-- ours --><script async src="https://a.example/x.js"></script>\r\n'
        '<script>fetch("https://b.example/y")</script><style>i{}</style>'
        '<link rel="stylesheet" href="https://c.example/z.css">'
        '<iframe src="https://d.example/"></iframe><noscript><div><img src="https://e.example/1.gif"></div></noscript>'
    )
    one = custom(code)
    assert one.html == code.replace("\r\n", "\n")
    assert [script.src for script in one.scripts] == ["https://a.example/x.js", None]
    assert one.csp == {
        "script-src": [hash_of('fetch("https://b.example/y")'), "https://a.example", "https://b.example"],
        "connect-src": ["https://b.example"],
        "img-src": ["https://b.example", "https://e.example"],
        "style-src": [hash_of("i{}"), "https://c.example"],
        "frame-src": ["https://d.example"],
    }
    assert one.noscript == '<div><img src="https://e.example/1.gif"></div>'


def test_end_tags_in_texts_of_scripts_and_in_comments_end_nothing() -> None:
    code = (
        "<!-- </div> <noscript>x</noscript> --><script>document.title='</p></noscript>'</script><style>/*</b>*/</style>"
    )
    assert custom(code).html == code


def test_custom_code_for_those_without_scripts_stays_out_of_the_head() -> None:
    code = (
        '<script async src="https://a.example/x.js"></script><noscript><img src="https://a.example/x.gif"></noscript>'
    )
    one = make({"provider": CUSTOM, "code": code, "position": "head"})
    assert one is not None
    assert [script.src for script in one.scripts] == ["https://a.example/x.js"]
    assert one.noscript == '<img src="https://a.example/x.gif">'
    assert elements(one.html) == ["script"]
    assert custom(code).html == code


def test_a_hash_is_of_lines_as_browsers_read_them() -> None:
    assert hash_of("a\nb") in custom("<script>a\r\nb</script>").csp["script-src"]
    assert hash_of("a\nb") in custom("<script>a\rb</script>").csp["script-src"]


def test_a_comment_names_no_host() -> None:
    one = custom("<script>//jquery.min is 1.0\nload('//a.example/x')</script>")
    assert one.csp["connect-src"] == ["https://a.example"]


def test_what_cannot_be_read_from_code_is_said_by_hand() -> None:
    one = custom("<script>go()</script>", csp={"connect-src": ["https://*.example.org", "wss://x.example"]})
    assert one.csp["connect-src"] == ["https://*.example.org", "wss://x.example"]
    for source in ("*", "'unsafe-inline'", "https://a.example; img-src *", "http://a.example", "javascript:"):
        assert (
            make({"provider": CUSTOM, "code": "<script>1</script>", "options": {"csp": {"img-src": [source]}}}) is None
        )
    assert make({"provider": CUSTOM, "code": "<script>1</script>", "options": {"csp": {"default-src": []}}}) is None


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("<script>let a", "unclosed"),
        ("<!-- left open", "unclosed"),
        ("<script><!-- <script> </script>", "unclosed"),
        ("<img src='x", "unclosed"),
        ("<noscript><img src=x>", "unclosed"),
        ("<style>i{", "unclosed"),
        ("<script", "unclosed"),
        ("<p>Hello</p>", "forbidden_element"),
        ("</p>", "forbidden_element"),
        ("<div><script>1</script></div>", "forbidden_element"),
        ("<base href=https://evil.example>", "forbidden_element"),
        ("<form><input></form>", "forbidden_element"),
        ("<svg><script>1</script></svg>", "forbidden_element"),
        ("<template><script>1</script></template>", "forbidden_element"),
        ("<plaintext>", "unclosed"),
        ("<end-of-the-code></end-of-the-code>", "unclosed"),
        ("<body onload=alert(1)>", "forbidden_element"),
        ("<html lang=ru>", "forbidden_element"),
        ("<meta http-equiv=refresh content='0;url=https://evil.example'>", "forbidden_element"),
        ("Hello", "forbidden_text"),
        ("<script>1</script></div>", "stray_end"),
        ("</body></html><script>1</script>", "stray_end"),
        # What browsers with scripts read otherwise than those without.
        ('<noscript><img alt="</noscript><!--"></noscript>', "stray_end"),
        ("<noscript><img <</noscript><!--></noscript>", "stray_end"),
        ("<noscript><!-- </noscript><svg onload=alert(1)> --></noscript>", "stray_end"),
        ("<noscript><style></NoScript ><!--</style></noscript>", "stray_end"),
        ("<noscript><div></div </noscript></noscript>", "stray_end"),
        ("<noscript><noscript></noscript><p>x</p></noscript>", "forbidden_element"),
        ("<iframe srcdoc='<script>1</script>'></iframe>", "forbidden_element"),
        ("<script src=''></script>", "malformed_address"),
        ("<script src='javascript:1'></script>", "malformed_address"),
        # A policy that lets scripts come from `data:` lets any script in.
        ("<script src='data:text/javascript,1'></script>", "malformed_address"),
        ("<script src='https://a b/'></script>", "malformed_address"),
        ("<script>" + "я" * 20_000 + "</script>", "too_long"),
    ],
)
def test_code_that_would_harm_the_page_is_refused(code: str, why: str) -> None:
    with pytest.raises(BadCode) as bad:
        read(code)
    assert bad.value.code == why
    assert make({"provider": CUSTOM, "code": code}) is None


@given(st.text(alphabet="<>/!-='\" abcdefgimnoprst", max_size=80))
def test_any_text_is_code_or_refused(code: str) -> None:
    with suppress(BadCode):
        read(code)


def test_deep_code_is_read_in_no_time() -> None:
    read("<noscript>" + "<div>" * 1_700 + "</div>" * 1_700 + "</noscript>")


def test_code_is_warned_of() -> None:
    code = "<script>document.write('x')</script><img src='https://a.example' onload='x()' style='left:0'>"
    assert [word for word, _ in warnings(code)] == ["document_write", "event_handler", "inline_style"]
    assert not list(warnings("<script>1</script>"))


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://A.example:8080/x?y", "https://a.example:8080"),
        ("//a.example/x", "https://a.example"),
        ("/own.js", "'self'"),
        ("data:image/gif;base64,x", "data:"),
        ("https://пример.рф/x", "https://xn--e1afmkfd.xn--p1ai"),
        ("javascript:alert(1)", None),
        ("https://a.example:x/", None),
        ("https://a;img-src/", None),
        ("https://[::1", None),
        ("https://a.example\\@b.example/x.js", "https://a.example"),
    ],
)
def test_an_address_has_a_source(url: str, source: str | None) -> None:
    assert source_of(url) == source


def test_policies_are_joined() -> None:
    joined = union([{"img-src": ["b", "a"]}, {"img-src": ["a"], "frame-src": []}])
    assert joined == {"img-src": ["a", "b"]}
