"""Numbered modules of a dump: in its order, in which statements depend, or sorted by what they are for."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from infra.sql_import.dump import DumpStatement

MAX_LINES = 300
_FEWEST_LINES = 30  # of a module of its own, where a dump mixes purposes
_TOGETHER = frozenset({"types", "functions", "tables", "views", "triggers"})
"""What a dump mixes, as they depend on each other."""

_RANKS = {"constraints": 1, "indexes": 2, "triggers": 4}
_RANK_OF_FOREIGN_KEYS = 3
"""The order that pg_dump has: what is not here comes first, in the order of the dump."""

_UNCHECKED = "SET LOCAL check_function_bodies = off;\n"
"""A dump creates functions before the tables that their texts name."""


def sorted_by_purpose(statements: Iterable[DumpStatement]) -> list[DumpStatement]:
    """Return statements sorted as pg_dump sorts them: SQL that was written by hand has its indexes beside its tables.

    What needs another order, such as an index that is dropped later, does not run in this one.
    """
    return sorted(statements, key=_rank)


def _rank(statement: DumpStatement) -> int:
    return _RANK_OF_FOREIGN_KEYS if statement.adds_foreign_key else _RANKS.get(statement.purpose, 0)


def module_texts(statements: Iterable[DumpStatement], *, source: str) -> dict[str, str]:
    """Return the text of each module by file name; `source` is what their first lines name."""
    pieces = [piece for part in _parts(statements) for piece in _pieces(part)]
    width = max(2, len(str(len(pieces))))
    titles: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for number, piece in enumerate(pieces, 1):
        purpose = Counter({statement.purpose: 0 for statement in piece})
        for statement in piece:
            purpose[statement.purpose] += statement.text.count("\n")
        title = purpose.most_common(1)[0][0]
        titles[title] += 1
        name = title if titles[title] == 1 else f"{title}-{titles[title]}"
        texts[f"{number:0{width}}-{name}.sql"] = _text(piece, f"{title.capitalize()}, imported from {source}.")
    return texts


def _text(piece: Sequence[DumpStatement], first_line: str) -> str:
    unchecked = _UNCHECKED if any(statement.purpose == "functions" for statement in piece) else ""
    return f"-- {first_line}\n{unchecked}\n" + "\n".join(statement.text for statement in piece)


def _parts(statements: Iterable[DumpStatement]) -> list[list[DumpStatement]]:
    """Return runs of statements for one purpose; short ones of those that a dump mixes are put together."""
    parts: list[list[DumpStatement]] = []
    for purpose, group in groupby(statements, key=lambda statement: statement.purpose):
        run = list(group)
        mixed = bool(parts) and {purpose, parts[-1][-1].purpose} <= _TOGETHER
        if mixed and min(_lines(run), _lines(parts[-1])) < _FEWEST_LINES:
            parts[-1] += run
        else:
            parts.append(run)
    return parts


def _pieces(part: list[DumpStatement]) -> Iterator[list[DumpStatement]]:
    """Yield parts of a part that are short enough; a statement that is longer has a module of its own."""
    piece: list[DumpStatement] = []
    for statement in part:
        if piece and _lines([*piece, statement]) > MAX_LINES:
            yield piece
            piece = []
        piece.append(statement)
    yield piece


def _lines(statements: Sequence[DumpStatement]) -> int:
    return 3 + sum(statement.text.count("\n") + 1 for statement in statements)
