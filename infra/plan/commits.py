"""Where a run commits before its end, because PostgreSQL does not allow one transaction: what was done before stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.lazy_module import LazyModule
from infra.modules.directive import runs_by_statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.modules import restrictions, statements
    from infra.modules.module import Module
else:  # a plan without changes needs no parser
    restrictions = LazyModule("infra.modules.restrictions")
    statements = LazyModule("infra.modules.statements")

ENUM_VERSION = 170_000
"""The first server version where a transaction that creates an enum may use a value that it adds later."""

BY_STATEMENT = "commits after each statement"
STAYS = "what is done stays if the rest fails"


@dataclass(frozen=True)
class Commit:
    """The point where a rebuild commits: the first module that has to wait for it, and why."""

    before: str
    why: str

    def __str__(self) -> str:
        return f"commits before {self.before}, because {self.why}: {STAYS}"


def commit_within(modules: Sequence[Module], server_version: int) -> Commit | None:
    """Return where a rebuild of these modules commits before its end, None where it is one transaction.

    Values that a module adds to an enum are found in its statements. Where it adds them otherwise, as in a DO block,
    and a later module uses them, the rebuild finds that out and begins again.
    """
    if not modules:
        return None
    for previous, module in zip([None, *modules], modules, strict=False):
        if runs_by_statement(module.text):
            return Commit(module.name, "it runs statement by statement")
        if previous and server_version < ENUM_VERSION and restrictions.adds_enum_value(previous):
            return Commit(module.name, f"{previous.name} adds a value to an enum, usable after a commit only")
    return None


def lines_of_statements(module: Module) -> tuple[int, ...]:
    """Return the lines at which the statements begin of a module that runs by statement; () for another one."""
    if not runs_by_statement(module.text):
        return ()
    return tuple(
        module.text.count("\n", 0, statement.start) + 1 for statement in statements.parse(module.text, module.path)
    )
