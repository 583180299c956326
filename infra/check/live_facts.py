"""What is known of a stack's live databases, as a file: sizes of tables, manual changes, what is sent to them.

A job that may connect writes it (`make status ARGS=--json`); a review, which has no secret, reads it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, cast

from infra.errors import InfraError
from infra.hazards.sizes import TableSize

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_REMEDY = 'write it by `make status ARGS="--json --output=live.json"`'


@dataclass(frozen=True)
class DatabaseFacts:
    """One database: the sizes of its tables, and in lines what was changed by hand, and what no module made.

    `statements` are those that the application sends, without values.
    `problem` says why nothing is known of it.
    """

    tables: Mapping[str, TableSize] = field(default_factory=dict[str, TableSize])
    drift: tuple[str, ...] = ()
    unmanaged: tuple[str, ...] = ()
    problem: str = ""
    statements: tuple[str, ...] = ()


@dataclass(frozen=True)
class StackFacts:
    """The databases of a stack as they were at a time, in UTC."""

    stack: str
    time: str
    databases: Mapping[str, DatabaseFacts]


def facts_as_json(live: StackFacts) -> str:
    """Return the file's text."""
    return json.dumps(asdict(live), indent=2)


def read_facts(path: Path) -> StackFacts:
    """Read a file; raises InfraError where it is not one."""
    try:
        values: Any = json.loads(path.read_text(encoding="utf-8"))
        databases = cast("Mapping[str, Mapping[str, Any]]", values["databases"])
        return StackFacts(
            str(values["stack"]),
            str(values["time"]),
            {
                name: DatabaseFacts(
                    {
                        table: TableSize(int(size["rows"]), int(size["bytes"]))
                        for table, size in known["tables"].items()
                    },
                    tuple(map(str, known["drift"])),
                    tuple(map(str, known["unmanaged"])),
                    str(known["problem"]),
                    tuple(map(str, known.get("statements", ()))),  # an earlier version wrote none
                )
                for name, known in databases.items()
            },
        )
    except OSError as error:
        raise InfraError(f"cannot be read ({error.strerror})", place=str(path), remedy=_REMEDY) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InfraError("is not what `status` writes about a stack", place=str(path), remedy=_REMEDY) from None


def largest_sizes(stacks: Iterable[StackFacts]) -> dict[str, TableSize]:
    """Return the sizes of each table where it is largest."""
    sizes: dict[str, TableSize] = {}
    for known in (known for live in stacks for known in live.databases.values()):
        for table, size in known.tables.items():
            if table not in sizes or size.bytes > sizes[table].bytes:
                sizes[table] = size
    return sizes


def statements_sent(stacks: Iterable[StackFacts]) -> dict[str, str]:
    """Return each statement that is sent to a database, with the first one: `prod/shop`."""
    places: dict[str, str] = {}
    for live in stacks:
        for name, known in live.databases.items():
            for text in known.statements:
                places.setdefault(text, f"{live.stack}/{name}")
    return places
