"""The metrics that Python source declares, read without importing it.

Read are prometheus_client's metrics and the families of custom collectors, `orders_obs.metrics`, and the instruments of
OpenTelemetry's meters. Names follow what each exposes: prometheus_client's `_build_full_name`; for OpenTelemetry the names that
Prometheus and the collector make (OpenTelemetry specification, "Prometheus and OpenMetrics Compatibility").
"""

from __future__ import annotations

import ast
import itertools
import math
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prometheus_client import Histogram

from orders_obs.alerts.contract.model import Emitted, Unread
from orders_obs.alerts.contract.static import Bound, Module, Outside, Scope, Tree, Unreadable, frame_of
from orders_obs.errors import UserError
from orders_obs.findings import Finding
from orders_obs.signals.instruments import INSTRUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from orders_obs.alerts.contract.model import Kind

__all__ = ["Source", "read_sources"]

_IGNORED = frozenset(
    {"__pycache__", "build", "dist", "env", "node_modules", "site-packages", "venv", "__pypackages__"}
)
_TESTS = frozenset({"test", "tests"})
_OURS = Path(__file__).resolve().parents[2]
_MOST_ROUNDS = 500


@dataclass(frozen=True, slots=True)
class Source:
    """What some folders of source declare.

    Attributes:
        emitted: The metrics, in the order of files and lines.
        unread: Declarations whose name is not known.
        findings: What is wrong with the source itself, and which parts of declarations could not be read.
        files: How many files were read.
        uses_ours: Whether one of them imports `orders_obs`.
        calls: Values of labels at the calls of the library's own metrics, such as `metrics.orders_created.labels(…)`.
    """

    emitted: list[Emitted] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    files: int = 0
    uses_ours: bool = False
    calls: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)


def read_sources(paths: Iterable[Path | str], *, tests: bool = False) -> Source:
    """The metrics that the Python files of some folders declare.

    Virtual environments, build folders and what begins with a dot are left out. So is this package itself: its metrics are data.

    Args:
        paths: Folders or files.
        tests: Whether tests are read too.

    Raises:
        UserError: One of them is not there.
    """
    modules, findings = [], []
    for root, path in _files([Path(path) for path in paths], tests=tests):
        try:
            modules.append(Module(path, root, ast.parse(path.read_bytes())))
        except (SyntaxError, ValueError, RecursionError) as error:
            line = f":{error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            findings.append(
                Finding(
                    "source-not-read",
                    "warning",
                    f"{path}{line}",
                    f"is not Python that can be parsed: {getattr(error, 'msg', error)}",
                    "what it declares is not known; leave it out, or mend it",
                )
            )
        except OSError as error:
            raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    return _Reader(Tree(modules), findings).read()


def _files(paths: Sequence[Path], *, tests: bool) -> Iterator[tuple[Path, Path]]:
    seen: set[Path] = set()
    for root in paths:
        if not root.exists():
            raise UserError("is not there", hint="--source takes a folder of Python source", file=root)
        found = (
            [(root.parent, root)] if root.is_file() else [(root, path) for path in _walk(root, tests=tests)]
        )
        for base, path in found:
            if path.resolve() not in seen and not path.resolve().is_relative_to(_OURS):
                seen.add(path.resolve())
                yield base, path


def _walk(root: Path, *, tests: bool) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _IGNORED
            and not name.startswith(".")
            and (tests or name not in _TESTS)
            and not (here / name / "pyvenv.cfg").is_file()
        )
        for name in sorted(files):
            is_test = name.startswith("test_") or name.endswith("_test.py") or name == "conftest.py"
            if name.endswith(".py") and (tests or not is_test):
                yield here / name


# What declares a metric


@dataclass(frozen=True, slots=True)
class _Form:
    """A callable that declares a metric: its type and its parameters in their order."""

    kind: Kind
    parameters: tuple[str, ...]
    style: str = "client"


