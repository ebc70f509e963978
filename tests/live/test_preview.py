"""The page of a preview in a real browser: in both themes and on a phone; and its queries on a real Prometheus."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orders_obs.dashboards.preview.preview import Wishes, look, write_preview
from tests.dashboards.preview.boards import dashboard, every_kind, panel, query
from tests.dashboards.preview.browser import Browser, browser, missing
from tests.dashboards.preview.fake import HOSTILE, TRACE, fake

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 18, 13, 45, 30, tzinfo=UTC)
WIDE, PHONE = (1440, 900), (390, 844)
DRAWN = {
    "Lines": 3, "Stacked": 3, "Percent": 3, "Logarithmic": 3, "Gaps and areas": 1, "Bars": 3, HOSTILE: 1,
}  # fmt: skip
"""Graphs by title, and how many lines each has."""


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    reason = missing()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)
    with browser() as current:
        yield current


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a dashboard with every kind of panel."""
    folder = tmp_path_factory.mktemp("preview")
    board = folder / "board.json"
    board.write_text(json.dumps(every_kind()))
    with fake() as server:
        write_preview(
            board, server.url, folder / "page.html", Wishes(jaeger="http://127.0.0.1:16686"), now=NOW
        )
    return folder / "page.html"


# What the tests look at in the page.
HELPERS = """
const titled = (title) => [...document.querySelectorAll('.panel')].find((panel) => panel.getAttribute('aria-label') === title);
const rgb = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0]).map(Number);
const close = (data, at, [r, g, b]) => Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 24;
const pixels = (panel) => { const canvas = panel.querySelector('canvas'); return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data; };
"""


def show(window: Browser, page: Path, theme: str, size: tuple[int, int]) -> None:
    window.look(*size, theme, phone=size == PHONE)
    window.open(page)


LOOKS = [("light", WIDE), ("dark", WIDE), ("light", PHONE), ("dark", PHONE)]
looks = pytest.mark.parametrize(("theme", "size"), LOOKS, ids=["light", "dark", "light-phone", "dark-phone"])


@looks
def test_every_panel_is_drawn_and_the_console_is_silent(
    window: Browser, page: Path, theme: str, size: tuple[int, int]
) -> None:
    show(window, page, theme, size)
    assert window.log() == []
    counted = window.run(
        HELPERS
        + """
        return Object.fromEntries(arguments[0].map((title) => {
          const panel = titled(title), data = pixels(panel);
          return [title, [...panel.querySelectorAll('.legend .swatch')].map((swatch) => {
            const wanted = rgb(getComputedStyle(swatch).backgroundColor);
            let count = 0;
            for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 200 && close(data, at, wanted)) count += 1;
            return count;
          })];
        }));""",
        list(DRAWN),
    )
    assert {title: len(counts) for title, counts in counted.items()} == DRAWN
    assert {title: counts for title, counts in counted.items() if min(counts) < 60} == {}
    others = window.run(
        HELPERS
        + """
        const count = (title, what) => titled(title).querySelectorAll(what).length;
        return {
          stat: count('Stat', '.value') + count('Stat', '.course path'), stats: count('Several stats', '.value'),
          gauge: count('Gauge', 'path'), bars: count('Bar gauge', '.bar i'), table: count('Table', 'tbody tr'),
          chart: count('Bar chart', '.bar i'), pie: count('Pie', 'circle'), states: count('States', '.band i') > 6,
          text: count('Text', 'li'), fails: count('Fails', '.message.error'), empty: count('Empty', '.message.empty'),
          cloudwatch: count('CloudWatch', '.message.placeholder pre'), exemplar: count('Lines', 'a.exemplar'),
          heat: new Set(pixels(titled('Heat map'))).size > 4,
        };"""
    )
    assert others == {
        "stat": 3, "stats": 3, "gauge": 5, "bars": 3, "table": 3, "chart": 3, "pie": 3, "states": True, "text": 2, "fails": 1,
        "empty": 1, "cloudwatch": 1, "exemplar": 1, "heat": True,
    }  # fmt: skip


