"""What an expression's tree says: its constants, its comparisons, the events it counts, the values that it can take.

`recorded` is what a file's recording rules compute, by their name, in each function that can look behind a recorded series.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import promql_parser

from orders_obs.alerts.promql import children, uses
from orders_obs.signals.instruments import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from orders_obs.alerts.promql import Use
    from orders_obs.signals.instruments import Instrument

__all__ = [
    "COMPARISONS",
    "COUNTING",
    "RATES",
    "SELECTING",
    "Comparison",
    "Kind",
    "Reading",
    "Recorded",
    "Span",
    "aggregation",
    "bare",
    "call",
    "carried",
    "comparison",
    "comparisons",
    "grouping",
    "is_events_ratio",
    "is_rated",
    "meaning",
    "metric",
    "moves_in_time",
    "nodes",
    "number",
    "op",
    "reading",
    "scaled",
    "span",
    "terms",
]

Recorded = Mapping[str, list[Any]]

RATES = ("rate", "irate", "increase")
COUNTING = (*RATES, "changes", "resets")
"""Functions that give how often something happened: never below 0."""
SELECTING = ("topk", "bottomk", "limitk", "limit_ratio")
"""Aggregations that hand some of their series on as they are."""
COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_FLIPPED = {">": "<", ">=": "<=", "<": ">", "<=": ">=", "==": "==", "!=": "!="}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
_CONSTANT: dict[str, Callable[[float, float], float]] = {**_ARITHMETIC, "^": math.pow, "%": math.fmod}


# Nodes


def bare(node: Any) -> Any:
    """A node without the parentheses around it."""
    while isinstance(node, promql_parser.ParenExpr):
        node = node.expr
    return node


def nodes(node: Any) -> Iterator[Any]:
    """A node and all below it."""
    yield node
    for child in children(node):
        yield from nodes(child)


def op(node: Any) -> str:
    """The operator between two sides, empty for any other node."""
    return str(node.op) if isinstance(node, promql_parser.BinaryExpr) else ""


def call(node: Any) -> str:
    """The function that is called, empty for any other node."""
    return str(node.func.name) if isinstance(node, promql_parser.Call) else ""


def aggregation(node: Any) -> str:
    """Such as `sum`, empty for any other node."""
    return str(node.op) if isinstance(node, promql_parser.AggregateExpr) else ""


def grouping(node: Any) -> tuple[str, frozenset[str]]:
    """`By` or `Without`, and the labels, of an aggregation."""
    if node.modifier is None:
        return "By", frozenset()
    return str(node.modifier.type).rpartition(".")[2], frozenset(node.modifier.labels)


def metric(selector: Any) -> str:
    """Name of a selector's metric, empty where it gives none."""
    return uses(selector)[0].metric


def terms(node: Any, joined_by: str) -> list[Any]:
    """What one operator joins: the three conditions of `a and b and c`."""
    node = bare(node)
    if op(node) != joined_by:
        return [node]
    return [*terms(node.lhs, joined_by), *terms(node.rhs, joined_by)]


