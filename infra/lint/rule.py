"""The table of rules: a rule is a function that gives hits, registered under its code."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from infra.lint.tables import typed_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.findings.finding import Place, Severity
    from infra.lint.options import LintSettings
    from infra.lint.schema import ColumnType, Spot
    from infra.lint.schema_state import SchemaState
    from infra.lint.source import Located, SourceFile, Sources
    from infra.lint.stack_settings import StackSettings


@dataclass(frozen=True)
class Hit:
    """What a rule found; `located` is the statement at which it may be allowed."""

    place: Place
    message: str
    remedy: str
    located: Located | None = None
    detail: tuple[str, ...] = ()
    others: tuple[Place, ...] = ()


@dataclass
class LintProject:
    """All that rules may look at."""

    sources: Sources
    settings: LintSettings
    history: SchemaState
    stacks: list[StackSettings]
    by_kind: dict[str, list[Located]] = field(default_factory=dict[str, "list[Located]"])

    def __post_init__(self) -> None:
        for file in self.sources.files:
            for located in file.statements:
                self.by_kind.setdefault(located.kind, []).append(located)

    @cached_property
    def columns(self) -> list[tuple[Located, tuple[str, ColumnType, int]]]:
        """Give name, type and location of every column that is made or given another type."""
        kinds = ("create_stmt", "create_foreign_table_stmt", "alter_table_stmt")
        return [(located, column) for located in self.statements(*kinds) for column in typed_columns(located)]

    @property
    def files(self) -> list[SourceFile]:
        """Give the files in their order."""
        return self.sources.files

    def statements(self, *kinds: str) -> Iterator[Located]:
        """Give the statements of these kinds."""
        return (located for kind in kinds for located in self.by_kind.get(kind, ()))


@dataclass(frozen=True)
class Rule:
    """A rule: its code, what it says of itself, how much its findings weigh, and where it looks."""

    code: str
    title: str
    severity: Severity
    why: str  # the docstring of its function
    look: Callable[[LintProject], Iterator[Hit]]


RULES: dict[str, Rule] = {}


def rule(code: str, title: str, severity: Severity = "error") -> Callable[[Any], Any]:
    """Register a function that looks at the whole project."""

    def register(look: Callable[[LintProject], Iterator[Hit]]) -> Callable[[LintProject], Iterator[Hit]]:
        assert code not in RULES, code
        RULES[code] = Rule(code, title, severity, (look.__doc__ or "").strip(), look)
        return look

    return register


def rule_on(code: str, title: str, *kinds: str, severity: Severity = "error") -> Callable[[Any], Any]:
    """Register a function that looks at one statement of these kinds at a time."""

    def register(look: Callable[[Located], Iterator[Hit]]) -> Callable[[Located], Iterator[Hit]]:
        def everywhere(project: LintProject) -> Iterator[Hit]:
            for located in project.statements(*kinds):
                yield from look(located)

        everywhere.__doc__ = look.__doc__
        rule(code, title, severity)(everywhere)
        return look

    return register


def at(located: Located, message: str, remedy: str, *, location: int = -1) -> Hit:
    """Make a hit at a statement, or at a location in it."""
    return Hit(located.place(location), message, remedy, located)


def at_spot(
    spot: Spot, message: str, remedy: str, *, others: tuple[Place, ...] = (), detail: tuple[str, ...] = ()
) -> Hit:
    """Make a hit at a place of the model."""
    return Hit(spot.place(), message, remedy, spot.located, detail, others)
