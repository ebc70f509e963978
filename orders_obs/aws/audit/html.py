"""An audit as one HTML file: no resource from elsewhere, everything escaped, readable on a phone and in the dark, with a search."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

from orders_obs.aws.audit.audit import worst_first
from orders_obs.aws.audit.cost import CAVEAT, total
from orders_obs.aws.audit.model import SUBJECTS
from orders_obs.aws.audit.report import (
    WASTED,
    counted,
    gap_text,
    in_baseline,
    levels,
    nothing_wrong,
    number_of,
    read_text,
    subjects,
    wasted,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from orders_obs.aws.audit.model import Issue, Result

__all__ = ["page"]

_ALARMS = 200
"""Alarms that are listed by name of one finding; the data of `--json` has all."""
_DEAREST = 20

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2024;--soft:#60646c;--paper:#fff;--card:#f6f7f8;--line:#d9dce0;--error:#c0262d;--warning:#9a5b00;--info:#2a5fa5}
@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#a0a6ad;--paper:#121416;--card:#1b1e21;--line:#33383d;--error:#ff7b7f;--warning:#f0b357;--info:#82b4f2}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:70rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:0}
p,ul,dl{margin:.4rem 0}ul{padding-left:1.2rem}
.soft{color:var(--soft)}.num{font-variant-numeric:tabular-nums;text-align:right}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:.6rem;padding:0;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}
.tiles b{display:block;font-size:1.6rem;line-height:1.2}
.bar{position:sticky;top:0;background:var(--paper);padding:.6rem 0;display:flex;flex-wrap:wrap;gap:.6rem;border-bottom:1px solid var(--line);z-index:1}
.bar input[type=search]{flex:1 1 14rem;min-width:0}
.bar input,.bar select{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.4rem .6rem}
article{background:var(--card);border:1px solid var(--line);border-radius:.5rem;padding:.7rem .9rem;margin:.6rem 0}
.finding{border-top:1px solid var(--line);margin-top:.5rem;padding-top:.5rem}
.tag{font-size:.8rem;font-weight:600;border:1px solid currentColor;border-radius:.3rem;padding:0 .35rem;margin-right:.4rem}
.error{color:var(--error)}.warning{color:var(--warning)}.info{color:var(--info)}
.remedy::before{content:"→ "}
table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid var(--line);padding:.3rem .5rem;text-align:left;vertical-align:top}
code{font-family:ui-monospace,monospace;font-size:.9em}
[hidden]{display:none!important}
@media print{.bar{display:none}article{break-inside:avoid}}
"""
_SCRIPT = """
(function(){
var words=document.getElementById('words'),level=document.getElementById('level'),subject=document.getElementById('subject'),shown=document.getElementById('shown');
var things=Array.prototype.slice.call(document.querySelectorAll('article.thing'));
function look(){
 var asked=words.value.toLowerCase().split(/\\s+/).filter(Boolean),count=0;
 things.forEach(function(thing){
  var any=false,head=thing.querySelector('h3').textContent.toLowerCase();
  Array.prototype.forEach.call(thing.querySelectorAll('.finding'),function(one){
   var text=head+' '+one.textContent.toLowerCase();
   var fits=(!level.value||level.value.split(' ').indexOf(one.dataset.level)>=0)&&(!subject.value||subject.value===one.dataset.subject)&&asked.every(function(word){return text.indexOf(word)>=0});
   one.hidden=!fits;any=any||fits;if(fits){count+=1}
  });
  thing.hidden=!any;
 });
 shown.textContent=count+' shown';
}
[words,level,subject].forEach(function(one){one.addEventListener('input',look)});
look();
})();
"""


def page(results: Sequence[Result], issues: Sequence[Issue], at: str, kept: Sequence[Issue] = ()) -> str:
    """The file's content.

    Args:
        results: Of each account and region, and of each Prometheus.
        issues: What is to be said of all of them.
        at: When the audit was made.
        kept: What a baseline has left out.
    """
    return "".join(_page(results, issues, at, kept))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _page(
    results: Sequence[Result], issues: Sequence[Issue], at: str, kept: Sequence[Issue]
) -> Iterator[str]:
    # Only this very style and this very script run, and nothing is fetched.
    allowed = f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; base-uri 'none'; form-action 'none'"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{escape(allowed)}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
    yield f"<title>Audit of alarms</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Audit of alarms</h1>\n"
    yield f'<p class="soft">Made at {escape(at)} by orders-obs audit, which only reads.</p>\n'
    yield from _summary(results, issues)
    yield from _findings(results, issues, kept)
    yield from _gaps(results)
    yield from _costs(results)
    yield f"</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n"


def _summary(results: Sequence[Result], issues: Sequence[Issue]) -> Iterator[str]:
    count = sum(result.count for result in results if result.what == "alarms")
    yield f'<ul class="tiles">\n<li><b>{count:,}</b> {"alarm" if count == 1 else "alarms"}</li>\n'
    for subject, number in subjects(issues).items():
        yield f"<li><b>{number:,}</b> {escape(SUBJECTS[subject])}</li>\n"  # type: ignore[index]
    price = sum(total(result.costs) for result in results)
    yield f"<li><b>{price:,.2f}</b> USD a month at list price</li>\n"
    useless = wasted(results, issues)
    if useless:
        yield f"<li><b>{useless:,.2f}</b> USD {escape(WASTED)}</li>\n"
    yield "</ul>\n"
    yield "<table>\n<thead><tr><th>Where</th><th>What was read</th><th>Errors</th><th>Warnings</th></tr></thead>\n<tbody>\n"
    for result in results:
        own = levels([issue for issue in issues if issue.place == result.place])
        said = (
            f"could not be looked at: {result.fault}"
            if result.fault
            else f"{counted(result)}; {read_text(result)}"
        )
        said = "; ".join([said, *result.warnings])
        yield (
            f'<tr><td>{escape(result.place)}</td><td>{escape(said)}</td><td class="num">{own["error"]}</td>'
            f'<td class="num">{own["warning"]}</td></tr>\n'
        )
    yield "</tbody>\n</table>\n"


