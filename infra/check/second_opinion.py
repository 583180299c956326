"""Alembic's own comparison of models and database, as a second opinion: what it sees and ours does not is a finding."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from infra.catalog.catalog import ObjectId
from infra.check.codes import CHECK_CODES
from infra.check.sources import engine_on
from infra.findings.finding import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import MetaData

    from infra.check.in_models import Models
    from infra.postgres.connection.target import Target

_REMEDY = (
    "run `python -m infra generate`; if nothing changes, this is one difference that C101 to C105 do not see: report it"
)

_OF_TABLES = frozenset({"add_table", "remove_table", "add_table_comment", "remove_table_comment"})
OF_INDEXES = frozenset({"add_index", "remove_index"})
OF_COLUMNS = frozenset({"add_column", "remove_column"})


def is_installed() -> bool:
    """Say whether Alembic is installed, which the program itself does not need."""
    return find_spec("alembic") is not None


def second_opinion(target: Target, owner: str, models: Models, known: Iterable[Finding]) -> list[Finding]:
    """Compare the models with the database that the modules made; what is known already is left out."""
    said = _unquoted(" ".join([text for one in known for text in (one.message, *one.detail)]))
    found: list[Finding] = []
    for words in _differences(target, owner, models.metadata):
        for identity in _about(words):
            if _names(str(identity), said) or _names(f"table {identity.name.rpartition('.')[0]}", said):
                continue
            place = models.place_of(identity) or Place("models")
            message = f"Alembic says {_verb(words)} for {identity}"
            found.append(Finding("C106", CHECK_CODES["C106"].severity, place, message, _REMEDY, (_shown(words),)))
    return found


def _differences(target: Target, owner: str, metadata: MetaData) -> Iterator[tuple[Any, ...]]:
    """Give Alembic's differences, each modification of a column on its own."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415 (not installed where the program runs)
    from alembic.migration import MigrationContext  # noqa: PLC0415

    schemas = any(table.schema for table in metadata.tables.values())
    options = {"compare_type": True, "compare_server_default": True, "include_schemas": schemas}
    with engine_on(target, owner).connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        for one in compare_metadata(context, metadata):
            yield from one if isinstance(one, list) else [one]


def _about(words: tuple[Any, ...]) -> Iterator[ObjectId]:
    """Name what a difference is about, as the catalog does."""
    verb = str(words[0])
    if verb in _OF_TABLES:
        yield ObjectId("table", _qualified(words[1].schema, words[1].name))
    elif verb in OF_INDEXES:
        yield ObjectId("index", _qualified(words[1].table.schema, words[1].name))
    elif verb in OF_COLUMNS:
        yield ObjectId("column", f"{_qualified(words[1], words[2])}.{_quoted(words[3].name)}")
    elif verb.startswith("modify_"):
        yield ObjectId("column", f"{_qualified(words[1], words[2])}.{_quoted(words[3])}")
    else:
        item = words[1]
        table = _qualified(item.table.schema, item.table.name)
        yield ObjectId("constraint", f"{table}.{_quoted(str(item.name))}")


def _names(identity: str, said: str) -> bool:
    return re.search(rf"{re.escape(_unquoted(identity))}(?![\w.])", said) is not None


def _unquoted(text: str) -> str:
    """Leave out quotes: PostgreSQL sets them around more words than SQLAlchemy."""
    return text.replace('"', "")


def _verb(words: tuple[Any, ...]) -> str:
    return str(words[0]).replace("_", " ")


def _shown(words: tuple[Any, ...]) -> str:
    """Show what Alembic gives, without the objects' innermost representation."""
    return ", ".join(str(one) for one in words[1:] if not isinstance(one, dict))


def _qualified(schema: str | None, name: str) -> str:
    return f"{_quoted(schema or 'public')}.{_quoted(name)}"


def _quoted(name: str) -> str:
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.dialect().identifier_preparer.quote(name)
