"""Differences as a person reads them: a table before its columns, and with it what only follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.catalog.catalog import ACCESS, STRUCTURE
from infra.catalog.changes import PARTS_OF_TABLES, belongs_to
from infra.catalog.identifiers import parent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from infra.catalog.catalog import ObjectId
    from infra.catalog.difference import Difference

_RANK = {kind: rank for rank, kind in enumerate(STRUCTURE)}
_SIGNS = {"missing": "- ", "extra": "+ ", "different": "~ "}


def fold_changes(differences: Sequence[Difference]) -> list[str]:
    """Return lines for what changes: `+` for what is only in the second catalog, `-` for the first, `~` for both.

    What belongs to a table that is itself new or gone is counted behind the table. A table that is gone and a new one
    with the same columns are one line, which says that it looks renamed.
    """
    return _fold(
        differences,
        lambda difference, name: f"{_SIGNS[difference.verdict]}{name}",
        "~ {expected} looks renamed to {found} (the same {number} columns)",
    )


def fold_findings(differences: Sequence[Difference]) -> list[str]:
    """Return lines for what a database has otherwise than it should: missing, extra or different; folded as changes."""
    return _fold(
        differences,
        lambda difference, name: f"{name} is {difference.verdict}",
        "{expected} looks as if it were called {found} there (the same {number} columns)",
    )


def explained_findings(differences: Sequence[Difference], legend: str) -> list[str]:
    """Return the lines of fold_findings, and before them what their signs mean, where they have any."""
    lines = fold_findings(differences)
    return [legend, *lines] if any(line.startswith(("  - ", "  + ")) for line in lines) else lines


def _fold(differences: Sequence[Difference], title: Callable[[Difference, str], str], renamed: str) -> list[str]:
    tables = _new_or_gone(differences)
    renames = renamed_tables(differences)
    lines: list[str] = []
    for difference in sorted(differences, key=_order):
        identity = difference.identity
        if identity.name in renames.values() and identity.kind == "table":
            continue
        if identity.kind == "table" and identity.name in tables:
            new = renames.get(identity.name)
            parts = _parts(identity.name, differences)
            counts = ", ".join(f"{count} {_plural(kind, count)}" for kind, count in parts.items())
            if new:
                lines.append(renamed.format(expected=identity, found=new, number=parts["column"]))
            else:
                lines.append(title(difference, str(identity)) + (f", with {counts}" if counts else ""))
        elif not _is_part(difference, tables):
            lines += [title(difference, str(identity)), *str(difference).splitlines()[1:]]
    return lines


def _order(difference: Difference) -> tuple[str, int, str]:
    """Return the key that puts a table before its parts, and everything else by kind."""
    identity = difference.identity
    rank = _RANK.get(identity.kind, len(_RANK))
    if identity.kind in PARTS_OF_TABLES:
        return (f"{_RANK['table']:02} {parent(identity.name)}", rank, identity.name)
    return (f"{rank:02} {identity.name}", rank, "")


def _is_part(difference: Difference, tables: Collection[str]) -> bool:
    """Return whether a difference only follows from one of these tables being new or gone."""
    kind, name = difference.identity
    if difference.verdict == "different":
        return False
    if kind in ACCESS:
        return name.rpartition(" to ")[0].removeprefix("table ") in tables or name.removeprefix("table ") in tables
    definition = difference.expected if difference.found is None else difference.found
    return (kind == "column order" and name in tables) or belongs_to(difference.identity, definition or "", tables)


def _parts(table: str, differences: Sequence[Difference]) -> dict[str, int]:
    """Return how many objects of which kinds come or go with a table, in the order of kinds."""
    kinds = [
        difference.identity.kind
        for difference in differences
        if difference.identity.kind in STRUCTURE
        and difference.identity != ("table", table)
        and _is_part(difference, {table})
    ]
    return {kind: kinds.count(kind) for kind in STRUCTURE if kind in kinds}


def parts_of_tables(differences: Sequence[Difference]) -> list[Difference]:
    """Return the differences that only follow from a table being new or gone."""
    tables = _new_or_gone(differences)
    return [
        difference
        for difference in differences
        if difference.identity != ("table", difference.identity.name) and _is_part(difference, tables)
    ]


def lost_with(differences: Sequence[Difference]) -> list[ObjectId]:
    """Return the tables and columns that only the first catalog has, and whose values nothing else has."""
    renames = renamed_tables(differences)
    gone = [difference for difference in differences if difference.verdict == "missing"]
    tables = {difference.identity.name for difference in gone if difference.identity.kind == "table"}
    return [
        difference.identity
        for difference in gone
        for kind, name in [difference.identity]
        if (kind == "table" and name not in renames) or (kind == "column" and parent(name) not in tables)
    ]


def _new_or_gone(differences: Sequence[Difference]) -> dict[str, Difference]:
    return {
        difference.identity.name: difference
        for difference in differences
        if difference.identity.kind == "table" and difference.verdict != "different"
    }


def renamed_tables(differences: Sequence[Difference]) -> dict[str, str]:
    """Return the names that missing tables have in the second catalog, where exactly one extra has the same columns."""
    tables = _new_or_gone(differences)

    def columns(table: str) -> tuple[tuple[str, str], ...]:
        return tuple(
            sorted(
                (name[len(table) + 1 :], (difference.expected or difference.found or "").replace(f"{table}_", "_"))
                for difference in differences
                for kind, name in [difference.identity]
                if kind == "column" and parent(name) == table
            )
        )

    gone = [name for name, difference in tables.items() if difference.verdict == "missing"]
    new = [name for name, difference in tables.items() if difference.verdict == "extra"]
    renames: dict[str, str] = {}
    for old in gone:
        same = [name for name in new if columns(old) and columns(name) == columns(old)]
        if len(same) == 1 and same[0] not in renames.values():
            renames[old] = same[0]
    return renames


def _plural(kind: str, count: int) -> str:
    if count == 1:
        return kind
    return f"{kind[:-1]}ies" if kind == "policy" else f"{kind}es" if kind.endswith("x") else f"{kind}s"
