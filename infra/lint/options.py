"""The settings of lint: lint.yaml beside Pulumi.yaml, in which every key is optional."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import yaml

from infra.errors import InfraError
from infra.findings.finding import SEVERITIES, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SETTINGS_FILE = "lint.yaml"
DEFAULT_MAX_LINES = 300
PURPOSES = (
    "extensions",
    "schemas",
    "types",
    "functions",
    "tables",
    "rows",
    "indexes",
    "constraints",
    "views",
    "anything",
)


@dataclass(frozen=True)
class LintSettings:
    """The values of lint.yaml, or the defaults; each field is a key of the file."""

    purposes: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])  # first, last number
    max_lines: int = DEFAULT_MAX_LINES
    severity: dict[str, Severity] = field(default_factory=dict[str, Severity])
    ignore: dict[str, str] = field(default_factory=dict[str, str])  # code to reason
    select: tuple[str, ...] = ("M",)  # beginnings of codes
    given: frozenset[str] = frozenset()  # objects that no module creates, as in `relation auth.users`
    path: str = SETTINGS_FILE

    def applies(self, code: str) -> bool:
        """Return whether a rule is checked."""
        return code not in self.ignore and code.startswith(self.select)

    def purpose(self, number: int, title: str) -> str:
        """Return the purpose of a module: from the settings, otherwise from its name, otherwise "anything"."""
        for (first, last), purpose in self.purposes.items():
            if first <= number <= last:
                return purpose
        last_word = title.rpartition("-")[2]
        return last_word if not self.purposes and last_word in PURPOSES else "anything"


def read_lint_settings(path: Path | None, codes: Iterable[str]) -> LintSettings:
    """Read the file, or return the defaults for None; raises InfraError with all wrong keys and values, a line each."""
    if path is None:
        return LintSettings()
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()  # pyright: ignore[reportUnknownMemberType]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = " ".join(str(error).split())
        raise InfraError(f"cannot be read: {message}", place=str(path), remedy="correct the file") from None
    reader = _Reader(str(path), frozenset(codes))
    values = reader.read(root)
    if reader.problems:
        message = "\n".join(["wrong settings, nothing was checked", *reader.problems])
        raise InfraError(message, place=str(path))
    return LintSettings(**values, path=str(path))


class _Reader:
    """A reader of YAML nodes, which have places, unlike the values that YAML makes of them."""

    def __init__(self, path: str, codes: frozenset[str]) -> None:
        self.path = path
        self.codes = codes
        self.problems: list[str] = []
        self.readers: dict[str, Callable[[Any], Any]] = {
            "purposes": self._purposes,
            "max_lines": self._max_lines,
            "severity": lambda node: self._by_code(node, lambda value: value in SEVERITIES, "error, warning or note"),
            "ignore": lambda node: self._by_code(node, bool, "a reason"),
            "select": self._select,
            "given": lambda node: frozenset(self._texts(node)),
        }

    def read(self, root: yaml.Node | None) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in self._items(root):
            if key.value not in self.readers:
                self._add_problem(key, f"{key.value} is not a setting", f"known: {', '.join(sorted(self.readers))}")
            else:
                values[key.value] = self.readers[key.value](value)
        return values

    def _add_problem(self, node: yaml.Node, problem: str, remedy: str) -> None:
        mark = node.start_mark
        self.problems.append(f"  {self.path}:{mark.line + 1}:{mark.column + 1}: {problem}; {remedy}")

    def _items(self, node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            return []
        if not isinstance(node, yaml.MappingNode):
            self._add_problem(node, "is not a mapping", "write `key: value`")
            return []
        return cast("list[tuple[yaml.ScalarNode, yaml.Node]]", node.value)

    def _texts(self, node: yaml.Node) -> list[str]:
        if not isinstance(node, yaml.SequenceNode):
            self._add_problem(node, "is not a list", "write `[a, b]`")
            return []
        return [str(item.value) for item in node.value]

    def _purposes(self, node: yaml.Node) -> dict[tuple[int, int], str]:
        purposes: dict[tuple[int, int], str] = {}
        for key, value in self._items(node):
            numbers = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", key.value)
            if not numbers:
                self._add_problem(key, f"{key.value} is not a number of modules", 'write "07" or "02-06"')
            elif value.value not in PURPOSES:
                self._add_problem(value, f"{value.value} is not a purpose", f"known: {', '.join(PURPOSES)}")
            else:
                purposes[int(numbers[1]), int(numbers[2] or numbers[1])] = str(value.value)
        return purposes

    def _max_lines(self, node: yaml.Node) -> int:
        if not re.fullmatch(r"[1-9][0-9]{0,6}", str(node.value)):
            self._add_problem(node, f"{node.value} is not a number of lines", "write a whole number from 1")
            return DEFAULT_MAX_LINES
        return int(node.value)

    def _by_code(self, node: yaml.Node, is_allowed: Callable[[str], bool], required: str) -> dict[str, str]:
        values: dict[str, str] = {}
        for key, value in self._items(node):
            if key.value not in self.codes:
                remedy = "`python -m infra lint --list` lists them"
                self._add_problem(key, f"{key.value} is not the code of a rule", remedy)
            elif not isinstance(value, yaml.ScalarNode) or not is_allowed(value.value):
                self._add_problem(value, f"the value of {key.value} is not allowed", f"write {required}")
            else:
                values[key.value] = str(value.value)
        return values

    def _select(self, node: yaml.Node) -> tuple[str, ...]:
        prefixes = self._texts(node)
        for prefix in prefixes:
            if not any(code.startswith(prefix) for code in self.codes):
                self._add_problem(node, f"no code begins with {prefix}", "write M1, M204 or the like")
        return tuple(prefixes)