_CLIENT = (
    "name",
    "documentation",
    "labelnames",
    "namespace",
    "subsystem",
    "unit",
    "registry",
    "_labelvalues",
)
_PLAIN = ("name", "documentation", "value", "labels", "unit")
_BUCKETED = ("name", "documentation", "buckets", "sum_value", "labels", "unit")
_CLIENT_FORMS: dict[str, _Form] = {
    "Counter": _Form("counter", _CLIENT),
    "Gauge": _Form("gauge", (*_CLIENT, "multiprocess_mode")),
    "Summary": _Form("summary", _CLIENT),
    "Histogram": _Form("histogram", (*_CLIENT, "buckets")),
    "Info": _Form("info", _CLIENT),
    "Enum": _Form("stateset", (*_CLIENT, "states")),
    "CounterMetricFamily": _Form(
        "counter", ("name", "documentation", "value", "labels", "created", "unit"), "family"
    ),
    "GaugeMetricFamily": _Form("gauge", _PLAIN, "family"),
    "UnknownMetricFamily": _Form("unknown", _PLAIN, "family"),
    "UntypedMetricFamily": _Form("unknown", _PLAIN, "family"),
    "SummaryMetricFamily": _Form(
        "summary", ("name", "documentation", "count_value", "sum_value", "labels", "unit"), "family"
    ),
    "HistogramMetricFamily": _Form("histogram", _BUCKETED, "family"),
    "GaugeHistogramMetricFamily": _Form("gaugehistogram", _BUCKETED, "family"),
    "InfoMetricFamily": _Form("info", ("name", "documentation", "value", "labels"), "family"),
    "StateSetMetricFamily": _Form("stateset", ("name", "documentation", "value", "labels"), "family"),
}
_OUR_FORMS: dict[str, _Form] = {
    "counter": _Form("counter", ("name", "help", "labels"), "ours"),
    "gauge": _Form("gauge", ("name", "help", "labels"), "ours"),
    "histogram": _Form("histogram", ("name", "help", "buckets", "labels"), "ours"),
}
_INSTRUMENT = ("name", "unit", "description")
_OBSERVED = ("name", "callbacks", "unit", "description")
_METER_FORMS: dict[str, _Form] = {
    "create_counter": _Form("counter", _INSTRUMENT, "meter"),
    "create_up_down_counter": _Form("gauge", _INSTRUMENT, "meter"),
    "create_gauge": _Form("gauge", _INSTRUMENT, "meter"),
    "create_histogram": _Form("histogram", _INSTRUMENT, "meter"),
    "create_observable_counter": _Form("counter", _OBSERVED, "meter"),
    "create_observable_up_down_counter": _Form("gauge", _OBSERVED, "meter"),
    "create_observable_gauge": _Form("gauge", _OBSERVED, "meter"),
}
_OUR_METRICS = re.compile(r"orders_obs\.(?:telemetry\.metrics\.(?:api\.)?)?metrics\Z")


class _Refused(Exception):  # noqa: N818  # a declaration that raises where it runs
    """prometheus_client refuses the declaration."""


@dataclass(slots=True)
class _LabelCall:
    """A call of `labels()`: values by position and by name, None where a value is not known."""

    positional: list[tuple[str, ...] | None]
    named: dict[str, tuple[str, ...] | None]


