"""A YAML file of settings: its nodes, which have places, and all wrong keys and values of it at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import yaml

from infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class YamlFile:
    """A file whose problems are collected while it is read, and raised together by `require_no_problems`."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.problems: list[str] = []
        try:
            loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
            self.root: yaml.Node | None = loader.get_single_node()  # pyright: ignore[reportUnknownMemberType]
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            message = " ".join(str(error).split())
            raise InfraError(f"cannot be read: {message}", place=self.path, remedy="correct the file") from None

    def add_problem(self, node: yaml.Node, problem: str, remedy: str) -> None:
        """Add what is wrong with a node."""
        self.problems.append(f"  {self.place(node)}: {problem}; {remedy}")

    def place(self, node: yaml.Node) -> str:
        """Return path, line and column of a node."""
        return f"{self.path}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"

    def require_no_problems(self, what: str) -> None:
        """Raise InfraError with all problems, a line each; `what` says what they prevented."""
        if self.problems:
            raise InfraError("\n".join([f"wrong settings, {what}", *self.problems]), place=self.path)

    def items(self, node: yaml.Node | None) -> list[tuple[str, yaml.ScalarNode, yaml.Node]]:
        """Return each key of a mapping, its node and the node of its value; [] for an empty node."""
        if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
            return []
        if not isinstance(node, yaml.MappingNode):
            self.add_problem(node, "is not a mapping", "write `key: value`")
            return []
        pairs = cast("list[tuple[yaml.ScalarNode, yaml.Node]]", node.value)
        return [(str(key.value), key, value) for key, value in pairs]

    def known_items(self, node: yaml.Node | None, known: Iterable[str]) -> dict[str, yaml.Node]:
        """Return the values of a mapping by key; a key that is not known is a problem."""
        values: dict[str, yaml.Node] = {}
        for name, key, value in self.items(node):
            if name in known:
                values[name] = value
            else:
                self.add_problem(key, f"{name} is not a setting", f"known: {', '.join(sorted(known))}")
        return values

    def text(self, node: yaml.Node) -> str:
        """Return a text; another value is a problem."""
        if isinstance(node, yaml.ScalarNode) and node.value:
            return str(node.value)
        self.add_problem(node, "is not a text", "write one word, or a sentence in quotes")
        return ""

    def texts(self, node: yaml.Node) -> tuple[str, ...]:
        """Return a list of texts; another value is a problem."""
        if isinstance(node, yaml.SequenceNode):
            return tuple(self.text(item) for item in cast("list[yaml.Node]", node.value))
        self.add_problem(node, "is not a list", "write `[a, b]`")
        return ()
