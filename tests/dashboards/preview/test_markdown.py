from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_obs.dashboards.preview.markdown import safe_link, tree

ALLOWED = {
    "p",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "strong",
    "em",
    "code",
    "pre",
    "table",
    "tr",
    "th",
    "td",
    "hr",
    "a",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Title", [["h4", ["Title"]]]),
        ("a **b** *c* `d`", [["p", ["a ", ["strong", ["b"]], " ", ["em", ["c"]], " ", ["code", ["d"]]]]]),
        ("- a\n- b", [["ul", [["li", ["a"]], ["li", ["b"]]]]]),
        ("1. a\n2. b", [["ol", [["li", ["a"]], ["li", ["b"]]]]]),
        ("[x](https://e.org/a)", [["p", [["a", ["x"], "https://e.org/a"]]]]),
        ("[x](javascript:alert(1))", [["p", ["x", ")"]]]),
        ("![x](https://e.org/a.png)", [["p", ["x"]]]),
        ("```\n<b>\n```", [["pre", ["<b>"]]]),
        (
            "|a|b|\n|-|-|\n|1|2|",
            [["table", [["tr", [["th", ["a"]], ["th", ["b"]]]], ["tr", [["td", ["1"]], ["td", ["2"]]]]]]],
        ),
        ("<script>alert(1)</script>x", [["p", ["alert(1)x"]]]),
        ("two\nlines", [["p", ["two lines"]]]),
        ("snake_case_name", [["p", ["snake_case_name"]]]),
    ],
)
def test_markdown_becomes_a_tree(text: str, expected: Any) -> None:
    assert tree(text) == expected


def test_of_html_the_text_is_kept_and_code_is_itself() -> None:
    assert tree("<p>a</p><img src=x onerror=y>b<!-- c -->", "html") == [["p", ["a"]], ["p", ["b"]]]
    assert tree("<b>\n x", "code") == [["pre", ["<b>\n x"]]]


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//e.org", "/d/x", "https://u:p@e.org", "http://", "file:///etc/passwd", "https://[x"])  # fmt: skip
def test_only_a_web_page_is_linked(address: str) -> None:
    assert safe_link(address) is None


def walk(nodes: Any) -> Any:
    for node in nodes:
        if isinstance(node, list):
            yield node
            yield from walk(node[1])


@given(
    st.text(st.sampled_from("ab <>[]()*_`#|-\n!:/\"'1.hts"), max_size=200),
    st.sampled_from(["markdown", "html", "code"]),
)
def test_whatever_is_written_the_tree_has_only_harmless_elements(text: str, mode: str) -> None:
    for node in walk(tree(text, mode)):
        assert node[0] in ALLOWED
        assert len(node) == (3 if node[0] == "a" else 2)
        if node[0] == "a":
            assert node[2].lower().startswith(("http://", "https://"))