@looks
def test_all_text_can_be_read(window: Browser, page: Path, theme: str, size: tuple[int, int]) -> None:
    """WCAG 2: 4.5 : 1, and 3 : 1 for large text."""
    show(window, page, theme, size)
    assert window.run("return document.documentElement.dataset.shown") == theme
    unreadable = window.run(
        HELPERS
        + """
        const light = (color) => { const [r, g, b] = rgb(color).map((part) => { const s = part / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
        const ground = (node) => { for (; node; node = node.parentElement) { const color = getComputedStyle(node).backgroundColor; const parts = rgb(color); if (parts.length < 4 || parts[3] > 0.5) return color; } return 'rgb(255, 255, 255)'; };
        const walker = document.createTreeWalker(document.getElementById('app'), NodeFilter.SHOW_TEXT);
        const found = [];
        while (walker.nextNode()) {
          const node = walker.currentNode.parentElement, style = getComputedStyle(node);
          if (!walker.currentNode.textContent.trim() || !node.checkVisibility()) continue;
          const ink = node instanceof SVGElement ? style.fill : style.color;
          const [one, other] = [light(ink), light(ground(node))].sort((a, b) => b - a);
          const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 600) || node instanceof SVGElement;
          const ratio = (one + 0.05) / (other + 0.05);
          if (ratio < (large ? 3 : 4.5)) found.push([walker.currentNode.textContent, ratio.toFixed(2), ink, ground(node)]);
        }
        return found;"""
    )
    assert unreadable == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_has_one_column_and_no_sideways_scroll(window: Browser, page: Path, theme: str) -> None:
    show(window, page, theme, PHONE)
    assert window.run("return [document.documentElement.scrollWidth, innerWidth]") == [390, 390]
    boxes = window.run(
        "return [...document.querySelectorAll('.panel')].filter((p) => p.checkVisibility()).map((p) => { const b = p.getBoundingClientRect(); return [b.left, b.width]; })"
    )
    assert len(boxes) > 20
    assert {(left, width) for left, width in boxes} == {(8, 374)}
    hidden = window.run(
        "return [...document.querySelectorAll('.panel .body')].filter((b) => b.checkVisibility() && b.scrollWidth > b.clientWidth + 1).map((b) => b.parentElement.getAttribute('aria-label'))"
    )
    assert hidden == []


def test_a_wide_page_has_grafanas_grid(window: Browser, page: Path) -> None:
    show(window, page, "light", WIDE)
    boxes = window.run(
        HELPERS
        + "return arguments[0].map((title) => { const b = titled(title).getBoundingClientRect(); return [b.left, b.top, b.width, b.height].map(Math.round); })",
        ["Lines", "Stacked", "Percent", "Logarithmic", "Stat"],
    )
    (lines, stacked, percent, logarithmic, stat) = boxes
    assert lines[1] == stacked[1] == percent[1]
    assert lines[0] < stacked[0] < percent[0]
    assert abs(lines[2] - percent[2]) <= 1
    assert logarithmic[1] == lines[1] + 8 * 38
    assert abs(stat[2] * 2 + 8 - lines[2]) <= 2
    assert (lines[3], stat[3]) == (8 * 38 - 8, 5 * 38 - 8)


def test_titles_and_labels_that_try_to_break_out_are_text(window: Browser, page: Path) -> None:
    show(window, page, "light", WIDE)
    assert window.run("return document.title") == "Every kind"
    assert (
        window.run("return document.querySelectorAll('img, iframe, object, embed, link, form').length") == 0
    )
    assert window.run("return document.scripts.length") == 2
    assert (
        window.run(HELPERS + "return titled(arguments[0]).querySelector('h3').textContent", HOSTILE)
        == HOSTILE
    )
    assert (
        window.run(HELPERS + "return titled('Hostile table').querySelectorAll('td')[1].textContent")
        == HOSTILE
    )


def test_the_policy_of_the_page_stops_a_script_that_is_put_in(window: Browser, page: Path) -> None:
    show(window, page, "light", WIDE)
    window.run(
        "const s = document.createElement('script'); s.textContent = 'document.title = \"broken\"'; document.body.append(s);"
        " const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; document.body.append(i);"
    )
    assert window.run("return document.title") == "Every kind"
    refused = window.log()
    assert len(refused) >= 2
    assert all("Content Security Policy" in message for message in refused)


def test_a_press_on_a_series_shows_it_alone_and_again_shows_all(window: Browser, page: Path) -> None:
    show(window, page, "light", WIDE)
    state = (
        HELPERS
        + "return [...titled('Lines').querySelectorAll('.series')].map((b) => b.getAttribute('aria-pressed')).join()"
    )
    picture = HELPERS + "return titled('Lines').querySelector('canvas').toDataURL()"
    before = window.run(picture)
    press = HELPERS + "titled('Lines').querySelectorAll('.series')[1].click()"
    window.run(press)
    assert window.run(state) == "false,true,false"
    alone = window.run(picture)
    assert alone != before
    window.run(press)
    assert window.run(state) == "true,true,true"
    assert window.run(picture) == before


