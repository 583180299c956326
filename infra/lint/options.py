"""What lint is told: lint.yaml beside Pulumi.yaml, every key of it optional."""

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

FILE = "lint.yaml"
MAX_LINES = 300
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
CODE = re.compile(r"M[0-9]{3}")


@dataclass(frozen=True)
class LintSettings:
    """What the file says."""

    purposes: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])
    max_lines: int = MAX_LINES
    severity: dict[str, Severity] = field(default_factory=dict[str, Severity])
    ignore: dict[str, str] = field(default_factory=dict[str, str])  # code to reason
    select: tuple[str, ...] = ("M",)  # beginnings of codes
    given: frozenset[str] = frozenset()  # what is there before the first module, as in `table auth.users`
    path: str = FILE

    def applies(self, code: str) -> bool:
        """Say whether a rule is looked at."""
        return code not in self.ignore and code.startswith(self.select)

    def purpose(self, number: int, title: str) -> str:
        """Say what a module is for: as the settings say, else as its name says, else anything."""
        for (first, last), purpose in self.purposes.items():
            if first <= number <= last:
                return purpose
        last_word = title.rpartition("-")[2]
        return last_word if not self.purposes and last_word in PURPOSES else "anything"


def read_settings(path: Path | None, codes: Iterable[str]) -> LintSettings:
    """Read the file, or give the defaults where there is none; raises InfraError with every wrong key at its place."""
    if path is None:
        return LintSettings()
    shown = str(path)
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()  # pyright: ignore[reportUnknownMemberType]
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        what = " ".join(str(error).split())
        raise InfraError(f"cannot be read: {what}", place=shown, remedy="mend it") from None
    reader = _Reader(shown, frozenset(codes))
    found = reader.read(root)
    if reader.problems:
        raise InfraError("\n".join(["wrong settings, nothing was looked at", *reader.problems]), place=shown)
    return LintSettings(**found, path=shown)


class _Reader:
    """Reads values from YAML's nodes, which know their places."""

    def __init__(self, path: str, codes: frozenset[str]) -> None:
        self.path = path
        self.codes = codes
        self.problems: list[str] = []
        self.keys: dict[str, Callable[[Any], Any]] = {
            "purposes": self._purposes,
            "max_lines": self._max_lines,
            "severity": lambda node: self._by_code(node, lambda value: value in SEVERITIES, "error, warning or note"),
            "ignore": lambda node: self._by_code(node, bool, "a reason"),
            "select": self._select,
            "given": lambda node: frozenset(self._texts(node)),
        }

    def read(self, root: yaml.Node | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in self._items(root):
            if key.value not in self.keys:
                self._wrong(key, f"{key.value} is not a setting", f"known: {', '.join(sorted(self.keys))}")
            else:
                found[key.value] = self.keys[key.value](value)
        return found

    def _wrong(self, node: yaml.Node, what: str, required: str) -> None:
        mark = node.start_mark
        self.problems.append(f"  {self.path}:{mark.line + 1}:{mark.column + 1}: {what}; {required}")

    def _items(self, node: yaml.Node | None) -> list[tuple[yaml.ScalarNode, yaml.Node]]:
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            return []
        if not isinstance(node, yaml.MappingNode):
            self._wrong(node, "is no mapping", "write `key: value`")
            return []
        return cast("list[tuple[yaml.ScalarNode, yaml.Node]]", node.value)

    def _texts(self, node: yaml.Node) -> list[str]:
        if not isinstance(node, yaml.SequenceNode):
            self._wrong(node, "is no list", "write `[a, b]`")
            return []
        return [str(one.value) for one in node.value]

    def _purposes(self, node: yaml.Node) -> dict[tuple[int, int], str]:
        found: dict[tuple[int, int], str] = {}
        for key, value in self._items(node):
            numbers = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", key.value)
            if not numbers:
                self._wrong(key, f"{key.value} is no number of modules", 'write "07" or "02-06"')
            elif value.value not in PURPOSES:
                self._wrong(value, f"{value.value} is no purpose", f"known: {', '.join(PURPOSES)}")
            else:
                found[int(numbers[1]), int(numbers[2] or numbers[1])] = str(value.value)
        return found

    def _max_lines(self, node: yaml.Node) -> int:
        if not re.fullmatch(r"[1-9][0-9]{0,6}", str(node.value)):
            self._wrong(node, f"{node.value} is no number of lines", "write a whole number from 1")
            return MAX_LINES
        return int(node.value)

    def _by_code(self, node: yaml.Node, allowed: Callable[[str], bool], required: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in self._items(node):
            if key.value not in self.codes:
                self._wrong(key, f"{key.value} is no code", "`python -m infra lint --list` has them all")
            elif not isinstance(value, yaml.ScalarNode) or not allowed(value.value):
                self._wrong(value, f"{key.value} has not what it needs", f"give {required}")
            else:
                found[key.value] = str(value.value)
        return found

    def _select(self, node: yaml.Node) -> tuple[str, ...]:
        texts = self._texts(node)
        for one in texts:
            if not any(code.startswith(one) for code in self.codes):
                self._wrong(node, f"{one} begins no code", "write M1, M204 or the like")
        return tuple(texts)
