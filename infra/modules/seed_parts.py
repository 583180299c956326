"""The statements of a seed in order, and the rows of its COPY, as pg_dump --data-only writes them."""

from __future__ import annotations

from bisect import bisect
from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.errors import ModuleError
from infra.modules.dump_text import blank_lines, psql_parts
from infra.modules.module import Module
from infra.modules.restrictions import restriction_for
from infra.modules.statements import parse, place_of

if TYPE_CHECKING:
    from infra.modules.seed import SeedFile
    from infra.modules.statements import Statement

_LEDGER = "sqlmodule"
_LIMITS = frozenset({"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout"})
"""What pg_dump turns off at the beginning: the limits of a run stay, and older servers do not know all of them."""


@dataclass(frozen=True)
class SeedPart:
    """Consecutive statements of a seed, or one COPY with its rows, the first of them in line `first_row`.

    `module` has the text, with as many lines before it as in the file: errors have the places of that.
    """

    module: Module
    rows: str | None = None
    first_row: int = 0


def seed_parts(seed: SeedFile) -> tuple[list[SeedPart], int]:
    """Return the parts of a seed in order, and how many statements are left out that are about the ledger's tables.

    Raises ModuleError for what is no SQL, and for a statement that a module may not contain either.
    """
    text, copied = _without_rows(seed.text)
    starts = [start for start, _, _ in copied]
    parts: list[SeedPart] = []
    left_out = 0
    group: list[Statement] = []

    def end_group() -> None:
        if group:
            parts.append(SeedPart(_module(seed.path, text, group[0].start, group[-1].end)))
            group.clear()

    for statement in parse(text, seed.path):
        number = bisect(starts, statement.start) - 1
        has_rows = number >= 0 and starts[number] == statement.start
        restriction = None if has_rows else restriction_for(statement, by_statement=False)
        if restriction:
            at = place_of(text, seed.path, statement.start)
            raise ModuleError(restriction.what, at=at, hint=_hint(statement) or restriction.remedy)
        is_of_ledger = _fills_ledger(statement)
        if is_of_ledger or _is_limit(statement):
            end_group()
            left_out += is_of_ledger
        elif has_rows:
            end_group()
            module = _module(seed.path, text, statement.start, statement.end)
            parts.append(SeedPart(module, copied[number][1], copied[number][2]))
        else:
            group.append(statement)
    end_group()
    return parts, left_out


def _without_rows(text: str) -> tuple[str, list[tuple[int, str, int]]]:
    """Return a text without the rows of COPY, and the offset of each COPY, its rows and the line of their first."""
    pieces: list[str] = []
    copied: list[tuple[int, str, int]] = []
    end = length = 0
    line = 1
    for found in psql_parts(text):
        rows = found["rows"]
        before, blank = text[end : found.start()], blank_lines(found[0] if rows is None else rows)
        statement = "" if rows is None else text[found.start() : found.start("rows")]
        line += before.count("\n") + statement.count("\n")
        if rows is not None:
            copied.append((length + len(before), rows, line))
        line += len(blank)
        pieces += [before, statement, blank]
        length += len(before) + len(statement) + len(blank)
        end = found.end()
    return "".join([*pieces, text[end:]]), copied


def _module(path: str, text: str, start: int, end: int) -> Module:
    """Return part of a text as a module in which every place is that of the text."""
    line = text.rfind("\n", 0, start) + 1
    return Module(0, path, path, "\n" * text.count("\n", 0, start) + " " * (start - line) + text[start:end])


def _fills_ledger(statement: Statement) -> bool:
    """Return whether a statement fills a table of the ledger, which a dump has too, or sets its sequence."""
    if statement.kind in {"copy_stmt", "insert_stmt"}:
        return bool(statement.tree.relation.schemaname == _LEDGER)
    return statement.kind == "select_stmt" and f"{_LEDGER}." in str(statement.tree) and "setval" in str(statement.tree)


def _is_limit(statement: Statement) -> bool:
    return statement.kind == "variable_set_stmt" and statement.tree.name.lower() in _LIMITS


def _hint(statement: Statement) -> str:
    """Return what to do about a COPY through the client whose rows were not found."""
    if statement.kind == "copy_stmt" and not statement.tree.is_program:
        return r"its rows follow in the lines after it, in the text format, up to a line `\.`, as pg_dump writes them"
    return ""
