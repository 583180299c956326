"""Drops what modules own, never with CASCADE: what somebody else built on it stops the removal and is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import errors

from infra.catalog.identifiers import last, parent
from infra.errors import RefusedError
from infra.postgres.connection.simple_query import simple_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.catalog import ObjectId
    from infra.catalog.changes import CatalogChange
    from infra.postgres.connection.pool import Connection

_WHOLE = (
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

_PARTS = ("policy", "trigger", "rule", "constraint", "column")
"""Kinds that are dropped from the table they belong to."""

WORDS = {"composite type": "TYPE", "range": "TYPE", "enum": "TYPE"}


def statements(objects: Mapping[ObjectId, str | None]) -> list[str]:
    """Give the statements that drop these objects (with their definitions); what goes with its table is not named."""
    tables = {one.name for one in objects if one.kind in {"table", "view", "materialized view", "composite type"}}
    parts = [
        _drop_part(one)
        for kind in _PARTS
        for one, text in objects.items()
        if one.kind == kind and (parent(one.name) not in tables or (text or "").startswith("FOREIGN KEY"))
    ]
    wholes = [
        f"DROP {_word(kind, text or '')} IF EXISTS {one.name}"
        for kind in _WHOLE
        for one, text in objects.items()
        if one.kind == kind
    ]
    return revocations(objects) + parts + wholes


def revocations(objects: Mapping[ObjectId, str | None]) -> list[str]:
    """Give the statements that take back privileges on what is not dropped itself."""
    dropped = {str(one) for one in objects if one.kind != "privileges"}
    given = [(*one.name.rpartition(" to ")[::2], text) for one, text in objects.items() if one.kind == "privileges"]
    return [_revoke(subject, role, text or "") for subject, role, text in given if not _goes(subject, dropped)]


def _goes(subject: str, dropped: set[str]) -> bool:
    kind, _, name = subject.partition(" ")
    alike = {"function": ("function", "procedure", "aggregate"), "type": ("enum", "domain", "range", "composite type")}
    whole = [f"{kind} {name}", *(f"{word} {name}" for word in alike.get(kind, ())), f"table {parent(name)}"]
    return subject in dropped or any(one in dropped for one in whole[: None if kind == "column" else -1])


def _revoke(subject: str, role: str, text: str) -> str:
    """Write the statement; `future tables of a in schema s` are default privileges, `none` one that was taken away."""
    kind, _, name = subject.partition(" ")
    if kind == "future":
        what, _, whose = name.partition(" of ")
        of, _, schema = whose.partition(" in schema ")
        place = f"ALTER DEFAULT PRIVILEGES FOR ROLE {of}{f' IN SCHEMA {schema}' if schema else ''}"
        if text == "none" or (role == "PUBLIC" and not schema and what in {"functions", "types"}):  # PostgreSQL's own
            return f"{place} GRANT {'EXECUTE' if what == 'functions' else 'USAGE'} ON {what.upper()} TO {role}"
        return f"{place} REVOKE ALL ON {what.upper()} FROM {role}"
    if kind == "column":
        return f"REVOKE ALL ({last(name)}) ON TABLE {parent(name)} FROM {role}"
    words = {"view": "TABLE", "table": "TABLE", "function": "ROUTINE"}
    if kind == "materialized":
        kind, name = "view", name.removeprefix("view ")
    return f"REVOKE ALL ON {words.get(kind, kind.upper())} {name} FROM {role}"


def _word(kind: str, text: str) -> str:
    return "FOREIGN TABLE" if kind == "table" and text.startswith("foreign table") else WORDS.get(kind, kind.upper())


def _drop_part(one: ObjectId) -> str:
    table, name = parent(one.name), last(one.name)
    if one.kind in {"constraint", "column"}:
        return f"ALTER TABLE IF EXISTS {table} DROP {one.kind.upper()} IF EXISTS {name}"
    return f"DROP {one.kind.upper()} IF EXISTS {name} ON {table}"


def drop_objects(connection: Connection, objects: Mapping[ObjectId, str | None], *, place: str) -> None:
    """Drop objects in the current transaction; raises RefusedError naming what depends on them and is not theirs.

    The order of kinds suits most schemas; an object that another one still needs is tried again after the rest.
    """
    left = statements(objects)
    while left:
        waiting: list[str] = []
        trouble = ""
        for statement in left:
            try:
                simple_query(connection, f"SAVEPOINT dropping; {statement}; RELEASE SAVEPOINT dropping")
            except errors.DependentObjectsStillExist as error:
                simple_query(connection, "ROLLBACK TO SAVEPOINT dropping; RELEASE SAVEPOINT dropping")
                waiting.append(statement)
                trouble = (error.diag.message_detail or str(error)).replace("\n", "; ")
        if len(waiting) == len(left):
            raise RefusedError(
                f"cannot be dropped, because other objects depend on what it made: {trouble}",
                place=place,
                remedy="drop those objects first, if nobody needs them",
            )
        left = waiting


def created(effect: CatalogChange) -> dict[ObjectId, str | None]:
    """Give what a module made, as opposed to what it changed or dropped."""
    return {one: text for one, text in effect.objects.items() if one not in effect.changed and text is not None}