def carried(node: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """The selectors whose values a vector carries, each with the nodes between, outermost first.

    What `and` only asks, and what one divides by, is left out.
    """
    if isinstance(node, promql_parser.VectorSelector):
        yield node, ()
        return
    if op(node) and op(node) != "or":
        below = [node.lhs if number(node.lhs) is None else node.rhs]
    elif aggregation(node):
        below = [node.expr]
    else:
        below = children(node)
    for child in below:
        for selector, path in carried(child):
            yield selector, (node, *path)


def moves_in_time(node: Any) -> bool:
    """Whether a part is read at another time, as in `x - x offset 5m`, which is an increase written out."""
    places = (promql_parser.VectorSelector, promql_parser.SubqueryExpr)
    return any(part.offset is not None or part.at for part in nodes(node) if isinstance(part, places))


def number(node: Any) -> float | None:
    """The value of a constant expression, None for any other."""
    node = bare(node)
    if isinstance(node, promql_parser.NumberLiteral):
        return float(node.val)
    if isinstance(node, promql_parser.UnaryExpr):
        inner = number(node.expr)
        return None if inner is None else -inner
    if call(node) == "vector":
        return number(node.args[0])
    if op(node) not in _CONSTANT:
        return None
    left, right = number(node.lhs), number(node.rhs)
    if left is None or right is None:
        return None
    try:
        return _CONSTANT[op(node)](left, right)
    except (ArithmeticError, ValueError):
        return math.nan


def scaled(node: Any) -> tuple[float, Any]:
    """A factor and what it multiplies: 100 and `x` for `x * 100`."""
    node = bare(node)
    if op(node) in ("*", "/"):
        left, right = number(node.lhs), number(node.rhs)
        if right:
            factor, inner = scaled(node.lhs)
            return _ARITHMETIC[op(node)](factor, right), inner
        if left and op(node) == "*":
            factor, inner = scaled(node.rhs)
            return factor * left, inner
    return 1.0, node


# Comparisons


@dataclass(frozen=True, slots=True)
class Comparison:
    """An expression compared with a constant.

    Attributes:
        value: The expression, whichever side it stands on.
        op: As if it stood on the left.
        limit: The constant.
        written: The constant as an expression.
        joined: Whether it stands under `and` or `unless`, beside other conditions.
    """

    value: Any
    op: str
    limit: float
    written: Any
    joined: bool

    @property
    def text(self) -> str:
        """Such as `> 14.4 * 0.07`."""
        return f"{self.op} {' '.join(str(bare(self.written)).split())}"

    def holds(self, value: float) -> bool:
        """Whether a value satisfies it."""
        return COMPARISONS[self.op](value, self.limit)

    def never(self, low: float, high: float) -> bool:
        """Whether no value from `low` to `high` satisfies it."""
        if self.op == "==":
            return not low <= self.limit <= high
        return not self.holds(low) and not self.holds(high) and (self.op != "!=" or low == high)

    def always(self, low: float, high: float) -> bool:
        """Whether each value from `low` to `high` satisfies it."""
        if self.op == "!=":
            return not low <= self.limit <= high
        return self.holds(low) and self.holds(high) and (self.op != "==" or low == high)


def comparison(node: Any, *, joined: bool = False) -> Comparison | None:
    """The comparison that a node is, None where it is none, or one of two expressions."""
    node = bare(node)
    if op(node) not in COMPARISONS:
        return None
    left, right = number(node.lhs), number(node.rhs)
    if left is None and right is not None:
        return Comparison(node.lhs, op(node), right, node.rhs, joined)
    if left is not None and right is None:
        return Comparison(node.rhs, _FLIPPED[op(node)], left, node.lhs, joined)
    return None


def comparisons(node: Any, *, joined: bool = False) -> Iterator[Comparison]:
    """Every comparison with a constant in a tree."""
    node = bare(node)
    found = comparison(node, joined=joined)
    if found:
        yield found
    for child in children(node):
        yield from comparisons(child, joined=joined or op(node) in ("and", "unless"))


# Events and shares of them


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric, read in the plainest way: `sum by (grouping) (function(metric{matchers}[window]))`.

    Attributes:
        function: Empty where the metric is read as it is.
        metric: Its name.
        matchers: Label, operator and value of each.
        when: Window in seconds, offset and `@`.
        grouping: None without the sum.
    """

    function: str
    metric: str
    matchers: frozenset[tuple[str, str, str]]
    when: tuple[float | None, str]
    grouping: tuple[str, frozenset[str]] | None


def reading(node: Any) -> Reading | None:
    """How a node reads one metric, None where it is more than that."""
    node = bare(node)
    by = None
    if aggregation(node) == "sum":
        by = grouping(node)
        node = bare(node.expr)
    function = call(node)
    if function and len(node.args) == 1:
        node = bare(node.args[0])
    selector = node.vector_selector if isinstance(node, promql_parser.MatrixSelector) else node
    if not isinstance(selector, promql_parser.VectorSelector) or selector.matchers.or_matchers:
        return None
    use = uses(node)[0]
    matchers = frozenset((matcher.label, matcher.op, matcher.value) for matcher in use.matchers)
    return Reading(function, use.metric, matchers, (use.window, f"{selector.offset} {selector.at}"), by)


def _is_part(part: Reading, total: Reading) -> bool:
    """Whether one counts some of the events that the other counts, so that their ratio is a share."""
    if part.function not in RATES or (part.function, part.when) != (total.function, total.when):
        return False
    if part.metric == total.metric and part.grouping is not None and total.grouping is not None:
        chosen = part.matchers
    elif part.metric.removesuffix("_bucket") == total.metric.removesuffix("_count") != part.metric:
        bounds = {matcher for matcher in part.matchers if matcher[0] == "le"}
        if [how for _, how, _ in bounds] != ["="]:
            return False
        chosen = part.matchers - bounds
    else:
        return False
    return chosen >= total.matchers and _at_least_as_fine(part.grouping, total.grouping)


def _at_least_as_fine(
    part: tuple[str, frozenset[str]] | None, total: tuple[str, frozenset[str]] | None
) -> bool:
    if part is None or total is None or part[0] != "By" or total[0] != "By":
        return part == total
    return part[1] >= total[1]


def _highest_share(node: Any) -> float | None:
    """The highest value of a share of events, 1 or what it is multiplied by; None where the node is no such share."""
    if op(node) != "/":
        return None
    above, part = scaled(node.lhs)
    below, total = scaled(node.rhs)
    whole = reading(total)
    if whole is None or above <= 0 or below <= 0:
        return None
    if op(part) == "or" and _is_zero(part.rhs):
        part = bare(part.lhs)
    if op(part) == "-" and reading(part.lhs) == whole:
        part = bare(part.rhs)
    some = reading(part)
    return above / below if some is not None and _is_part(some, whole) else None


def _is_zero(node: Any) -> bool:
    node = bare(node)
    return number(node) == 0 or (op(node) == "*" and 0 in (number(node.lhs), number(node.rhs)))


def meaning(node: Any, recorded: Recorded) -> Any:
    """What a recorded series is computed from; the node itself where the file does not say, or says several things."""
    seen: set[str] = set()
    node = bare(node)
    while isinstance(node, promql_parser.VectorSelector) and (name := metric(node)) not in seen:
        trees = recorded.get(name, [])
        if len(trees) != 1:
            return node
        seen.add(name)
        node = bare(trees[0])
    return node


_AMOUNTS = ("_sum", "_seconds_total", "_bytes_total")
"""What counts an amount, not events: divided by events it gives a mean, which may be above 1."""


def is_events_ratio(node: Any, recorded: Recorded) -> bool:
    """Whether a node is events over events, or one minus that, possibly times a constant."""
    _, node = scaled(meaning(node, recorded))
    if op(node) == "-" and number(node.lhs) is not None:
        node = meaning(node.rhs, recorded)
    _, node = scaled(meaning(node, recorded))
    if op(node) != "/":
        return False
    sides = [uses(meaning(side, recorded)) for side in (node.lhs, node.rhs)]
    counted = all(side and all(is_rated(use) for use in side) for side in sides)
    return counted and not any(use.metric.endswith(_AMOUNTS) for use in sides[0])


def is_rated(use: Use) -> bool:
    """Whether a selector stands directly in rate(), irate() or increase()."""
    return bool(use.functions) and use.functions[0] in RATES and use.window is not None


# The values that an expression can take

Kind = Literal["constant", "share", "up", "presence", "count", "rate", "quantile", "value"]


@dataclass(frozen=True, slots=True)
class Span:
    """The values that an expression can take.

    Attributes:
        kind: What it is; `value` for what is computed from several things.
        low: Never below this.
        high: Never above this.
        of: The instrument of a quantile.
        buckets: The values at which a quantile is exact, ascending.
    """

    kind: Kind
    low: float
    high: float
    of: str = ""
    buckets: tuple[float, ...] = ()


_SAME_VALUES = {
    **dict.fromkeys(("min_over_time", "max_over_time", "avg_over_time", "last_over_time"), 0),
    **dict.fromkeys(("label_replace", "label_join", "sort", "sort_desc", "scalar"), 0),
    "quantile_over_time": 1,
}
"""Functions whose result lies between the values of one argument, and which."""


def span(node: Any, recorded: Recorded, seen: frozenset[str] = frozenset()) -> Span | None:
    """The values that an expression can take, None where nothing is known of them.

    Args:
        node: The expression.
        recorded: Where recorded series come from.
        seen: The recorded series that led here.
    """
    node = bare(node)
    inner = partial(span, recorded=recorded, seen=seen)
    constant = number(node)
    if constant is not None:
        return None if math.isnan(constant) else Span("constant", constant, constant)
    if isinstance(node, (promql_parser.MatrixSelector, promql_parser.SubqueryExpr)):
        return inner(children(node)[0])
    if isinstance(node, promql_parser.VectorSelector):
        name = metric(node)
        if name in recorded and name not in seen:
            return _any_of([span(tree, recorded, seen | {name}) for tree in recorded[name]])
        return Span("up", 0, 1) if name == "up" else None
    if isinstance(node, promql_parser.UnaryExpr):
        return _combined("*", Span("constant", -1, -1), inner(node.expr))
    if isinstance(node, promql_parser.AggregateExpr):
        return _span_of_aggregation(node, inner)
    if isinstance(node, promql_parser.Call):
        return _span_of_call(node, inner)
    if isinstance(node, promql_parser.BinaryExpr):
        return _span_of_operation(node, inner)
    return None


def _span_of_aggregation(node: Any, inner: Callable[[Any], Span | None]) -> Span | None:
    name = aggregation(node)
    if name == "count":
        return Span("count", 1, math.inf)
    if name == "group":
        return Span("presence", 1, 1)
    below = inner(node.expr)
    if name in ("min", "max", "avg", "quantile", *SELECTING):
        return below
    if name == "sum" and below is not None and below.low >= 0:
        return Span("rate" if below.kind == "rate" else "value", below.low, math.inf)
    return None


def _span_of_call(node: Any, inner: Callable[[Any], Span | None]) -> Span | None:
    name = call(node)
    if name in ("absent", "absent_over_time", "present_over_time"):
        return Span("presence", 1, 1)
    if name in COUNTING:
        return Span("rate", 0, math.inf)
    if name in _SAME_VALUES:
        return inner(node.args[_SAME_VALUES[name]])
    ours = _instrument(node.args[1]) if name == "histogram_quantile" else None
    return None if ours is None else Span("quantile", 0, ours.buckets[-1], ours.name, ours.buckets)


def _span_of_operation(node: Any, inner: Callable[[Any], Span | None]) -> Span | None:
    between = op(node)
    if between in COMPARISONS:
        if node.modifier is not None and node.modifier.return_bool:
            return Span("value", 0, 1)
        return inner(node.lhs if number(node.lhs) is None else node.rhs)
    if between in ("and", "unless"):
        return inner(node.lhs)
    if between == "or":
        return _any_of([inner(node.lhs), inner(node.rhs)])
    share = _highest_share(node)
    if share is not None:
        return Span("share", 0, share)
    return _combined(between, inner(node.lhs), inner(node.rhs))


def _any_of(spans: list[Span | None]) -> Span | None:
    known = [one for one in spans if one is not None]
    if len(known) != len(spans):
        return None
    low, high = min(one.low for one in known), max(one.high for one in known)
    if len({(one.kind, one.of, one.buckets) for one in known}) == 1:
        return Span(known[0].kind, low, high, known[0].of, known[0].buckets)
    return Span("value", low, high)


def _combined(between: str, left: Span | None, right: Span | None) -> Span | None:
    if left is None or right is None or between not in _ARITHMETIC:
        return None
    if between == "/" and (right.kind != "constant" or right.low == 0):
        return None
    compute = _ARITHMETIC[between]
    corners = [compute(one, other) for one in (left.low, left.high) for other in (right.low, right.high)]
    if any(math.isnan(corner) for corner in corners):
        return None
    low, high = min(corners), max(corners)
    moving = [one for one in (left, right) if one.kind != "constant"]
    if len(moving) != 1 or (between in ("+", "-") and moving[0].kind != "share"):
        return Span("value", low, high)
    if moving[0] is left:
        buckets = [compute(bound, right.low) for bound in left.buckets]
    else:
        buckets = [compute(left.low, bound) for bound in right.buckets]
    return Span(moving[0].kind, low, high, moving[0].of, tuple(sorted(buckets)))


# Labels that a scrape, a service discovery or a remote write adds to a library's own.
_TARGET_LABELS = frozenset(
    {
        *("le", "job", "instance", "service", "namespace", "pod", "container", "endpoint", "node", "host"),
        *("cluster", "region", "zone", "env", "environment"),
    }
)


def _instrument(vector: Any) -> Instrument | None:
    """The histogram of ours that a quantile is taken of; a metric of the same name with other labels is someone else's."""
    found = uses(vector)
    if len(found) != 1 or not found[0].metric.endswith("_bucket"):
        return None
    instrument = INSTRUMENTS.get(found[0].metric.removesuffix("_bucket"))
    if instrument is None or not instrument.buckets:
        return None
    named = {matcher.label for matcher in found[0].matchers}
    for part in nodes(vector):
        if aggregation(part):
            named |= grouping(part)[1]
    return instrument if named <= _TARGET_LABELS.union(instrument.labels) else None
