"""Constants of Python source, worked out without running it.

A name is followed through assignments, classes, loops over constants and imports of other modules of the same folders. What
depends on anything else (a parameter, the environment, a name that is assigned twice) is `Unreadable`.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["Bound", "Module", "Outside", "Scope", "Tree", "Unreadable", "frame_of", "loop_of"]

_DEPTH = 40
_LONGEST = 10_000
_MUTATING = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "update", "sort", "reverse", "add", "setdefault"}
)


class Unreadable(Exception):  # noqa: N818  # the state of an expression, caught by who asked
    """The value depends on more than constants; the text says on what."""


@dataclass(frozen=True, slots=True)
class Bound:
    """An expression and the scope to read it in."""

    node: ast.expr
    scope: Scope


@dataclass(frozen=True, slots=True)
class _Value:
    """A value that is known already, such as that of a loop's variable in one round."""

    value: Any


@dataclass(frozen=True, slots=True)
class _Import:
    """`level` dots, a module, and the name that is taken from it, empty for the module itself."""

    level: int
    module: str
    name: str


@dataclass(frozen=True, slots=True)
class Outside:
    """Something of a module that is not in the folders, by its full name, with arguments that `partial` has bound."""

    name: str
    presets: tuple[tuple[str, Bound], ...] = ()


_UNKNOWN = object()
Frame = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Module:
    """A file of source: its names at the top and what they are bound to."""

    path: Path
    root: Path
    tree: ast.Module
    names: Frame = field(default_factory=dict)
    stars: list[_Import] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names.update(frame_of(self.tree.body))
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    bound = alias.asname or alias.name.partition(".")[0]
                    self.names[bound] = _Import(0, alias.name if alias.asname else bound, "")
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found = _Import(node.level, node.module or "", alias.name)
                    if alias.name == "*":
                        self.stars.append(found)
                    else:
                        self.names[alias.asname or alias.name] = found
            elif isinstance(node, ast.Global):
                self.names.update(dict.fromkeys(node.names, _UNKNOWN))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                changed = node.func.value
                if (
                    node.func.attr in _MUTATING
                    and isinstance(changed, ast.Name)
                    and isinstance(self.names.get(changed.id), ast.expr)
                ):
                    self.names[changed.id] = _UNKNOWN


@dataclass(frozen=True, eq=False)
class Scope:
    """Where an expression stands: its module, the class around it, and the names of functions and loops, innermost last."""

    module: Module
    frames: tuple[Frame, ...] = ()
    members: Frame | None = None

    def inner(self, frame: Frame) -> Scope:
        """The scope with more names."""
        return Scope(self.module, (*self.frames, frame), self.members)


