"""Alembic's comparison of models and database, as a second one: what only Alembic finds is a finding of its own."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from infra.catalog.catalog import ObjectId
from infra.check.codes import CHECK_CODES
from infra.check.create_models import engine_on
from infra.findings.finding import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import MetaData

    from infra.check.in_models import Models
    from infra.postgres.connection.scratch_target import ScratchTarget

_REMEDY = (
    "run `python -m infra generate`; if it changes nothing, C101 to C105 do not cover this difference: please report it"
)

# Alembic's names of operations (alembic.autogenerate.compare_metadata), by the kind of object that they are about.
_ON_TABLES = frozenset({"add_table", "remove_table", "add_table_comment", "remove_table_comment"})
_ON_INDEXES = frozenset({"add_index", "remove_index"})
_ON_COLUMNS = frozenset({"add_column", "remove_column"})


def is_installed() -> bool:
    """Return whether Alembic is installed; it is a dependency of development only."""
    return find_spec("alembic") is not None


def alembic_findings(scratch: ScratchTarget, models: Models, reported: Iterable[Finding]) -> list[Finding]:
    """Compare the models with the database of the modules; an object that `reported` findings name is left out."""
    reported_text = _unquoted(" ".join([text for finding in reported for text in (finding.message, *finding.detail)]))
    findings: list[Finding] = []
    for operation in _operations(scratch, models.metadata):
        for identity in _objects_of(operation):
            table = f"table {identity.name.rpartition('.')[0]}"
            if _is_named(str(identity), reported_text) or _is_named(table, reported_text):
                continue
            place = models.place_of(identity) or Place("models")
            message = f"Alembic would {_verb(operation)}: {identity}"
            findings.append(
                Finding("C106", CHECK_CODES["C106"].severity, place, message, _REMEDY, (_arguments(operation),))
            )
    return findings


def _operations(scratch: ScratchTarget, metadata: MetaData) -> Iterator[tuple[Any, ...]]:
    """Yield the operations by which Alembic would make the database equal to the models."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 (not installed where the program runs)
    from alembic.migration import MigrationContext  # noqa: PLC0415

    schemas = any(table.schema for table in metadata.tables.values())
    options = {"compare_type": True, "compare_server_default": True, "include_schemas": schemas}
    with engine_on(scratch).connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        for difference in compare_metadata(context, metadata):  # modifications of one column are a list
            yield from difference if isinstance(difference, list) else [difference]


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


def _verb(operation: tuple[Any, ...]) -> str:
    return str(operation[0]).replace("_", " ")


def _arguments(operation: tuple[Any, ...]) -> str:
    """Return the arguments of an operation as text, without the dictionaries of SQLAlchemy's objects."""
    return ", ".join(str(argument) for argument in operation[1:] if not isinstance(argument, dict))


def _qualified(schema: str | None, name: str) -> str:
    return f"{_quoted(schema or 'public')}.{_quoted(name)}"


def _quoted(name: str) -> str:
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.dialect().identifier_preparer.quote(name)