class _Reader:
    def __init__(self, tree: Tree, findings: list[Finding]) -> None:
        self._tree = tree
        self._source = Source(findings=findings, files=len(tree.modules))
        self._variables: dict[int, str] = {}
        self._found: list[tuple[Emitted, str]] = []
        self._calls: dict[str, list[_LabelCall]] = {}
        self._infos: dict[str, list[tuple[str, ...] | None]] = {}
        self._open: set[str] = set()
        self._called: set[int] = set()
        self._uses_ours = False
        self._helpers: dict[ast.AST, list[tuple[ast.Call, Scope]]] = {}
        self._waiting: list[tuple[ast.Call, _Form, tuple[tuple[str, Bound], ...], Scope, ast.AST, str]] = []

    def read(self) -> Source:
        for module in self._tree.modules.values():
            self._module(module)
        for call, form, presets, scope, helper, variable in self._waiting:
            self._through_helper(call, form, presets, scope, helper, variable)
        emitted = [self._with_values(metric, variable) for metric, variable in self._found]
        emitted.sort(
            key=lambda metric: (metric.where.rpartition(":")[0], int(metric.where.rpartition(":")[2]))
        )
        return replace(
            self._source,
            emitted=list(dict.fromkeys(emitted)),
            unread=list(dict.fromkeys(self._source.unread)),
            findings=list(dict.fromkeys(self._source.findings)),
            uses_ours=self._uses_ours,
            calls=self._calls_of_ours(),
        )

    # --- walking ------------------------------------------------------------------------------------------------------

    def _module(self, module: Module) -> None:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.asname and alias.asname != alias.name:
                        self._open |= {alias.name, alias.asname}
                self._uses_ours |= node.level == 0 and (node.module or "").partition(".")[0] == "orders_obs"
            elif isinstance(node, ast.Import):
                self._uses_ours |= any(alias.name.partition(".")[0] == "orders_obs" for alias in node.names)
        for statement in module.tree.body:
            self._visit(statement, Scope(module), None)

    def _visit(self, node: ast.AST, scope: Scope, helper: ast.AST | None) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
                    if part is not None:
                        self._visit(part, scope, helper)
                parameters = [one.arg for one in _parameters(node.args)]
                inner = scope.inner(frame_of(node.body, parameters))
                for statement in node.body:
                    self._visit(statement, inner, node)
                return
            case ast.Lambda():
                self._visit(
                    node.body, scope.inner(frame_of((), [a.arg for a in _parameters(node.args)])), node
                )
                return
            case ast.ClassDef():
                for part in (*node.bases, *node.decorator_list):
                    self._visit(part, scope, helper)
                members = frame_of(node.body)
                for statement in node.body:
                    is_function = isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef))
                    frames = scope.frames if is_function else (*scope.frames, members)
                    self._visit(statement, Scope(scope.module, frames, members), helper)
                return
            case ast.For():
                self._visit(node.iter, scope, helper)
                self._rounds(node.target, node.iter, [*node.body, *node.orelse], scope, helper)
                return
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self._comprehension(node, scope, helper)
                return
            case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
                if node.value is not None:
                    self._variables[id(node.value)] = _terminal(target)
            case ast.Call():
                self._called.add(id(node.func))
                self._call(node, scope, helper)
            case ast.Name():
                self._escapes(node)
                return
            case ast.Attribute():
                self._escapes(node)
                if node.attr == "labels" and id(node) not in self._called:
                    self._open.add(_terminal(node.value))
                self._visit_owner(node, scope, helper)
                return
        for child in ast.iter_child_nodes(node):
            self._visit(child, scope, helper)

    def _visit_owner(self, node: ast.Attribute, scope: Scope, helper: ast.AST | None) -> None:
        """What an attribute is taken from: a metric whose method is called does not leave the reader's sight by that."""
        owner = node.value
        while isinstance(owner, ast.Attribute):
            owner = owner.value
        if not isinstance(owner, ast.Name):
            self._visit(owner, scope, helper)

    def _escapes(self, node: ast.Attribute | ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self._open.add(_terminal(node))

    def _rounds(
        self, target: ast.expr, source: ast.expr, body: list[ast.stmt], scope: Scope, helper: ast.AST | None
    ) -> None:
        try:
            rounds = self._tree.rounds(target, source, scope)
        except Unreadable:
            rounds = []
        if not 0 < len(rounds) <= _MOST_ROUNDS:
            rounds = [scope.inner(frame_of((), _names(target)))]
        for inner in rounds:
            for statement in body:
                self._visit(statement, inner, helper)

    def _comprehension(
        self,
        node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp,
        scope: Scope,
        helper: ast.AST | None,
    ) -> None:
        scopes = [scope]
        for generator in node.generators:
            for outer in scopes:
                self._visit(generator.iter, outer, helper)
            try:
                scopes = [
                    inner
                    for outer in scopes
                    for inner in self._tree.rounds(generator.target, generator.iter, outer)
                ]
            except Unreadable:
                scopes = [scopes[0].inner(frame_of((), _names(generator.target)))] if scopes else []
            scopes = scopes[:_MOST_ROUNDS]
        parts = [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        conditions = [condition for generator in node.generators for condition in generator.ifs]
        for inner in scopes:
            for part in (*parts, *conditions):
                self._visit(part, inner, helper)

    # --- calls --------------------------------------------------------------------------------------------------------

    def _call(self, node: ast.Call, scope: Scope, helper: ast.AST | None) -> None:
        if isinstance(node.func, ast.Attribute):
            receiver = _terminal(node.func.value)
            if node.func.attr == "labels" and receiver:
                self._calls.setdefault(receiver, []).append(self._label_call(node, scope))
            elif (
                node.func.attr == "info"
                and receiver
                and len(node.args) == 1
                and isinstance(node.args[0], ast.Dict)
            ):
                self._infos.setdefault(receiver, []).append(self._keys(node.args[0], scope))
        target = self._tree.target(node.func, scope)
        if isinstance(target, tuple):
            self._helpers.setdefault(target[0], []).append((node, scope))
        form, presets = _form(target), target.presets if isinstance(target, Outside) else ()
        if form is None and isinstance(node.func, ast.Attribute) and not isinstance(target, tuple):
            form = self._meter_form(node.func, scope.module)
        if form is None and isinstance(target, tuple) and isinstance(target[0], ast.ClassDef):
            form = self._inherited(*target)
        if form is not None:
            variable = self._variables.get(id(node), "")
            if helper is not None and self._needs(node, form, scope):
                self._waiting.append((node, form, presets, scope, helper, variable))
            else:
                self._declare(node, form, presets, scope, variable)

    def _meter_form(self, func: ast.Attribute, module: Module) -> _Form | None:
        if func.attr not in _METER_FORMS:
            return None
        imported = any(
            (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("opentelemetry"))
            or (isinstance(node, ast.Import) and any(a.name.startswith("opentelemetry") for a in node.names))
            for node in ast.walk(module.tree)
        )
        return _METER_FORMS[func.attr] if imported or "meter" in _terminal(func.value).lower() else None

    def _inherited(self, node: ast.ClassDef, scope: Scope) -> _Form | None:
        """The metric that a class of the source is a kind of, where it takes the same arguments."""
        own = any(isinstance(part, ast.FunctionDef) and part.name == "__init__" for part in node.body)
        forms = [_form(self._tree.target(base, scope)) for base in node.bases]
        return forms[0] if len(forms) == 1 and not own else None

    def _needs(self, node: ast.Call, form: _Form, scope: Scope) -> bool:
        """Whether the name of a declaration inside a function is not known without the function's arguments."""
        name = _arguments(node, form, (), scope).get("name")
        if name is None:
            return True
        try:
            self._tree.value(name.node, name.scope)
        except Unreadable:
            return True
        return False

    def _through_helper(
        self,
        node: ast.Call,
        form: _Form,
        presets: tuple[tuple[str, Bound], ...],
        scope: Scope,
        helper: ast.AST,
        variable: str,
    ) -> None:
        """Declare once for each call of the function around a declaration."""
        calls = self._helpers.get(helper, [])
        if (
            not isinstance(helper, (ast.FunctionDef, ast.AsyncFunctionDef))
            or not 0 < len(calls) <= _MOST_ROUNDS
        ):
            self._declare(node, form, presets, scope, variable)
            return
        for call, caller in calls:
            frame = _bound(helper.args, call, caller, scope)
            frames = [*scope.frames]
            index = max(i for i, one in enumerate(frames) if set(frame) <= set(one))
            frames[index] = frames[index] | frame
            inner = Scope(scope.module, tuple(frames), scope.members)
            self._declare(
                node, form, presets, inner, self._variables.get(id(call), ""), at=(caller.module, call)
            )

    def _label_call(self, node: ast.Call, scope: Scope) -> _LabelCall:
        if any(isinstance(argument, ast.Starred) for argument in node.args) or any(
            word.arg is None for word in node.keywords
        ):
            return _LabelCall([None] * 100, {})
        return _LabelCall(
            [self._texts(argument, scope) for argument in node.args],
            {word.arg: self._texts(word.value, scope) for word in node.keywords if word.arg},
        )

    def _texts(self, node: ast.expr, scope: Scope) -> tuple[str, ...] | None:
        if isinstance(node, ast.IfExp):
            one, other = self._texts(node.body, scope), self._texts(node.orelse, scope)
            return None if one is None or other is None else one + other
        try:
            value = self._tree.value(node, scope)
        except Unreadable:
            return None
        return None if isinstance(value, (tuple, dict)) else (str(value),)

    def _keys(self, node: ast.Dict, scope: Scope) -> tuple[str, ...] | None:
        try:
            return tuple(str(self._tree.value(key, scope)) for key in node.keys if key is not None) or None
        except Unreadable:
            return None

    # --- declarations -------------------------------------------------------------------------------------------------

    def _declare(
        self,
        node: ast.Call,
        form: _Form,
        presets: tuple[tuple[str, Bound], ...],
        scope: Scope,
        variable: str,
        at: tuple[Module, ast.Call] | None = None,
    ) -> None:
        module, place = at or (scope.module, node)
        where = f"{module.path}:{place.lineno}"
        arguments = _arguments(node, form, presets, scope)
        try:
            name = self._name(form, arguments)
        except Unreadable as missing:
            self._source.unread.append(
                Unread(where, form.kind, self._name_pattern(form, arguments), str(missing))
            )
            return
        except _Refused as refused:
            self._say_refused(where, form, refused)
            return
        try:
            metric = self._metric(name, form, arguments, where)
        except _Refused as refused:
            self._say_refused(where, form, refused)
            return
        self._found.append((metric, variable))

    def _say_refused(self, where: str, form: _Form, refused: _Refused) -> None:
        self._source.findings.append(
            Finding(
                "declaration-refused",
                "error",
                where,
                f"declares a {form.kind} that raises where it runs: {refused}",
                "declare it as prometheus_client takes it",
            )
        )

    def _name(self, form: _Form, arguments: dict[str, Bound]) -> str:
        if "name" not in arguments:
            raise Unreadable("its arguments")
        name = self._text_of(arguments, "name")
        if form.style == "meter":
            return _meter_name(name, form.kind, self._text_of(arguments, "unit"))
        if form.style == "ours":
            if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) is None:
                raise _Refused(f"{name!r} is no name that every tool takes")
            return f"{name.removesuffix('_total')}_total" if form.kind == "counter" else name
        if not name:
            raise _Refused("a metric needs a name")
        parts = [self._text_of(arguments, part) for part in ("namespace", "subsystem")]
        unit = self._text_of(arguments, "unit")
        return _full_name("_".join([*filter(None, parts), name]), form.kind, unit)

    def _name_pattern(self, form: _Form, arguments: dict[str, Bound]) -> str:
        parts = [
            self._tree.pattern(arguments[part].node, arguments[part].scope)
            for part in ("namespace", "subsystem", "name")
            if part in arguments and not _is_empty(arguments[part].node)
        ]
        pattern = "_".join(parts) or ".+"
        ending = "_total" if form.kind == "counter" else "_info" if form.kind == "info" else ""
        return f"{pattern.removesuffix(ending)}(?:_.+)?{ending}" if ending else f"{pattern}(?:_.+)?"

    def _text_of(self, arguments: dict[str, Bound], name: str) -> str:
        if name not in arguments:
            return ""
        value = self._tree.value(arguments[name].node, arguments[name].scope)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise Unreadable(f"its {name}")
        return value

    def _metric(self, name: str, form: _Form, arguments: dict[str, Bound], where: str) -> Emitted:
        labels, values = self._labels(form, arguments, name, where)
        if labels is not None and form.style in ("client", "ours"):
            _refuse_labels(labels, form.kind)
        buckets = None
        if form.kind == "histogram" and form.style != "family":
            buckets = self._buckets(form, arguments, name, where)
        if form.kind == "stateset":
            states = self._known(arguments.get("states"), name, "states", where)
            if form.style == "client" and "states" not in arguments:
                raise _Refused("an Enum needs its states")
            if labels is not None:
                labels = (*labels, name)
            if isinstance(states, tuple):
                values = ((name, tuple(str(state) for state in states)),)
        try:
            unit = self._text_of(arguments, "unit")
        except Unreadable:
            unit = ""
        return Emitted(name, form.kind, where, "source", labels, buckets, values, bool(values), unit)

    def _labels(
        self, form: _Form, arguments: dict[str, Bound], name: str, where: str
    ) -> tuple[tuple[str, ...] | None, tuple[tuple[str, tuple[str, ...]], ...]]:
        if form.style == "meter":
            return None, ()
        given = arguments.get("labelnames" if form.style == "client" else "labels")
        if form.kind == "info" or (
            form.style == "family" and "value" in arguments and form.kind == "stateset"
        ):
            return None, ()
        if given is None or (isinstance(given.node, ast.Constant) and given.node.value is None):
            return (), ()
        value = self._known(given, name, "labels", where)
        if isinstance(value, dict):
            known = {str(label): one for label, one in value.items()}
            return tuple(known), tuple(
                (label, tuple(str(one) for one in ones))
                for label, ones in known.items()
                if isinstance(ones, tuple) and ones
            )
        if isinstance(value, str):
            return tuple(value), ()  # what iterating over a text gives, as it does where it runs
        if isinstance(value, tuple):
            return tuple(str(label) for label in value), ()
        return None, ()

    def _buckets(
        self, form: _Form, arguments: dict[str, Bound], name: str, where: str
    ) -> tuple[float, ...] | None:
        given = arguments.get("explicit_bucket_boundaries_advisory" if form.style == "meter" else "buckets")
        if given is None:
            default = tuple(float(bound) for bound in Histogram.DEFAULT_BUCKETS)
            return None if form.style == "meter" else tuple(bound for bound in default if bound != math.inf)
        value = self._known(given, name, "buckets", where)
        if not isinstance(value, tuple):
            return None
        try:
            bounds = [float(bound) for bound in value]
        except (TypeError, ValueError):
            raise _Refused("a bucket is no number") from None
        if bounds != sorted(bounds):
            raise _Refused("its buckets are not in ascending order")
        finite = tuple(bound for bound in bounds if bound != math.inf)
        if not finite and form.style != "meter":
            raise _Refused("it needs at least one bucket besides the infinite one")
        return finite

    def _known(self, given: Bound | None, name: str, what: str, where: str) -> Any:
        """A value; None where it cannot be read, which is said."""
        if given is None:
            return None
        try:
            return self._tree.value(given.node, given.scope)
        except Unreadable as missing:
            self._source.findings.append(
                Finding(
                    "declaration-not-read",
                    "info",
                    where,
                    f"the {what} of {name} depend on {missing}, so nothing is said of them",
                    "write them as constants, or give the text of its /metrics with --also",
                )
            )
            return None

    # --- values of labels ---------------------------------------------------------------------------------------------

    def _with_values(self, metric: Emitted, variable: str) -> Emitted:
        if metric.kind == "info" and metric.labels is None:
            keys = self._infos.get(variable)
            if variable and keys and variable not in self._open and all(one is not None for one in keys):
                return replace(
                    metric, labels=tuple(dict.fromkeys(itertools.chain.from_iterable(k for k in keys if k)))
                )
            return metric
        if metric.kind not in ("counter", "gauge", "histogram", "summary") or not metric.labels:
            return metric
        declared = dict(metric.values)
        found = self._values_at_calls(variable, metric.labels) if variable else {}
        if declared:
            values = {label: (*values, *(found.get(label) or ())) for label, values in declared.items()}
        elif variable in self._open:
            return metric
        else:
            values = {label: values for label, values in found.items() if values}
        return replace(metric, values=tuple((label, tuple(dict.fromkeys(values[label]))) for label in values))

    def _values_at_calls(self, variable: str, labels: tuple[str, ...]) -> dict[str, tuple[str, ...] | None]:
        found: dict[str, tuple[str, ...] | None] = {}
        for call in self._calls.get(variable, ()):
            named = dict(zip(labels, call.positional, strict=False)) | call.named
            for label, value in named.items():
                before = found.get(label, ())
                found[label] = None if value is None or before is None else before + value
        return found

    def _calls_of_ours(self) -> dict[str, dict[str, tuple[str, ...]]]:
        """The library's metrics that have a property of their own are called by it: `metrics.orders_created`."""
        return {
            name: {
                label: values
                for label, values in self._values_at_calls(
                    name.removesuffix("_total"), instrument.labels
                ).items()
                if values
            }
            for name, instrument in INSTRUMENTS.items()
            if self._calls.get(name.removesuffix("_total"))
        }


# Details


def _form(target: Any) -> _Form | None:
    if not isinstance(target, Outside):
        return None
    head, _, last = target.name.rpartition(".")
    if head.partition(".")[0] == "prometheus_client":
        return _CLIENT_FORMS.get(last)
    return _OUR_FORMS.get(last) if _OUR_METRICS.match(head) else None


def _arguments(
    node: ast.Call, form: _Form, presets: tuple[tuple[str, Bound], ...], scope: Scope
) -> dict[str, Bound]:
    """The arguments by parameter; without a name where they are unpacked from something that hides it."""
    arguments = dict(presets)
    for parameter, argument in zip(form.parameters, node.args, strict=False):
        if isinstance(argument, ast.Starred):
            break
        arguments[parameter] = Bound(argument, scope)
    arguments.update({word.arg: Bound(word.value, scope) for word in node.keywords if word.arg})
    return arguments


def _bound(parameters: ast.arguments, call: ast.Call, caller: Scope, scope: Scope) -> dict[str, Any]:
    """The parameters of a function with the arguments of one call."""
    named = [one.arg for one in (*parameters.posonlyargs, *parameters.args)]
    if named[:1] in (["self"], ["cls"]):
        named = named[1:]
    outer = Scope(scope.module, scope.frames[:-1], scope.members)
    frame: dict[str, Any] = {}
    for name, default in zip(reversed(named), reversed(parameters.defaults), strict=False):
        frame[name] = Bound(default, outer)
    for one, default_value in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
        if default_value is not None:
            frame[one.arg] = Bound(default_value, outer)
    for name, argument in zip(named, call.args, strict=False):
        if isinstance(argument, ast.Starred):
            break
        frame[name] = Bound(argument, caller)
    known = {one.arg for one in _parameters(parameters)}
    frame.update({w.arg: Bound(w.value, caller) for w in call.keywords if w.arg and w.arg in known})
    return frame


def _parameters(arguments: ast.arguments) -> list[ast.arg]:
    several = [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *several]


def _names(target: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]


def _terminal(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _is_empty(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and not node.value


def _full_name(name: str, kind: Kind, unit: str) -> str:
    """As prometheus_client builds it (`metrics._build_full_name`, `metrics_core.Metric`)."""
    if kind == "counter":
        name = name.removesuffix("_total")
    if unit and kind in ("info", "stateset"):
        raise _Refused(f"an {kind} has no unit")
    if unit and not name.endswith(f"_{unit}"):
        name = f"{name}_{unit}"
    return f"{name}_total" if kind == "counter" else f"{name}_info" if kind == "info" else name


_RESERVED: dict[str, frozenset[str]] = {"histogram": frozenset({"le"}), "summary": frozenset({"quantile"})}


def _refuse_labels(labels: tuple[str, ...], kind: Kind) -> None:
    """As prometheus_client does (`validation._validate_labelnames`)."""
    for label in labels:
        if not label or label.startswith("__"):
            raise _Refused(f"{label!r} cannot be a label")
        if label in _RESERVED.get(kind, ()):
            raise _Refused(f"a {kind} has the label {label} already")


# Units of OpenTelemetry in words (prometheus/otlptranslator, and the collector's translator/prometheus).
_UNITS = {
    "d": "days",
    "h": "hours",
    "min": "minutes",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "By": "bytes",
    "KiBy": "kibibytes",
    "MiBy": "mebibytes",
    "GiBy": "gibibytes",
    "TiBy": "tibibytes",
    "KBy": "kilobytes",
    "MBy": "megabytes",
    "GBy": "gigabytes",
    "TBy": "terabytes",
    "m": "meters",
    "V": "volts",
    "A": "amperes",
    "J": "joules",
    "W": "watts",
    "g": "grams",
    "Cel": "celsius",
    "Hz": "hertz",
    "1": "",
    "%": "percent",
}
_PER = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}


def _meter_name(name: str, kind: Kind, unit: str) -> str:
    words = [word for word in re.split(r"[^a-zA-Z0-9:]+", name) if word]
    if not words:
        raise _Refused("an instrument needs a name")
    main, _, per = unit.partition("/")
    for part, names, before in ((main, _UNITS, ""), (per, _PER, "per_")):
        text = "" if "{" in part else part.strip()
        suffix = names.get(text, re.sub(r"[^a-zA-Z0-9]+", "_", text).strip("_"))
        if suffix and suffix not in words:
            words.append(f"{before}{suffix}")
    if kind == "gauge" and unit == "1":
        words = [*(word for word in words if word != "ratio"), "ratio"]
    if kind == "counter":
        words = [*(word for word in words if word != "total"), "total"]
    full = "_".join(words)
    return f"_{full}" if full[0].isdigit() else full