def frame_of(body: Iterable[ast.stmt], parameters: Iterable[str] = ()) -> Frame:
    """The names that statements bind, each with its expression; what is bound twice to different things is not known."""
    frame: Frame = dict.fromkeys(parameters, _UNKNOWN)

    def bind(name: str, value: Any) -> None:
        had = frame.get(name)
        same = isinstance(had, ast.expr) and isinstance(value, ast.expr) and ast.dump(had) == ast.dump(value)
        frame[name] = value if name not in frame or same else _UNKNOWN

    def look(statements: Iterable[ast.stmt]) -> None:
        for node in statements:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    unpack(target, node.value)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                unpack(node.target, node.value)
            elif isinstance(node, ast.AugAssign):
                unpack(node.target, None)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                bind(node.name, node)
            elif isinstance(node, (ast.For, ast.AsyncFor)):
                unpack(node.target, None)
            elif isinstance(node, (ast.With, ast.AsyncWith)):
                for item in node.items:
                    if item.optional_vars is not None:
                        unpack(item.optional_vars, None)
            for part in ("body", "orelse", "finalbody"):
                if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                    look(getattr(node, part, ()))
            for handler in getattr(node, "handlers", ()):
                look(handler.body)

    def unpack(target: ast.expr, value: ast.expr | None) -> None:
        if isinstance(target, ast.Name):
            bind(target.id, _UNKNOWN if value is None else value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            parts: list[ast.expr | None] = [None] * len(target.elts)
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
                parts = list(value.elts)
            for one, part in zip(target.elts, parts, strict=True):
                unpack(one, part)
        elif isinstance(target, ast.Starred):
            unpack(target.value, None)

    look(body)
    return frame


def loop_of(target: ast.expr, value: Any) -> Frame:
    """The names of a loop in one round.

    Raises:
        Unreadable: The value does not fit.
    """
    if isinstance(target, ast.Name):
        return {target.id: _Value(value)}
    if (
        isinstance(target, (ast.Tuple, ast.List))
        and isinstance(value, (tuple, list))
        and len(value) == len(target.elts)
    ):
        frame: Frame = {}
        for one, part in zip(target.elts, value, strict=True):
            frame |= loop_of(one, part)
        return frame
    raise Unreadable("a loop's variable")


class Tree:
    """The modules of some folders, and what their expressions come to."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.modules = {module.path.resolve(): module for module in modules}
        self._found_modules: dict[tuple[int, str, Path], Module | None] = {}
        self._roots = list(dict.fromkeys(module.root.resolve() for module in self.modules.values()))

    # --- names --------------------------------------------------------------------------------------------------------

    def target(self, node: ast.expr, scope: Scope, depth: int = 0) -> Any:
        """What a callee is: `Outside`, a module, a function or a class of the folders as (node, scope); None where unknown."""
        if depth > _DEPTH:
            return None
        if isinstance(node, ast.Name):
            return self._target_of_name(node.id, scope, depth)
        if isinstance(node, ast.Attribute):
            if (
                isinstance(node.value, ast.Name)
                and node.value.id in ("self", "cls")
                and scope.members is not None
            ):
                member = scope.members.get(node.attr)
                return (
                    (member, scope) if isinstance(member, (ast.FunctionDef, ast.AsyncFunctionDef)) else None
                )
            owner = self.target(node.value, scope, depth + 1)
            if isinstance(owner, Outside):
                return Outside(f"{owner.name}.{node.attr}")
            if isinstance(owner, Module):
                return self._target_of_name(node.attr, Scope(owner), depth + 1) or self._submodule(
                    owner, node.attr
                )
            return None
        if isinstance(node, ast.Call):
            maker = self.target(node.func, scope, depth + 1)
            if isinstance(maker, Outside) and maker.name == "functools.partial" and len(node.args) == 1:
                made = self.target(node.args[0], scope, depth + 1)
                if isinstance(made, Outside):
                    more = tuple((word.arg, Bound(word.value, scope)) for word in node.keywords if word.arg)
                    return Outside(made.name, (*made.presets, *more))
        return None

    def _target_of_name(self, name: str, scope: Scope, depth: int) -> Any:
        found, where = self._find(name, scope)
        if isinstance(found, Bound):
            return self.target(found.node, found.scope, depth + 1)
        if isinstance(found, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            return found, where
        if isinstance(found, ast.expr):
            return self.target(found, where, depth + 1)
        if isinstance(found, _Import):
            return self._imported(found, where.module, depth)
        for star in scope.module.stars if found is None else ():
            taken = self._imported(_Import(star.level, star.module, name), scope.module, depth)
            if taken is not None:
                return taken
        return None

    def _imported(self, found: _Import, module: Module, depth: int) -> Any:
        if depth > _DEPTH:
            return None
        source = self._module(found.level, found.module, module)
        if source is None:
            if found.level == 0:
                return Outside(f"{found.module}.{found.name}" if found.name else found.module)
            return None
        if not found.name:
            return source
        return self._target_of_name(found.name, Scope(source), depth + 1) or self._submodule(
            source, found.name
        )

    def _find(self, name: str, scope: Scope) -> tuple[Any, Scope]:
        for count in range(len(scope.frames), 0, -1):
            if name in scope.frames[count - 1]:
                return scope.frames[count - 1][name], Scope(scope.module, scope.frames[:count], scope.members)
        return scope.module.names.get(name), Scope(scope.module)

    def _module(self, level: int, name: str, importer: Module) -> Module | None:
        key = (level, name, importer.path)
        if key not in self._found_modules:
            self._found_modules[key] = self._search(level, name, importer)
        return self._found_modules[key]

    def _search(self, level: int, name: str, importer: Module) -> Module | None:
        parts = name.split(".") if name else []
        here = importer.path.resolve().parent
        if level:
            for _ in range(level - 1):
                here = here.parent
            return self._at(here.joinpath(*parts))
        bases = [here]
        root = importer.root.resolve()
        while bases[0] not in (root, root.parent) and bases[0] != bases[0].parent:
            bases.insert(0, bases[0].parent)
        for other in self._roots:
            bases += [other, other / "src", other.parent]
            package = other
            while (package / "__init__.py").is_file():
                package = package.parent
            bases.append(package)
        for base in bases:
            found = self._at(base.joinpath(*parts))
            if found is not None:
                return found
        return None

    def _at(self, path: Path) -> Module | None:
        return self.modules.get(path.with_name(f"{path.name}.py")) or self.modules.get(path / "__init__.py")

    def _submodule(self, package: Module, name: str) -> Module | None:
        return self._at(package.path.resolve().parent / name) if package.path.name == "__init__.py" else None

    # --- values -------------------------------------------------------------------------------------------------------

    def value(self, node: ast.expr, scope: Scope, depth: int = 0) -> Any:
        """The value of a constant expression: texts, numbers, tuples, dictionaries.

        Raises:
            Unreadable: It is none.
        """
        if depth > _DEPTH:
            raise Unreadable("a definition that goes in circles")
        try:
            value = self._value(node, scope, depth + 1)
        except (
            TypeError,
            ValueError,
            KeyError,
            IndexError,
            AttributeError,
            ArithmeticError,
            MemoryError,
            RecursionError,
        ):
            raise Unreadable(_text(node)) from None
        if isinstance(value, (str, tuple, dict)) and len(value) > _LONGEST:
            raise Unreadable(f"{_text(node)}, which is very long")
        return value

    def pattern(self, node: ast.expr, scope: Scope) -> str:
        """A regular expression for a text of which only parts are known."""
        try:
            return re.escape(str(self.value(node, scope)))
        except Unreadable:
            pass
        if isinstance(node, ast.JoinedStr):
            return "".join(self.pattern(part, scope) for part in node.values)
        if isinstance(node, ast.FormattedValue):
            return self.pattern(node.value, scope)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return self.pattern(node.left, scope) + self.pattern(node.right, scope)
        if isinstance(node, ast.Name):
            found, where = self._find(node.id, scope)
            if isinstance(found, Bound):
                return self.pattern(found.node, found.scope)
            if isinstance(found, (ast.JoinedStr, ast.BinOp)):
                return self.pattern(found, where)
        return ".+"

    def _value(self, node: ast.expr, scope: Scope, depth: int) -> Any:
        def of(part: ast.expr) -> Any:
            return self.value(part, scope, depth)

        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return self._value_of_name(node.id, scope, depth)
            case ast.Attribute():
                return self._value_of_attribute(node, scope, depth)
            case ast.Tuple() | ast.List() | ast.Set():
                return self._items(node.elts, scope, depth)
            case ast.Dict():
                merged: dict[Any, Any] = {}
                for key, part in zip(node.keys, node.values, strict=True):
                    merged |= of(part) if key is None else {of(key): of(part)}
                return merged
            case ast.JoinedStr():
                return "".join(str(of(part)) for part in node.values)
            case ast.FormattedValue() if node.conversion == -1:
                spec = of(node.format_spec) if node.format_spec is not None else ""
                if re.search(r"\d{4}", spec):
                    raise Unreadable(_text(node))
                return format(of(node.value), spec)
            case ast.UnaryOp(op=ast.USub()):
                return -of(node.operand)
            case ast.UnaryOp(op=ast.UAdd()):
                return +of(node.operand)
            case ast.BinOp():
                return _calculated(node.op, of(node.left), of(node.right))
            case ast.Subscript():
                return of(node.value)[of(node.slice)]
            case ast.Slice():
                return slice(
                    *(None if part is None else of(part) for part in (node.lower, node.upper, node.step))
                )
            case ast.Starred():
                return of(node.value)
            case ast.ListComp() | ast.GeneratorExp() | ast.SetComp():
                return tuple(
                    self.value(node.elt, inner, depth)
                    for inner in self._rounds(node.generators, scope, depth)
                )
            case ast.DictComp():
                return {
                    self.value(node.key, inner, depth): self.value(node.value, inner, depth)
                    for inner in self._rounds(node.generators, scope, depth)
                }
            case ast.Call():
                return self._value_of_call(node, scope, depth)
        raise Unreadable(_text(node))

    def rounds(self, target: ast.expr, source: ast.expr, scope: Scope) -> list[Scope]:
        """The scopes of the rounds of a loop over constants.

        Raises:
            Unreadable: It runs over something else.
        """
        return [scope.inner(loop_of(target, value)) for value in _sequence(self.value(source, scope))]

    def _rounds(self, generators: list[ast.comprehension], scope: Scope, depth: int) -> list[Scope]:
        scopes = [scope]
        for generator in generators:
            if generator.ifs or generator.is_async:
                raise Unreadable("a comprehension with a condition")
            scopes = [
                outer.inner(loop_of(generator.target, value))
                for outer in scopes
                for value in _sequence(self.value(generator.iter, outer, depth))
            ]
            if len(scopes) > _LONGEST:
                raise Unreadable("a very long comprehension")
        return scopes

    def _items(self, nodes: list[ast.expr], scope: Scope, depth: int) -> tuple[Any, ...]:
        items: list[Any] = []
        for part in nodes:
            value = self.value(part, scope, depth)
            items += _sequence(value) if isinstance(part, ast.Starred) else [value]
        return tuple(items)

    def _value_of_name(self, name: str, scope: Scope, depth: int) -> Any:
        found, where = self._find(name, scope)
        if isinstance(found, _Value):
            return found.value
        if isinstance(found, Bound):
            return self.value(found.node, found.scope, depth)
        if isinstance(found, ast.expr):
            return self.value(found, where, depth)
        if isinstance(found, _Import):
            return self._value_of_import(found, where.module, depth)
        if found is None:
            for star in scope.module.stars:
                source = self._module(star.level, star.module, scope.module)
                if source is not None and name in source.names:
                    return self._value_of_name(name, Scope(source), depth)
        raise Unreadable(f"`{name}`")

    def _value_of_import(self, found: _Import, module: Module, depth: int) -> Any:
        source = self._module(found.level, found.module, module)
        if source is not None and found.name in source.names:
            if depth > _DEPTH:
                raise Unreadable("imports that go in circles")
            return self._value_of_name(found.name, Scope(source), depth + 1)
        if source is None and found.level == 0:
            return _constant_outside(f"{found.module}.{found.name}")
        raise Unreadable(f"`{found.name}` of {found.module or 'a package'}")

    def _value_of_attribute(self, node: ast.Attribute, scope: Scope, depth: int) -> Any:
        if (
            isinstance(node.value, ast.Name)
            and node.value.id in ("self", "cls")
            and scope.members is not None
        ):
            member = scope.members.get(node.attr)
            if isinstance(member, ast.expr):
                return self.value(member, Scope(scope.module), depth)
            raise Unreadable(_text(node))
        owner = self.target(node.value, scope, depth)
        if isinstance(owner, Module):
            return self._value_of_name(node.attr, Scope(owner), depth)
        if isinstance(owner, Outside):
            return _constant_outside(f"{owner.name}.{node.attr}")
        if isinstance(owner, tuple) and isinstance(owner[0], ast.ClassDef):
            member = frame_of(owner[0].body).get(node.attr)
            if isinstance(member, ast.expr):
                return self.value(member, owner[1], depth)
            raise Unreadable(_text(node))
        if node.attr == "value":  # of a member of an enumeration
            return self.value(node.value, scope, depth)
        raise Unreadable(_text(node))

    def _value_of_call(self, node: ast.Call, scope: Scope, depth: int) -> Any:
        if node.keywords and not (isinstance(node.func, ast.Attribute) and node.func.attr == "format"):
            raise Unreadable(_text(node))
        arguments = self._items(node.args, scope, depth)
        if isinstance(node.func, ast.Name) and self._find(node.func.id, scope)[0] is None:
            function = _BUILTINS.get(node.func.id)
            if function is not None:
                return function(*arguments)
        if isinstance(node.func, ast.Attribute):
            subject = self.value(node.func.value, scope, depth)
            words = {word.arg: self.value(word.value, scope, depth) for word in node.keywords if word.arg}
            if isinstance(subject, str) and node.func.attr in _TEXT_METHODS:
                text = getattr(subject, node.func.attr)(*arguments, **words)
                return tuple(text) if isinstance(text, list) else text
            if isinstance(subject, dict) and node.func.attr in ("keys", "values", "items") and not arguments:
                return tuple(getattr(subject, node.func.attr)())
        raise Unreadable(_text(node))


def _sequence(value: Any) -> list[Any]:
    if not isinstance(value, (tuple, str, dict)):
        raise Unreadable("a sequence")
    return list(value)


def _short_range(*arguments: Any) -> tuple[int, ...]:
    numbers = range(*arguments)
    if len(numbers) > _LONGEST:
        raise Unreadable("a very long range")
    return tuple(numbers)


_BUILTINS: Mapping[str, Callable[..., Any]] = {
    "tuple": tuple,
    "list": tuple,
    "set": lambda items=(): tuple(dict.fromkeys(items)),
    "frozenset": lambda items=(): tuple(dict.fromkeys(items)),
    "sorted": lambda items: tuple(sorted(items)),
    "float": float,
    "int": int,
    "str": str,
    "round": round,
    "dict": dict,
    "range": _short_range,
}
_TEXT_METHODS = frozenset(
    {"join", "lower", "upper", "format", "replace", "strip", "removeprefix", "removesuffix", "split"}
)
_OPERATIONS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Sub: operator.sub,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


def _calculated(how: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(how, ast.Add):
        return left + right
    if isinstance(how, ast.BitOr) and isinstance(left, dict):
        return left | right
    numbers = all(isinstance(side, (int, float)) for side in (left, right))
    if isinstance(how, ast.Mult) and numbers:
        return left * right
    if isinstance(how, ast.Pow) and numbers and abs(left) <= 1e6 and abs(right) <= 64:
        return left**right
    if isinstance(how, ast.Mod) and isinstance(left, str):
        return left % right
    if type(how) in _OPERATIONS and numbers:
        return _OPERATIONS[type(how)](left, right)
    raise Unreadable("a calculation")


def _constant_outside(name: str) -> Any:
    if name in ("math.inf", "numpy.inf", "prometheus_client.utils.INF", "prometheus_client.metrics.INF"):
        return math.inf
    if name.startswith("prometheus_client.") and name.endswith("Histogram.DEFAULT_BUCKETS"):
        from prometheus_client import Histogram

        return tuple(Histogram.DEFAULT_BUCKETS)
    raise Unreadable(f"`{name.rstrip('.')}`")


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return f"`{text if len(text) <= 60 else text[:57] + '...'}`"
