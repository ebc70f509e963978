"""A judge of Terraform JSON that knows nothing of this package: the AWS provider's published types, and `tsc`.

The document becomes a TypeScript program in which every resource is a constant of its published type; what the compiler
says about a line is said about the attribute that stands there. package.json names the types and their version.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from orders_obs.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["check", "check_all"]

_HERE = Path(__file__).parent
_REMEDY = "run `make terraform-types`, which needs Node.js 20 or newer"
_OPTIONS = (
    "--noEmit", "--strict", "--skipLibCheck", "--pretty", "false",
    "--target", "es2022", "--module", "node16", "--moduleResolution", "node16",
)  # fmt: skip

_SECTIONS = {"//", "terraform", "provider", "resource", "data", "import", "moved"}
_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_ADDRESS = re.compile(rf"aws_[a-z0-9_]+\.{_LABEL.pattern}")
_REFERENCE = re.compile(rf"(?<![\w.])(?P<address>(data\.)?{_ADDRESS.pattern})(\.(?P<attribute>\w+))?")
_DIAGNOSIS = re.compile(r"document(?P<document>\d+)\.ts\((?P<line>\d+),\d+\): error TS\d+: (?P<message>.*)")
# Terraform reads these itself; the published types give them the forms of another tool.
_OF_TERRAFORM = {"//", "depends_on", "provider", "for_each"}


def check(document: dict[str, Any], workdir: Path) -> list[str]:
    """What is wrong with a document, as `ADDRESS.ATTRIBUTE: what`; empty where nothing is.

    Of a resource that is wrong the compiler says at least one thing, not always everything at once. The types know
    names, nesting, what is required and the kind of a value; they do not know ranges, enumerations or conflicts.

    Args:
        document: Terraform JSON: `terraform`, `provider`, `resource`, `data`, `import` and `moved`.
        workdir: Where the program may be written.

    Raises:
        EnvironmentFault: Node.js, the compiler or the types are not there, or cannot be used.
    """
    return check_all({"": document}, workdir)[""]


def check_all(documents: Mapping[str, dict[str, Any]], workdir: Path) -> dict[str, list[str]]:
    """What is wrong with each of several documents, as `check` says it, in one run of the compiler."""
    tsc, lib = _toolchain()
    programs = [_Program(document, lib) for document in documents.values()]
    for index, program in enumerate(programs):
        program.write()
        (workdir / f"document{index}.ts").write_text(program.text, encoding="utf-8")
    _compile(programs, tsc, workdir)
    return {name: program.found for name, program in zip(documents, programs, strict=True)}


def _toolchain() -> tuple[tuple[str, str], Path]:
    """The command of the compiler, and the folder of the types."""
    modules = _HERE / "node_modules"
    wanted: dict[str, str] = json.loads((_HERE / "package.json").read_text())["devDependencies"]
    for name, version in wanted.items():
        manifest = modules / name / "package.json"
        there = json.loads(manifest.read_text())["version"] if manifest.is_file() else "nothing"
        if there != version:
            message = f"the judge of Terraform documents needs {name} {version}, and found {there}"
            raise EnvironmentFault(message, hint=_REMEDY)
    node = shutil.which("node")
    if node is None:
        raise EnvironmentFault("the judge of Terraform documents needs Node.js", hint=_REMEDY)
    package = next(name for name in wanted if name.endswith("/provider-aws"))
    return (node, str(modules / "typescript/bin/tsc")), modules / package / "lib"


@dataclass(frozen=True, slots=True)
class _Type:
    """What an attribute takes. `plain` is values, lists or maps of them, `unknown` what its module does not describe."""

    form: Literal["block", "blocks", "plain", "unknown"]
    interface: str = ""


_PLAIN, _UNKNOWN = _Type("plain"), _Type("unknown")


@dataclass(frozen=True)
class _Module:
    """The published types of one kind of resource: its class, and the attributes of its blocks by interface."""

    path: Path
    name: str
    interfaces: dict[str, dict[str, _Type]]

    @property
    def body(self) -> _Type:
        return _Type("block", f"{self.name}Config")


@cache
def _module(folder: Path, kind: str) -> _Module | None:
    """The types in a folder; None where the provider has no such kind."""
    index = folder / "index.d.ts"
    text = index.read_text() if index.is_file() else ""
    before, found, _ = text.partition(f'static readonly tfResourceType = "{kind}"')
    if not found:
        return None
    name = re.findall(r"^export declare class (\w+)", before, re.MULTILINE)[-1]
    bodies = dict(re.findall(r"^export interface (\w+)[^{\n]*\{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL))
    attribute = re.compile(r"^    readonly (\w+)\??: (.+?);$", re.MULTILINE | re.DOTALL)
    interfaces = {
        interface: {name: _type(text, bodies.keys()) for name, text in attribute.findall(body)}
        for interface, body in bodies.items()
    }
    return _Module(index, name, interfaces)


def _type(text: str, interfaces: Collection[str]) -> _Type:
    name = re.sub(r" \| \w+\.IResolvable$", "", text)
    if name in interfaces:
        return _Type("block", name)
    if name.removesuffix("[]") in interfaces:
        return _Type("blocks", name.removesuffix("[]"))
    return _PLAIN


@dataclass
class _Program:
    """The document as TypeScript: its lines, the place in the document of each, and what is wrong without compiling."""

    document: dict[str, Any]
    lib: Path
    found: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)
    references: list[tuple[str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def write(self) -> None:
        for section in sorted(self.document.keys() - _SECTIONS):
            self._say(section, "not a section that the judge knows")
        self._terraform()
        self._providers()
        bodies = self._resources()
        for address, (module, body) in bodies.items():
            self._resource(address, module, body)
        for reference, place in self.references:
            self._line(reference, place)
        self._imports()
        self._moves()

    def _say(self, place: str, message: str) -> None:
        self.found.append(f"{place}: {message}")

    def _line(self, text: str, place: str) -> None:
        self.lines.append(text)
        self.places.append(place)

    def _terraform(self) -> None:
        block = self.document.get("terraform", {})
        for key in sorted(block.keys() - {"required_providers", "required_version"}):
            self._say(f"terraform.{key}", "not an argument that the judge knows")
        required = block.get("required_providers", {}).get("aws", {})
        if required.keys() != {"source", "version"} or required["source"] != "hashicorp/aws":
            self._say("terraform.required_providers.aws", "needs the source hashicorp/aws and a version")

    def _providers(self) -> None:
        module = _module(self.lib / "provider", "aws")
        if module is None:
            raise EnvironmentFault(f"{self.lib} has no types of the provider itself", hint=_REMEDY)
        self._import("provider", module)
        for name, bodies in self._children(self.document.get("provider", {}), "provider"):
            if name != "aws":
                self._say(f"provider.{name}", "not the provider aws")
                continue
            for index, body in enumerate(bodies if isinstance(bodies, list) else [bodies]):
                opening = f"const provider_{index}: provider.{module.body.interface} = "
                self._value(opening, body, module.body, module, f"provider.aws[{index}]", ";")

    def _resources(self) -> dict[str, tuple[_Module, dict[str, Any]]]:
        """Import the types and name each resource, so that all may refer to all."""
        bodies: dict[str, tuple[_Module, dict[str, Any]]] = {}
        for section, prefix in (("resource", ""), ("data", "data.")):
            for kind, made in self._children(self.document.get(section, {}), section):
                folder = prefix.replace(".", "_") + (kind if prefix else kind.removeprefix("aws_"))
                module = _module(self.lib / folder.replace("_", "-"), kind)
                namespace = f"{prefix}{kind}".replace(".", "_")
                if module is None:
                    self._say(f"{prefix}{kind}", f"the provider has no such {section}")
                else:
                    self._import(namespace, module)
                for label, body in self._children(made, f"{prefix}{kind}"):
                    address = f"{prefix}{kind}.{label}"
                    constant = self.constants[address] = f"r{len(self.constants)}" if module else ""
                    if not _LABEL.fullmatch(label):
                        self._say(address, "a label has letters, digits, _ and -, and no digit first")
                    if module and not isinstance(body, dict):
                        self._say(address, "must be a mapping")
                    elif module:
                        self._line(f"declare const {constant}: {namespace}.{module.name};", address)
                        bodies[address] = (module, body)
        return bodies

    def _children(self, value: Any, place: str) -> list[tuple[str, Any]]:
        if not isinstance(value, dict):
            self._say(place, "must be a mapping")
            return []
        return [(key, child) for key, child in value.items() if key != "//"]

    def _import(self, namespace: str, module: _Module) -> None:
        source = json.dumps(module.path.with_name("index.js").as_posix())
        self._line(f"import type * as {namespace} from {source};", namespace)

    def _resource(self, address: str, module: _Module, body: dict[str, Any]) -> None:
        kind, _, _ = address.rpartition(".")
        declared = f"{kind.replace('.', '_')}.{module.body.interface}"
        if not kind.startswith("data."):
            # The types have `id` because Terraform's older SDK adds it; it is no argument.
            declared = f'Omit<{declared}, "id">'
        for dependency in body.get("depends_on", []):
            self._known(dependency, f"{address}.depends_on")
        own = {key: value for key, value in body.items() if key not in _OF_TERRAFORM}
        self._value(
            f"const {self.constants[address]}_is: {declared} = ", own, module.body, module, address, ";"
        )

    def _value(self, before: str, value: Any, kind: _Type, module: _Module, place: str, after: str) -> None:
        """Write a value as the types have it: where at most one block may stand, bare, other blocks in a list."""
        if kind.form == "block" and isinstance(value, list) and len(value) == 1:
            value = value[0]
        elif kind.form == "blocks" and isinstance(value, dict):
            value = [value]
        if isinstance(value, dict):
            self._line(before + "{", place)
            for key, child in self._children(value, place):
                self._member(key, child, kind, module, f"{place}.{key}")
            self._line("}" + after, place)
        elif isinstance(value, list):
            element = _Type("block", kind.interface) if kind.form == "blocks" else kind
            self._line(before + "[", place)
            for index, child in enumerate(value):
                self._value("", child, element, module, f"{place}[{index}]", ",")
            self._line("]" + after, place)
        else:
            self._line(before + self._literal(value, kind, place) + after, place)

    def _member(self, key: str, value: Any, kind: _Type, module: _Module, place: str) -> None:
        if kind.form == "plain":
            self._value(f"{json.dumps(key)}: ", value, _PLAIN, module, place, ",")
            return
        if kind.form == "block" and not _SNAKE.fullmatch(key):
            self._say(place, "an argument is written in snake case")
        name = _camel(key)
        child = module.interfaces.get(kind.interface, {}).get(name, _UNKNOWN)
        # Bare where it can be: the compiler suggests another name for a bare one only.
        written = name if name.isidentifier() else json.dumps(name)
        self._value(f"{written}: ", value, child, module, place, ",")

    def _literal(self, value: Any, kind: _Type, place: str) -> str:
        if value is None:
            return "undefined"
        literal = json.dumps(value, allow_nan=False)
        if not isinstance(value, str):
            return literal
        templates = _templates(value)
        if templates is None:
            self._say(place, "a ${ without its end; where it is text it is written $${")
            return literal
        for match in (match for template in templates for match in _REFERENCE.finditer(template)):
            self._refer(match["address"], match["attribute"], place)
        # A reference alone has the type of what it refers to, and is never a block.
        alone = len(templates) == 1 and value == f"${{{templates[0]}}}"
        return f"{literal} as any" if alone and kind.form not in {"block", "blocks"} else literal

    def _refer(self, address: str, attribute: str | None, place: str) -> None:
        if address not in self.constants:
            self._say(place, f"refers to {address}, which is not in the document")
        elif attribute and self.constants[address]:
            self.references.append((f"void {self.constants[address]}.{_camel(attribute)};", place))

    def _known(self, address: Any, place: str) -> None:
        if not isinstance(address, str) or address not in self.constants:
            self._say(place, f"{address} is not in the document")

    def _managed(self, address: str, place: str) -> None:
        if not _ADDRESS.fullmatch(address):
            self._say(place, f"{address} is not the bare address of a resource")
        else:
            self._known(address, place)

    def _blocks(self, name: str, required: set[str], optional: set[str]) -> list[tuple[str, dict[str, Any]]]:
        """The blocks that Terraform reads itself, of which no types are published, if they have what they need."""
        content = self.document.get(name, [])
        good = []
        for index, block in enumerate(content if isinstance(content, list) else [content]):
            place = f"{name}[{index}]"
            if not isinstance(block, dict) or not required <= block.keys() <= required | optional:
                self._say(
                    place, f"needs {', '.join(sorted(required))}, and knows {sorted(optional)} beside it"
                )
            elif not all(isinstance(block[key], str) and block[key] for key in required):
                self._say(place, f"{' and '.join(sorted(required))} must be text")
            else:
                good.append((place, block))
        return good

    def _imports(self) -> None:
        blocks = self._blocks("import", {"to", "id"}, {"provider"})
        for place, block in blocks:
            self._managed(block["to"], f"{place}.to")
        self._once("import", "to", blocks)

    def _moves(self) -> None:
        blocks = self._blocks("moved", {"from", "to"}, set())
        # The middle of a chain of moves is nowhere any more.
        passed = {block["from"] for _, block in blocks}
        for place, block in blocks:
            if block["to"] not in passed:
                self._managed(block["to"], f"{place}.to")
            if not _ADDRESS.fullmatch(block["from"]):
                self._say(f"{place}.from", f"{block['from']} is no address of a resource")
            elif block["from"] in self.constants:
                self._say(f"{place}.from", f"{block['from']} is still in the document")
            elif block["from"].partition(".")[0] != block["to"].partition(".")[0]:
                self._say(place, "moves to another kind of resource")
        self._once("moved", "from", blocks)
        self._once("moved", "to", blocks)

    def _once(self, name: str, key: str, blocks: list[tuple[str, dict[str, Any]]]) -> None:
        for address, count in Counter(block[key] for _, block in blocks).items():
            if count > 1:
                self._say(name, f"{address} stands {count} times in {key}")


def _compile(programs: Sequence[_Program], tsc: tuple[str, str], workdir: Path) -> None:
    """Add to each program what the compiler finds in it."""
    command = [*tsc, *_OPTIONS, *(f"document{index}.ts" for index in range(len(programs)))]
    done = subprocess.run(command, cwd=workdir, capture_output=True, text=True, timeout=300, check=False)
    found: list[str] | None = None
    for line in done.stdout.splitlines():
        match = _DIAGNOSIS.fullmatch(line)
        if match:
            program = programs[int(match["document"])]
            found = program.found
            found.append(f"{program.places[int(match['line']) - 1]}: {match['message']}")
        elif found and line.startswith(" "):
            found[-1] += f" {line.strip()}"
        else:
            raise EnvironmentFault(f"the judge's compiler cannot work: {line}", hint=_REMEDY)
    if done.returncode != 0 and found is None:
        raise EnvironmentFault(f"the judge's compiler failed: {done.stderr.strip()}", hint=_REMEDY)


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def _templates(text: str) -> list[str] | None:
    """What stands between each `${` and its `}`; None where one has no end."""
    templates = []
    position = 0
    while match := re.compile(r"\$\$\{|\$\{").search(text, position):
        position = match.end()
        if match[0] == "$${":
            continue
        depth, start = 1, position
        while depth:
            if position == len(text):
                return None
            depth += {"{": 1, "}": -1}.get(text[position], 0)
            position += 1
        templates.append(text[start : position - 1])
    return templates
