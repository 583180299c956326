"""Alembic's comparison of models and database, as a second one: what only Alembic finds is a finding of its own."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast

from infra.catalog.catalog import ObjectId
from infra.check.codes import CHECK_CODES
from infra.check.engine import engine_on
from infra.errors import InfraError
from infra.findings.finding import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import MetaData

    from infra.check.comparing import Declarations
    from infra.postgres.connection.scratch_target import ScratchTarget

_REMEDY = (
    "run `python -m infra generate`; if it changes nothing, C101 to C105 do not cover this difference: please report it"
)

# Alembic's names of operations (alembic.autogenerate.compare_metadata), by the kind of object that they are about.
_ON_TABLES = frozenset({"add_table", "remove_table", "add_table_comment", "remove_table_comment"})
_ON_INDEXES = frozenset({"add_index", "remove_index"})
_ON_COLUMNS = frozenset({"add_column", "remove_column"})


class AlembicError(InfraError):
    """A comparison that Alembic cannot make."""


def is_installed() -> bool:
    """Return whether Alembic is installed; it is a dependency of development only."""
    return find_spec("alembic") is not None


@dataclass(frozen=True)
class Operation:
    """What Alembic would do to make a database equal to the models: a verb, an object, and the arguments as text."""

    verb: str
    identity: ObjectId
    arguments: str = field(compare=False)


def operations(scratch: ScratchTarget, metadata: Sequence[MetaData]) -> list[Operation]:
    """Return the operations by which Alembic would make a database equal to the models; raises AlembicError."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 (not installed where the program runs)
    from alembic.migration import MigrationContext  # noqa: PLC0415

    schemas = any(table.schema for part in metadata for table in part.tables.values())
    options = {"compare_type": True, "compare_server_default": True, "include_schemas": schemas}
    with engine_on(scratch).connect() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of types that SQLAlchemy does not know, and tables that refer to each other
        context = MigrationContext.configure(connection, opts=options)
        try:
            differences: list[Any] = compare_metadata(context, metadata)  # pyright: ignore[reportArgumentType] (it takes a list)
        except Exception as error:  # noqa: BLE001 (it asks the server about defaults, as far as it understands them)
            message = str(error).partition("\n")[0]
            raise AlembicError(f"{type(error).__name__}: {message}", place="Alembic") from None
    found: list[Operation] = []
    for difference in differences:
        of_one_column = cast("list[tuple[Any, ...]]", difference)
        for parts in of_one_column if isinstance(difference, list) else [difference]:
            verb = str(parts[0]).replace("_", " ")
            found += [Operation(verb, identity, _arguments(parts)) for identity in _objects_of(parts)]
    return found


def alembic_findings(
    declarations: Declarations, found: Iterable[Operation], expected: Iterable[Operation], reported: Iterable[Finding]
) -> list[Finding]:
    """Return the operations for the database of the modules that are not `expected`, as those for the models' own are.

    Left out are objects that `reported` findings name.
    """
    reported_text = _unquoted(" ".join([text for finding in reported for text in (finding.message, *finding.detail)]))
    known = set(expected)
    findings: list[Finding] = []
    for operation in found:
        identity = operation.identity
        table = f"table {identity.name.rpartition('.')[0]}"
        if operation in known or _is_named(str(identity), reported_text) or _is_named(table, reported_text):
            continue
        place = declarations.models.place_of(identity) or Place("models")
        message = f"Alembic would {operation.verb}: {identity}"
        detail = (operation.arguments,)
        findings.append(Finding("C106", CHECK_CODES["C106"].severity, place, message, _REMEDY, detail))
    return findings


def _objects_of(operation: tuple[Any, ...]) -> Iterator[ObjectId]:
    """Yield the objects that an operation changes, as the catalog names them."""
    name = str(operation[0])
    if name in _ON_TABLES:
        yield ObjectId("table", _qualified(operation[1].schema, operation[1].name))
    elif name in _ON_INDEXES:
        yield ObjectId("index", _qualified(operation[1].table.schema, operation[1].name))
    elif name in _ON_COLUMNS:
        yield ObjectId("column", f"{_qualified(operation[1], operation[2])}.{_quoted(operation[3].name)}")
    elif name.startswith("modify_"):
        yield ObjectId("column", f"{_qualified(operation[1], operation[2])}.{_quoted(operation[3])}")
    else:
        constraint = operation[1]
        table = _qualified(constraint.table.schema, constraint.table.name)
        yield ObjectId("constraint", f"{table}.{_quoted(str(constraint.name))}")


def _is_named(identity: str, text: str) -> bool:
    return re.search(rf"{re.escape(_unquoted(identity))}(?![\w.])", text) is not None


def _unquoted(text: str) -> str:
    """Return a text without quotes: PostgreSQL quotes more key words than SQLAlchemy."""
    return text.replace('"', "")


def _arguments(operation: tuple[Any, ...]) -> str:
    """Return the arguments of an operation as text, without the dictionaries of SQLAlchemy's objects."""
    return ", ".join(str(argument) for argument in operation[1:] if not isinstance(argument, dict))


def _qualified(schema: str | None, name: str) -> str:
    return f"{_quoted(schema or 'public')}.{_quoted(name)}"


def _quoted(name: str) -> str:
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.dialect().identifier_preparer.quote(name)
