"""Renames of tables and columns: to a comparison each is something that is gone and something new, so a person decides.

A rename is written `people=customers` or `people.name=full_name`; with nothing after the sign it is none, and what is
gone is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.catalog.definitions import column_of
from infra.catalog.identifiers import last, parent
from infra.errors import InfraError
from infra.plan.folding import renamed_tables
from infra.plan.migration_statements import renamed_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from infra.catalog.difference import Difference

_PUBLIC = "public."


@dataclass(frozen=True)
class Rename:
    """A table or a column, with its old name as the catalog has it, and the new one by itself."""

    kind: str
    old: str
    new: str

    @property
    def renamed(self) -> str:
        """The new name as the catalog has it."""
        return f"{parent(self.old)}.{self.new}"

    def statement(self) -> str:
        """Return the statement that renames."""
        if self.kind == "table":
            return f"ALTER TABLE {self.old} RENAME TO {self.new}"
        return f"ALTER TABLE {parent(self.old)} RENAME COLUMN {last(self.old)} TO {self.new}"

    def reversed(self) -> Rename:
        """Return the rename that undoes this one."""
        return Rename(self.kind, self.renamed, last(self.old))

    def __str__(self) -> str:
        return f"{self.old.removeprefix(_PUBLIC)}={self.new}"


def renames_of(
    differences: Sequence[Difference], said: Sequence[str], ask: Callable[[str], bool] | None
) -> list[Rename]:
    """Return which of the names that are gone have become which new ones, as was said or, else, is answered now.

    `differences` are those of the old schema from the new one. Raises InfraError where nobody can be asked, and for a
    rename of what is not gone.
    """
    possible = possible_renames(differences)
    chosen: list[Rename] = []
    for text in said:
        fitting = [rename for rename in possible if str(rename).partition("=")[0] == text.partition("=")[0]]
        named = [rename for rename in fitting if str(rename) == text]
        if not fitting or not (named or text.endswith("=")):
            others = ", ".join(map(str, possible)) or "nothing"
            raise InfraError(f"{text} is no rename that fits what changed; {others} would", place="--rename")
        chosen += named
        possible = [rename for rename in possible if rename not in fitting and rename.new not in _news(named)]
    for rename in possible:
        if ask is None:
            old = str(rename).partition("=")[0]
            raise InfraError(
                f"{rename.kind} {old} is gone, and {rename.new} is new: is it renamed?",
                place="revision",
                remedy=f"say `--rename {rename}`, or `--rename {old}=` to drop it with its values",
            )
        if not any({rename.old, rename.new} & {other.old, other.new} for other in chosen) and ask(
            f"is {rename.kind} {rename.old.removeprefix(_PUBLIC)} renamed to {rename.new}?"
        ):
            chosen.append(rename)
    return chosen


def _news(renames: Sequence[Rename]) -> set[str]:
    return {rename.new for rename in renames}


def possible_renames(differences: Sequence[Difference]) -> list[Rename]:
    """Return what may have been renamed: tables with the same columns, and columns of one table with the same type."""
    tables = renamed_tables([difference.reversed() for difference in differences])
    found = [Rename("table", old, last(new)) for old, new in tables.items()]
    columns = [difference for difference in differences if difference.identity.kind == "column"]
    whole = {difference.identity.name for difference in differences if difference.identity.kind == "table"}
    for gone in columns:
        name = gone.identity.name
        if gone.verdict != "extra" or parent(name) in whole:
            continue
        found += [
            Rename("column", name, last(new.identity.name))
            for new in columns
            if new.verdict == "missing" and parent(new.identity.name) == parent(name) and _type(new) == _type(gone)
        ]
    return found


def _type(difference: Difference) -> str:
    try:
        return column_of(difference.identity.name, difference.expected or difference.found or "").type
    except ValueError:
        return ""


def rename_statements(differences: Sequence[Difference], renames: Sequence[Rename]) -> tuple[list[str], list[str]]:
    """Return the statements that rename, with the constraints and indexes of tables, and those that undo it."""
    tables = {rename.old: rename.renamed for rename in renames if rename.kind == "table"}
    forth = [rename.statement() for rename in renames] + list(renamed_parts(differences, tables))
    opposite = [difference.reversed() for difference in differences]
    back = [rename.reversed().statement() for rename in renames]
    back += renamed_parts(opposite, {new: old for old, new in tables.items()})
    return forth, back
