"""The rows of a ledger as values: whose it is, and what each module did."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from infra.catalog.catalog import ObjectId

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from infra.catalog.changes import CatalogChange
    from infra.modules.decision import Digests

ORPHANED = "orphaned"
"""The outcome of a module whose file was removed while its objects stay."""

SEED_ROW = "seed 0-rows"
"""The row of the seed in a database: no module's, since a space is in its name, as in that of another program's."""

_CHANGES = "changes of "


@dataclass(frozen=True)
class Program:
    """A stack, as `project/stack`, whose modules a ledger records.

    `beside` is the stack to which the ledger belongs, where that is another one: the rows of this one begin with its
    name then.
    """

    stack: str
    beside: str = ""

    @property
    def ledger(self) -> str:
        """The stack to which the ledger belongs."""
        return self.beside or self.stack

    def key(self, target: object) -> str:
        """Return what tells a database with this program's modules from others."""
        return f"{target} {self.stack}" if self.beside else str(target)

    def row(self, module: str) -> str:
        """Return what the row of a module has as its name."""
        return f"{self.stack} {module}" if self.beside else module

    def module_of(self, row: str) -> str | None:
        """Return the module of a row, None for a row of another program."""
        stack, _, module = row.rpartition(" ")
        return module if stack == (self.stack if self.beside else "") else None


def stack_name(stack: str) -> str:
    """Return the name of a stack without its project, as commands take it."""
    return stack.rpartition("/")[2]


@dataclass(frozen=True)
class LedgerIdentity:
    """The stack, server and database that a ledger belongs to; `system_identifier` is pg_control_system()'s."""

    stack: str
    system_identifier: str
    database: int


@dataclass(frozen=True)
class LedgerEntry:
    """A module's row.

    `seeds` is how many rows it inserted, by table, and how many it changed or deleted, by `changes of` the table.
    """

    module: str
    digests: Digests
    outcome: str
    effect: CatalogChange
    seeds: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def tables_written(self) -> frozenset[ObjectId]:
        """The tables in which it inserted, changed or deleted rows, its own ones too."""
        return frozenset(ObjectId("table", key.removeprefix(_CHANGES)) for key in self.seeds)

    def rows_outside(self, dropped: Collection[str]) -> str:
        """Return how many rows it inserted into tables other than those dropped: they stay."""
        rows = (item for item in sorted(self.seeds.items()) if not item[0].startswith(_CHANGES))
        return ", ".join(f"{table} {count}" for table, count in rows if table not in dropped)


def own_rows(rows: Mapping[str, LedgerEntry], *programs: Program) -> dict[str, LedgerEntry]:
    """Return the rows of a program by its modules' names; several are one program under its former names too."""
    return {
        module: replace(entry, module=module)
        for name, entry in rows.items()
        for program in programs
        if (module := program.module_of(name)) is not None
    }
