"""The table of rules: a rule is a function that yields violations, registered under its code."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from infra.lint.table_definitions import typed_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from infra.findings.finding import Place, Severity
    from infra.lint.discovery import Sources
    from infra.lint.options import LintSettings
    from infra.lint.schema_state import SchemaState
    from infra.lint.source_file import LocatedStatement, Origin, SourceFile
    from infra.lint.stack_settings import StackSettings
    from infra.lint.table_definitions import TypedColumn


@dataclass(frozen=True)
class Violation:
    """What a rule yields; `statement` is the one at which a comment may allow it, None for the file as a whole."""

    place: Place
    message: str
    remedy: str
    statement: LocatedStatement | None = None
    detail: tuple[str, ...] = ()
    others: tuple[Place, ...] = ()


@dataclass
class LintProject:
    """Everything that rules check: files, settings, the simulated schema and the stacks."""

    sources: Sources
    settings: LintSettings
    state: SchemaState
    stacks: list[StackSettings]
    statements_by_kind: dict[str, list[LocatedStatement]] = field(default_factory=dict[str, "list[LocatedStatement]"])

    def __post_init__(self) -> None:
        for file in self.sources.files:
            for statement in file.statements:
                self.statements_by_kind.setdefault(statement.kind, []).append(statement)

    @cached_property
    def typed_columns(self) -> list[tuple[LocatedStatement, TypedColumn]]:
        """Return the columns that the statements create or change the type of."""
        kinds = ("create_stmt", "create_foreign_table_stmt", "alter_table_stmt")
        return [(statement, column) for statement in self.statements(*kinds) for column in typed_columns(statement)]

    @property
    def files(self) -> list[SourceFile]:
        """Return the files in their order."""
        return self.sources.files

    def statements(self, *kinds: str) -> Iterator[LocatedStatement]:
        """Return the statements of these kinds."""
        return (statement for kind in kinds for statement in self.statements_by_kind.get(kind, ()))


@dataclass(frozen=True)
class Rule:
    """A rule: its code, title, severity, text and function."""

    code: str
    title: str
    severity: Severity
    text: str  # the docstring of its function
    check: Callable[[LintProject], Iterator[Violation]]


RULES: dict[str, Rule] = {}


def rule(code: str, title: str, severity: Severity = "error") -> Callable[[Any], Any]:
    """Return a decorator that registers a function which checks the whole project."""

    def register(check: Callable[[LintProject], Iterator[Violation]]) -> Callable[[LintProject], Iterator[Violation]]:
        assert code not in RULES, code
        RULES[code] = Rule(code, title, severity, (check.__doc__ or "").strip(), check)
        return check

    return register


def statement_rule(code: str, title: str, *kinds: str, severity: Severity = "error") -> Callable[[Any], Any]:
    """Return a decorator that registers a function which checks one statement of these kinds at a time."""

    def register(
        check: Callable[[LocatedStatement], Iterator[Violation]],
    ) -> Callable[[LocatedStatement], Iterator[Violation]]:
        def check_all(project: LintProject) -> Iterator[Violation]:
            for statement in project.statements(*kinds):
                yield from check(statement)

        check_all.__doc__ = check.__doc__
        rule(code, title, severity)(check_all)
        return check

    return register


def violation(statement: LocatedStatement, message: str, remedy: str, *, location: int = -1) -> Violation:
    """Return a violation at a statement, or at a location of the parser in it."""
    return Violation(statement.place(location), message, remedy, statement)


def violation_at(origin: Origin, message: str, remedy: str, *, others: tuple[Place, ...] = ()) -> Violation:
    """Return a violation at the origin of a name or an object."""
    return Violation(origin.place(), message, remedy, origin.statement, others=others)
