"""Drops the objects that modules created, never with CASCADE: an object that depends on them stops it and is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import errors

from infra.catalog.identifiers import last, parent
from infra.errors import RefusedError
from infra.postgres.connection.simple_query import simple_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.catalog import ObjectId
    from infra.postgres.connection.pool import Connection

_INDEPENDENT_KINDS = (
    "event trigger",
    "materialized view",
    "view",
    "index",
    "statistics",
    "table",
    "sequence",
    "procedure",
    "function",
    "aggregate",
    "composite type",
    "range",
    "domain",
    "enum",
    "extension",
    "schema",
)
"""Kinds that are dropped under their own name, in the order that works when nothing unusual depends on them."""

_KINDS_OF_TABLE_PARTS = ("policy", "trigger", "rule", "constraint", "column")
"""Kinds that are dropped from the table they belong to."""

_DROP_KEYWORDS = {"composite type": "TYPE", "range": "TYPE", "enum": "TYPE"}
"""What DROP calls a kind, where that is not the kind's own name."""

_REVOKE_KEYWORDS = {"view": "TABLE", "table": "TABLE", "function": "ROUTINE"}
"""What REVOKE calls the kind of a privilege's subject, where that is not the kind's own name."""

_KINDS_UNDER_PRIVILEGES = {
    "function": ("procedure", "aggregate"),
    "type": ("enum", "domain", "range", "composite type"),
}
"""Kinds of objects whose privileges PostgreSQL keeps under a more general kind."""


def drop_objects(connection: Connection, objects: Mapping[ObjectId, str | None], *, place: str) -> None:
    """Drop objects, given with their definitions, in the current transaction.

    The order of kinds suits most schemas; a statement that fails because another object still depends on its object is
    tried again after the others. Raises RefusedError with PostgreSQL's detail when a whole round drops nothing.
    """
    remaining = drop_statements(objects)
    while remaining:
        failed: list[str] = []
        dependency = ""
        for statement in remaining:
            try:
                simple_query(connection, f"SAVEPOINT dropping; {statement}; RELEASE SAVEPOINT dropping")
            except errors.DependentObjectsStillExist as error:
                simple_query(connection, "ROLLBACK TO SAVEPOINT dropping; RELEASE SAVEPOINT dropping")
                failed.append(statement)
                dependency = (error.diag.message_detail or str(error)).replace("\n", "; ")
        if len(failed) == len(remaining):
            raise RefusedError(
                f"cannot be dropped, because other objects depend on what it created: {dependency}",
                place=place,
                remedy="drop those objects first, if they are not needed",
            )
        remaining = failed


def drop_statements(objects: Mapping[ObjectId, str | None]) -> list[str]:
    """Return the statements that drop objects, given with their definitions.

    Parts of a table that is dropped have no statement, except foreign keys: two tables may refer to each other.
    """
    tables = {
        identity.name
        for identity in objects
        if identity.kind in {"table", "view", "materialized view", "composite type"}
    }
    parts = [
        _drop_part_statement(identity)
        for kind in _KINDS_OF_TABLE_PARTS
        for identity, definition in objects.items()
        if identity.kind == kind
        and (parent(identity.name) not in tables or (definition or "").startswith("FOREIGN KEY"))
    ]
    independent = [
        f"DROP {_drop_keyword(kind, definition or '')} IF EXISTS {identity.name}"
        for kind in _INDEPENDENT_KINDS
        for identity, definition in objects.items()
        if identity.kind == kind
    ]
    return revoke_statements(objects) + parts + independent


def revoke_statements(objects: Mapping[ObjectId, str | None]) -> list[str]:
    """Return the statements that take back privileges on objects that are not dropped themselves."""
    dropped = {str(identity) for identity in objects if identity.kind != "privileges"}
    privileges = [
        (*identity.name.rpartition(" to ")[::2], definition)
        for identity, definition in objects.items()
        if identity.kind == "privileges"
    ]
    return [
        _revoke_statement(subject, role, definition or "")
        for subject, role, definition in privileges
        if not _ends_with_its_subject(subject, dropped)
    ]


def _ends_with_its_subject(subject: str, dropped: set[str]) -> bool:
    """Return whether privileges on `subject` end by themselves, because it or its table is among what is dropped."""
    kind, _, name = subject.partition(" ")
    subjects = {subject, *(f"{other} {name}" for other in _KINDS_UNDER_PRIVILEGES.get(kind, ()))}
    if kind == "column":
        subjects.add(f"table {parent(name)}")
    return not subjects.isdisjoint(dropped)


def _revoke_statement(subject: str, role: str, definition: str) -> str:
    """Return the statement that takes back what a role may do with `subject`.

    `future tables of a in schema s` are default privileges (manual, ALTER DEFAULT PRIVILEGES). The defaults of
    PostgreSQL itself (EXECUTE on functions and USAGE on types for PUBLIC; manual, 5.8) are granted again instead, and
    so are default privileges that the module took away, whose definition is `none`.
    """
    kind, _, name = subject.partition(" ")
    if kind == "future":
        objects, _, scope = name.partition(" of ")
        creator, _, schema = scope.partition(" in schema ")
        prefix = f"ALTER DEFAULT PRIVILEGES FOR ROLE {creator}{f' IN SCHEMA {schema}' if schema else ''}"
        if definition == "none" or (role == "PUBLIC" and not schema and objects in {"functions", "types"}):
            privilege = "EXECUTE" if objects == "functions" else "USAGE"
            return f"{prefix} GRANT {privilege} ON {objects.upper()} TO {role}"
        return f"{prefix} REVOKE ALL ON {objects.upper()} FROM {role}"
    if kind == "column":
        return f"REVOKE ALL ({last(name)}) ON TABLE {parent(name)} FROM {role}"
    if kind == "materialized":
        kind, name = "view", name.removeprefix("view ")
    return f"REVOKE ALL ON {_REVOKE_KEYWORDS.get(kind, kind.upper())} {name} FROM {role}"


def _drop_keyword(kind: str, definition: str) -> str:
    if kind == "table" and definition.startswith("foreign table"):
        return "FOREIGN TABLE"
    return _DROP_KEYWORDS.get(kind, kind.upper())


def _drop_part_statement(identity: ObjectId) -> str:
    table, name = parent(identity.name), last(identity.name)
    if identity.kind in {"constraint", "column"}:
        return f"ALTER TABLE IF EXISTS {table} DROP {identity.kind.upper()} IF EXISTS {name}"
    return f"DROP {identity.kind.upper()} IF EXISTS {name} ON {table}"
