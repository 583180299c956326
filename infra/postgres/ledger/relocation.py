"""A database that was restored on another server: what it is asked and told there, in SQL that needs no driver."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.postgres.introspection.reader import HIDDEN_SCHEMAS, OTHERS, READING_SETTINGS, RELATIONS, queries

if TYPE_CHECKING:
    from infra.catalog.difference import Difference

MOVE = """
UPDATE sqlmodule.identity i SET system_identifier = s.system_identifier::text, database = d.oid
FROM pg_control_system() s, pg_database d
WHERE d.datname = current_database() AND i.system_identifier = '{system_identifier}' AND i.database = {database}
"""
"""Gives a ledger that was restored with its database the identity that it has now, if it had been that one's before."""


def queries_as_json() -> list[str]:
    """Give the queries of a whole reading for a program that is no driver, such as psql; each yields one JSON array."""
    hidden = ", ".join(f"'{name}'" for name in HIDDEN_SCHEMAS)
    return [
        f"BEGIN; {READING_SETTINGS}; SELECT coalesce(json_agg(json_build_array(kind, name, definition)), '[]') "
        f"FROM ({queries(of, narrow=False) % {'hidden': f'ARRAY[{hidden}]'}}) q (kind, name, definition); COMMIT"
        for of in (RELATIONS, OTHERS)
    ]


def reread(found: Difference) -> str:
    """Give the statement that takes down what another version of PostgreSQL writes for the same object."""
    kind, name, before, after = (
        "'" + str(text).replace("'", "''") + "'" for text in (*found.identity, found.expected, found.found)
    )
    new = f"CASE WHEN o.v ->> 0 = {kind} AND o.v ->> 1 = {name} AND o.v ->> 2 = {before} "
    new += f"THEN jsonb_set(o.v, '{{2}}', to_jsonb({after}::text)) ELSE o.v END"
    every = f"SELECT jsonb_agg({new} ORDER BY o.n) FROM jsonb_array_elements(objects) WITH ORDINALITY AS o (v, n)"
    return f"UPDATE sqlmodule.ledger SET objects = ({every}) WHERE objects <> '[]'"