def _findings(results: Sequence[Result], issues: Sequence[Issue], kept: Sequence[Issue]) -> Iterator[str]:
    yield "<h2>Findings</h2>\n"
    said = nothing_wrong(results, issues, kept)
    if said:
        yield f"<p>{escape(said)}</p>\n"
    elif kept:
        yield f"<p>Besides, {escape(in_baseline(kept))}.</p>\n"
    if not issues:
        yield "" if said else "<p>Nothing was found.</p>\n"
        return
    counted = levels(issues)
    yield '<div class="bar"><input type="search" id="words" placeholder="Search" aria-label="Search">'
    yield '<select id="level" aria-label="Level"><option value="error warning">errors and warnings</option>'
    yield f'<option value="error">errors ({counted["error"]})</option><option value="warning">warnings ({counted["warning"]})</option>'
    yield f'<option value="info">worth knowing ({counted["info"]})</option><option value="">all</option></select>'
    yield '<select id="subject" aria-label="About"><option value="">about anything</option>'
    for subject in dict.fromkeys(issue.subject for issue in issues):
        yield f'<option value="{escape(subject)}">{escape(subject)}</option>'
    yield '</select><span id="shown" class="soft" aria-live="polite"></span></div>\n'
    several = len(results) > 1
    for _, group in groupby(_by_thing(issues), key=_of_thing):
        yield from _thing(list(group), several=several)


def _of_thing(issue: Issue) -> tuple[str, str, str]:
    return issue.place, issue.kind, issue.thing


def _by_thing(issues: Sequence[Issue]) -> list[Issue]:
    """Those of one thing together, the thing with the worst of them first."""
    worst: dict[tuple[str, str, str], tuple[object, ...]] = {}
    for issue in sorted(issues, key=worst_first):
        worst.setdefault(_of_thing(issue), worst_first(issue))
    return sorted(issues, key=lambda issue: (worst[_of_thing(issue)], worst_first(issue)))


def _thing(group: Sequence[Issue], *, several: bool) -> Iterator[str]:
    first = group[0]
    place = f' <span class="soft">{escape(first.place)}</span>' if several else ""
    yield f'<article class="thing">\n<h3>{escape(first.kind)} <code>{escape(first.thing)}</code>{place}</h3>\n'
    for issue in group:
        yield f'<div class="finding" data-level="{escape(issue.level)}" data-subject="{escape(issue.subject)}">'
        yield f'<p><span class="tag {escape(issue.level)}">{escape(issue.level)}</span>{escape(issue.message)} '
        yield f'<span class="soft">{escape(issue.rule)}</span></p>'
        if issue.hint:
            yield f'<p class="remedy">{escape(issue.hint)}</p>'
        if issue.kind != "alarm" and issue.alarms:
            yield f"<details><summary>{number_of(len(issue.alarms), 'alarms')}</summary><ul>"
            for alarm in issue.alarms[:_ALARMS]:
                yield f"<li><code>{escape(alarm)}</code></li>"
            more = len(issue.alarms) - _ALARMS
            yield f"{f'<li>and {more} more</li>' if more > 0 else ''}</ul></details>"
        yield "</div>\n"
    yield "</article>\n"


def _gaps(results: Sequence[Result]) -> Iterator[str]:
    gaps = [(result, gap, rules) for result in results for gap, rules in result.gaps]
    yield "<h2>Not looked at</h2>\n"
    if not gaps:
        yield "<p>Everything that the audit looks at could be read.</p>\n"
        return
    yield "<ul>\n"
    for result, gap, rules in gaps:
        tail = f"; so not, or not fully: {', '.join(rules)}" if rules else ""
        yield f"<li>{escape(result.place)}: {escape(gap_text(gap) + tail)}</li>\n"
    yield "</ul>\n"


def _costs(results: Sequence[Result]) -> Iterator[str]:
    dearest = sorted(
        ((cost, result) for result in results for cost in result.costs if cost.usd), key=lambda pair: -(pair[0].usd or 0)
    )  # fmt: skip
    if not dearest:
        return
    yield f'<h2>What costs most</h2>\n<p class="soft">USD a month, {escape(CAVEAT)}</p>\n<table>\n'
    yield "<thead><tr><th>Alarm</th><th>Made of</th><th>USD</th></tr></thead>\n<tbody>\n"
    for cost, result in dearest[:_DEAREST]:
        yield (
            f'<tr><td><code>{escape(cost.alarm)}</code> <span class="soft">{escape(result.place)}</span></td>'
            f'<td>{escape(cost.why)}</td><td class="num">{cost.usd:.2f}</td></tr>\n'
        )
    yield "</tbody>\n</table>\n"