def test_the_keys_read_the_values(window: Browser, page: Path) -> None:
    show(window, page, "dark", WIDE)
    window.run(HELPERS + "titled('Lines').querySelector('.u-over').focus()")
    for _ in range(2):
        for kind in ("keyDown", "keyUp"):
            window.cdp(
                "Input.dispatchKeyEvent",
                type=kind,
                key="ArrowRight",
                code="ArrowRight",
                windowsVirtualKeyCode=39,
            )
    window.wait(HELPERS + "return !titled('Lines').querySelector('.tip').hidden")
    lines = window.run(
        HELPERS
        + "return [...titled('Lines').querySelectorAll('.tip .line')].map((line) => line.innerText.replace(/\\n/g, ' '))"
    )
    assert sorted(line.split()[0] for line in lines) == ["/api/export", "/api/orders", "/api/payments"]
    values = [float(line.split()[1]) for line in lines]
    assert values == sorted(values, reverse=True)
    # Only the graph that is looked at has the box; the others have the crosshair.
    assert (
        window.run("return [...document.querySelectorAll('.tip')].filter((tip) => !tip.hidden).length") == 1
    )
    assert "/api/orders" in window.run("return document.querySelector('[aria-live]').textContent")


def drag(window: Browser, title: str) -> None:
    left, top, width, height = window.run(
        HELPERS
        + "const b = titled(arguments[0]).querySelector('.u-over').getBoundingClientRect(); return [b.left, b.top, b.width, b.height]",
        title,
    )
    y = top + height / 2
    for kind, share in (
        ("mouseMoved", 0.25),
        ("mousePressed", 0.25),
        ("mouseMoved", 0.5),
        ("mouseReleased", 0.5),
    ):
        window.cdp(
            "Input.dispatchMouseEvent", type=kind, x=left + width * share, y=y, button="left", clickCount=1
        )


def test_a_stretch_that_is_drawn_over_one_graph_is_zoomed_in_all_and_undone(
    window: Browser, page: Path
) -> None:
    show(window, page, "light", WIDE)
    picture = (
        HELPERS
        + "return ['Lines', 'Stacked', 'Heat map'].map((title) => titled(title).querySelector('canvas').toDataURL())"
    )
    before = window.run(picture)
    drag(window, "Lines")
    button = "return [...document.querySelectorAll('button')].find((b) => b.textContent === 'Reset zoom')"
    window.wait(f"{button}.hidden === false")
    # uPlot draws in a task of its own.
    same = (
        picture.replace("return [", "const now = [")
        + f"; return now.every((one, at) => one !== {json.dumps(before)}[at])"
    )
    window.wait(same)
    window.run(button.replace("return ", "") + ".click()")
    window.wait(
        HELPERS + f"return titled('Lines').querySelector('canvas').toDataURL() === {json.dumps(before[0])}"
    )


def test_a_shut_row_is_drawn_when_it_is_opened(window: Browser, page: Path) -> None:
    show(window, page, "dark", WIDE)
    assert window.run(HELPERS + "return titled('In the row').checkVisibility()") is False
    window.run(
        "[...document.querySelectorAll('.rowhead button')].find((b) => b.textContent.startsWith('Shut')).click()"
    )
    assert window.run(HELPERS + "return titled('In the row').querySelectorAll('canvas').length") == 1
    assert window.run(HELPERS + "return new Set(pixels(titled('In the row'))).size > 10") is True


def test_a_column_is_sorted_by_a_press(window: Browser, page: Path) -> None:
    show(window, page, "light", WIDE)
    column = (
        HELPERS
        + "return [...titled('Table').querySelectorAll('tbody tr')].map((row) => row.cells[0].textContent)"
    )
    window.run(HELPERS + "titled('Table').querySelector('th button').click()")
    assert window.run(column) == ["/api/export", "/api/orders", "/api/payments"]
    window.run(HELPERS + "titled('Table').querySelector('th button').click()")
    assert window.run(column) == ["/api/payments", "/api/orders", "/api/export"]


def test_a_panel_tells_its_query_and_its_exemplars(window: Browser, page: Path) -> None:
    show(window, page, "light", WIDE)
    window.run(HELPERS + "titled('Lines').querySelector('.more').click()")
    text = window.run("return document.querySelector('dialog[open]').innerText")
    assert "lines" in text
    assert TRACE in text
    link = window.run("const a = document.querySelector('dialog a'); return [a.href, a.rel, a.target]")
    assert link == [f"http://127.0.0.1:16686/trace/{TRACE}", "noopener noreferrer", "_blank"]
    window.run("document.querySelector('dialog button').click()")
    window.wait("return document.querySelector('dialog') === null")


def test_the_theme_can_be_chosen_against_the_systems(window: Browser, page: Path) -> None:
    show(window, page, "light", WIDE)
    window.run("[...document.querySelectorAll('button')].find((b) => b.textContent === 'Dark').click()")
    assert window.run("return [document.documentElement.dataset.shown, getComputedStyle(document.body).backgroundColor]") == ["dark", "rgb(17, 18, 23)"]  # fmt: skip
    assert window.run("return document.querySelectorAll('canvas').length") >= 8
    assert window.log() == []


