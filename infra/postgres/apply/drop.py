"""Drops the objects that modules created: never with CASCADE into others, and never without listing them before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import errors

from infra.catalog.access import objects_of
from infra.catalog.catalog import SETTING
from infra.catalog.drop_order import DropList, drop_list_of
from infra.catalog.identifiers import last, parent
from infra.errors import RefusedError
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.introspection.reader import read_dependencies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from infra.catalog.catalog import ObjectId
    from infra.postgres.connection.pool import Connection

_REVOKE_KEYWORDS = {"view": "TABLE", "table": "TABLE", "function": "ROUTINE", "server": "FOREIGN SERVER"}
"""What REVOKE calls the kind of a privilege's subject, where that is not the kind's own name."""

MOST_DEPENDANTS_NAMED = 10
REMEDY = "drop those objects first, if they are not needed"
_DEPENDENT = "cannot be dropped, because other objects depend on what it created"


def drop_list(connection: Connection, objects: Mapping[ObjectId, str | None]) -> DropList:
    """Return what dropping objects, given with their definitions, means in a database: what else depends on them."""
    large_objects = [int(identity.name) for identity in objects if identity.kind == "large object"]
    listed = drop_list_of(*read_dependencies(connection, large_objects), objects.keys())
    others = (*revoke_statements(objects), *_label_statements(objects), *_reset_statements(objects))
    return replace(listed, statements=(*others, *listed.statements))


def drop_objects(
    connection: Connection,
    objects: Mapping[ObjectId, str | None],
    *,
    place: str,
    made_by: Mapping[ObjectId, str],
    tell: Callable[[str], None],
) -> None:
    """Drop objects, given with their definitions, in the current transaction.

    Parts that no module created, such as a partition, are dropped with them and reported to `tell`. Raises
    RefusedError, before anything is dropped, where an object depends on them that PostgreSQL would not drop as well, or
    that another module created: `made_by` has the objects of modules that stay.
    """
    listed = drop_list(connection, objects)
    reason = reason_against(listed, made_by)
    if reason:
        raise RefusedError(reason, place=place, remedy=REMEDY)
    try:
        simple_query(connection, "; ".join(listed.statements))
    except errors.DependentObjectsStillExist as error:  # created by another session in the meantime
        detail = (error.diag.message_detail or str(error)).replace("\n", "; ")
        raise RefusedError(f"{_DEPENDENT}: {detail}", place=place, remedy=REMEDY) from None
    if listed.dependants:
        tell(f"dropped with it, made by no module: {', '.join(str(part.identity) for part in listed.dependants)}")


def reason_against(listed: DropList, made_by: Mapping[ObjectId, str]) -> str:
    """Return why objects cannot be dropped, with what depends on them and its module (`made_by`); '' where they can."""
    in_the_way = [dependant for dependant in listed.dependants if dependant.blocks or dependant.identity in made_by]
    if not in_the_way:
        return ""
    named = ", ".join(
        f"{dependant.identity}{f' of {made_by[dependant.identity]}' if dependant.identity in made_by else ''} "
        f"depends on {dependant.on}"
        for dependant in in_the_way[:MOST_DEPENDANTS_NAMED]
    )
    more = len(in_the_way) - MOST_DEPENDANTS_NAMED
    return f"{_DEPENDENT}: {named}{f' and {more} more' if more > 0 else ''}"


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


def _label_statements(objects: Mapping[ObjectId, str | None]) -> list[str]:
    """Return the statements that remove security labels from objects that are not dropped themselves."""
    dropped = {str(identity) for identity in objects}
    labels = [identity.name.partition(" on ")[::2] for identity in objects if identity.kind == "security label"]
    return [
        f"SECURITY LABEL FOR {provider} ON {subject} IS NULL"
        for provider, subject in labels
        if not _ends_with_its_subject(subject, dropped)
    ]


def _reset_statements(objects: Mapping[ObjectId, str | None]) -> list[str]:
    """Return the statements that reset parameters which a module set for its database."""
    return [
        f"DO $reset$BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I RESET {identity.name}', "
        "pg_catalog.current_database()); END$reset$"
        for identity in objects
        if identity.kind == SETTING
    ]


def _ends_with_its_subject(subject: str, dropped: set[str]) -> bool:
    """Return whether privileges on `subject` end by themselves, because it or its table is among what is dropped."""
    kind, _, name = subject.partition(" ")
    table = {f"table {parent(name)}"} if kind == "column" else set[str]()
    return not dropped.isdisjoint(objects_of(subject) | table)


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
    if kind == "foreign-data":
        kind, name = "foreign data wrapper", name.removeprefix("wrapper ")
    return f"REVOKE ALL ON {_REVOKE_KEYWORDS.get(kind, kind.upper())} {name} FROM {role}"
