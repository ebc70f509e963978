"""The Markdown of a text panel as a tree of a few harmless elements, which the page makes of text and never of HTML."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

__all__ = ["safe_link", "tree"]

Node = str | list[Any]
"""A text, or `[element, children]`, or `["a", children, address]`."""

_INLINE = re.compile(
    r"(?P<code>`+)(?P<inner>.+?)(?P=code)"
    r"|!?\[(?P<label>[^\]\n]*)\]\((?P<href>[^)\s]+)(?:\s+\"[^\"]*\")?\)"
    r"|(?P<strong>\*\*|__)(?=\S)(?P<bold>.+?)(?<=\S)(?P=strong)"
    r"|(?<!\w)(?P<em>[*_])(?=\S)(?P<italic>.+?)(?<=\S)(?P=em)(?!\w)"
    r"|<(?P<bare>https?://[^>\s]+)>"
)
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
_ITEM = re.compile(r"\s{0,3}(?:([-*+])|(\d+)[.)])\s+(.*)")
_RULE = re.compile(r"\s{0,3}([-*_])(\s*\1){2,}\s*")
_TABLE_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
_TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", re.DOTALL)
_LONGEST = 20_000
_DEEPEST = 6


def safe_link(address: str) -> str | None:
    """The address where it leads to a web page, else None: no script, no data, no file."""
    try:
        parts = urlsplit(address.strip())
        good = parts.scheme.lower() in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return address.strip() if good and address.strip().isprintable() and "@" not in parts.netloc else None


def tree(text: str, mode: str = "markdown") -> list[Node]:
    """The elements of a text.

    Args:
        text: Of the panel.
        mode: `markdown`, `html` (of which the text is kept) or `code`.
    """
    text = text[:_LONGEST]
    if mode == "code":
        return [["pre", [text]]]
    if mode == "html":
        paragraphs = re.split(r"\n\s*\n|</p>|<br\s*/?>|</h\d>|</li>|</div>", text)
        plain = [" ".join(_TAG.sub("", part).split()) for part in paragraphs]
        return [["p", [part]] for part in plain if part]
    return _blocks(text.replace("\r\n", "\n").expandtabs(4).split("\n"))


def _blocks(lines: list[str]) -> list[Node]:
    found: list[Node] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        heading = _HEADING.fullmatch(line)
        if not line.strip():
            at += 1
        elif line.lstrip().startswith(("```", "~~~")):
            fence = line.lstrip()[:3]
            end = next(
                (i for i in range(at + 1, len(lines)) if lines[i].lstrip().startswith(fence)), len(lines)
            )
            found.append(["pre", ["\n".join(lines[at + 1 : end])]])
            at = end + 1
        elif heading:
            # The page's own headings end at the panel's title.
            found.append([f"h{min(6, len(heading[1]) + 3)}", _inline(heading[2])])
            at += 1
        elif _RULE.fullmatch(line):
            found.append(["hr", []])
            at += 1
        elif _ITEM.fullmatch(line):
            at, node = _list(lines, at)
            found.append(node)
        elif (
            "|" in line
            and at + 1 < len(lines)
            and _TABLE_RULE.fullmatch(lines[at + 1])
            and "-" in lines[at + 1]
        ):
            at, node = _table(lines, at)
            found.append(node)
        else:
            end = at + 1
            while end < len(lines) and lines[end].strip() and not _begins(lines[end]):
                end += 1
            found.append(["p", _inline(" ".join(part.strip().lstrip("> ") for part in lines[at:end]))])
            at = end
    return found


def _begins(line: str) -> bool:
    return bool(_HEADING.fullmatch(line) or _ITEM.fullmatch(line) or line.lstrip().startswith(("```", "~~~")))


def _list(lines: list[str], at: int) -> tuple[int, Node]:
    first = _ITEM.fullmatch(lines[at])
    ordered = first is not None and first[2] is not None
    items: list[Node] = []
    while at < len(lines):
        item = _ITEM.fullmatch(lines[at])
        if item is None or (item[2] is not None) != ordered:
            break
        parts = [item[3]]
        at += 1
        while at < len(lines) and lines[at].startswith("  ") and lines[at].strip():
            parts.append(lines[at].strip())
            at += 1
        items.append(["li", _inline(" ".join(parts))])
    return at, ["ol" if ordered else "ul", items]


def _table(lines: list[str], at: int) -> tuple[int, Node]:
    rows: list[Node] = [["tr", [["th", _inline(cell)] for cell in _cells(lines[at])]]]
    at += 2
    while at < len(lines) and "|" in lines[at]:
        rows.append(["tr", [["td", _inline(cell)] for cell in _cells(lines[at])]])
        at += 1
    return at, ["table", rows]


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]


def _inline(text: str, depth: int = 0) -> list[Node]:
    found: list[Node] = []
    end = 0
    for match in _INLINE.finditer(text) if depth < _DEEPEST else ():
        found += _plain(text[end : match.start()])
        end = match.end()
        if match["inner"]:
            found.append(["code", [match["inner"].strip()]])
        elif match["bold"]:
            found.append(["strong", _inline(match["bold"], depth + 1)])
        elif match["italic"]:
            found.append(["em", _inline(match["italic"], depth + 1)])
        else:
            href = match["href"] or match["bare"]
            label = match["label"] if match["label"] is not None else href
            # A picture would be fetched: its text stands in its place.
            address = None if match[0].startswith("!") else safe_link(href)
            found.append(["a", [label or href], address] if address else label or href)
    return found + _plain(text[end:])


def _plain(text: str) -> list[Node]:
    plain = _TAG.sub("", text)
    return [plain] if plain else []