def test_paper_is_light_and_shows_every_row(window: Browser, page: Path) -> None:
    show(window, page, "dark", WIDE)
    window.run("dispatchEvent(new Event('beforeprint'))")
    assert window.run("return document.documentElement.dataset.shown") == "light"
    assert window.run(HELPERS + "return titled('In the row').querySelectorAll('canvas').length") == 1
    window.run("dispatchEvent(new Event('afterprint'))")
    assert window.run("return document.documentElement.dataset.shown") == "dark"
    assert window.run(HELPERS + "return titled('In the row').checkVisibility()") is False
    assert base64.b64decode(window.cdp("Page.printToPDF", printBackground=True)["data"]).startswith(b"%PDF")


def test_every_query_of_the_projects_dashboards_is_one_that_prometheus_takes(sandbox: Any) -> None:
    files = sorted((ROOT / "dashboards").glob("*.json"))
    found = look(files, sandbox.urls["prometheus"], Wishes(jaeger=sandbox.urls["jaeger"], scrape=1))
    assert found.failed() == []
    assert len(found.panels()) > 8


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of graphs, states and a wide table, for a service that there is not."""
    folder = tmp_path_factory.mktemp("short")
    rows = [query("rows", instant=True, range=False, format="table") for _ in range(3)]
    job = {"name": "job", "type": "query", "query": "label_values(up, job)", "current": {"value": "checkout"}}
    board = dashboard(
        panel("timeseries", "one", title="Whole", unit="short", defaults={"decimals": 0, "min": 0}),
        panel("state-timeline", "states", title="States", x=8),
        panel("table", *rows, title="Wide", y=8, w=24, transformations=[{"id": "merge", "options": {}}]),
        panel("timeseries", "empty", title="Nothing", x=16),
        templating={"list": [job]},
    )
    (folder / "board.json").write_text(json.dumps(board))
    wishes = Wishes(start="now-2m", scrape=1)
    with fake() as server:
        write_preview(folder / "board.json", server.url, folder / "page.html", wishes, now=NOW)
    return folder / "page.html"


# Keeps what is written on a canvas, with where it begins and ends in pixels of the page.
WRITTEN = """
const plain = CanvasRenderingContext2D.prototype.fillText;
window.written = [];
CanvasRenderingContext2D.prototype.fillText = function (text, x, y) {
  const half = this.measureText(text).width / 2;
  if (this.textAlign === 'center') window.written.push([text, (x - half) / devicePixelRatio, (x + half) / devicePixelRatio]);
  return plain.apply(this, arguments);
};
"""


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_times_of_a_short_range_have_seconds_and_lie_below_the_plot(
    window: Browser, short: Path, size: tuple[int, int]
) -> None:
    script = window.cdp("Page.addScriptToEvaluateOnNewDocument", source=WRITTEN)["identifier"]
    try:
        show(window, short, "light", size)
        written = window.run("return window.written")
    finally:
        window.cdp("Page.removeScriptToEvaluateOnNewDocument", identifier=script)
    left = window.run(
        HELPERS
        + """
        const graph = titled('Whole').querySelector('.uplot');
        return graph.querySelector('.u-over').getBoundingClientRect().left - graph.getBoundingClientRect().left;"""
    )
    times = {text: start for text, start, _ in written if ":" in text}
    assert len(times) >= 2
    assert all(len(text) == len("13:44:30") for text in times)
    assert min(times.values()) >= left
    ticks = window.run(
        HELPERS + "return [...titled('States').querySelectorAll('.ticks span')].map((tick) => tick.innerText)"
    )
    assert ticks == ["13:43:30", "13:44:00", "13:44:30", "13:45:00"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_table_that_goes_on_beyond_the_edge_says_so_until_its_end_is_seen(
    window: Browser, short: Path, theme: str
) -> None:
    hint = HELPERS + "return getComputedStyle(titled('Wide').querySelector('.draw'), '::after').content"
    show(window, short, theme, WIDE)
    assert window.run(hint) == "none"
    show(window, short, theme, PHONE)
    assert window.run(hint) == '"\u203a"'
    window.run(
        HELPERS + "const box = titled('Wide').querySelector('.scroll'); box.scrollLeft = box.scrollWidth"
    )
    window.wait(
        HELPERS
        + "return getComputedStyle(titled('Wide').querySelector('.draw'), '::after').content === 'none'"
    )


def test_a_service_that_there_is_not_is_said_above_all_panels(window: Browser, short: Path) -> None:
    show(window, short, "light", WIDE)
    said = window.run("return [...document.querySelectorAll('header.top .absent')].map((p) => p.innerText)")
    assert said == ["job=checkout has no values here; there are orders-api, payments-api"]
