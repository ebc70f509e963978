from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orders_obs.dashboards.preview.page import assets, embedded, page
from tests.dashboards.preview.fake import HOSTILE

TEXT = st.one_of(
    st.text(), st.sampled_from(["</script>", "<!--", "<script", "\u2028", "\ud800", "]]>", HOSTILE])
)


class Elements(HTMLParser):
    """Every element of a page, and the text of scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found:
            self.texts.append((self.found[-1][0], data))


def data(title: str = "Test") -> dict[str, Any]:
    board = {
        "title": title,
        "description": title,
        "sections": [],
        "variables": [[title, title]],
        "problems": [title],
    }
    return {"dashboards": [board], "prometheus": "http://127.0.0.1:9090", "jaeger": "", "generated": 0}


def test_nothing_is_loaded_from_anywhere() -> None:
    text = page(data())
    elements = Elements(text).found
    assert {tag for tag, _ in elements} == {
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "div",
        "noscript",
        "p",
        "script",
    }
    for _, attributes in elements:
        assert not {"src", "href", "srcset", "action", "style"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    style, script = assets()
    assert "url(" not in style
    assert "@import" not in style
    # No way out of the page but a link that a person follows.
    assert not re.search(
        r"\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|eval)\b\s*\(", script
    )
    assert not re.search(
        r"\.(innerHTML|outerHTML)\s*=(?!=)|insertAdjacentHTML|document\.write|new Function", ours(script)
    )


def ours(script: str) -> str:
    """The script without the library."""
    return script[script.index('(function () {\n"use strict";') :]


def test_the_policy_lets_this_script_and_this_style_run_and_nothing_else() -> None:
    text = page(data())
    policy = next(a["content"] for tag, a in Elements(text).found if a.get("http-equiv"))
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert "unsafe" not in policy
    style, script = assets()
    for kind, content in (("style-src", style), ("script-src", script)):
        wanted = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[kind] == f"'sha256-{wanted}'"
    assert f"<style>{style}</style>" in text
    assert f"<script>{script}</script>" in text
    assert "</script" not in script.lower()
    assert "</style" not in style.lower()


@given(TEXT)
def test_no_text_of_a_dashboard_becomes_an_element(title: str) -> None:
    text = page(data(title))
    plain = page(data())
    assert [tag for tag, _ in Elements(text).found] == [tag for tag, _ in Elements(plain).found]


@given(st.recursive(st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), TEXT), lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner)))  # fmt: skip
def test_data_comes_back_as_it_was_and_holds_no_sign_of_html(content: Any) -> None:
    text = embedded(content)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == json.loads(json.dumps(content, ensure_ascii=False).encode("utf-8", "replace"))
