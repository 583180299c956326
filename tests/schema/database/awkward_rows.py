"""Rows of awkward values for whatever tables a database has, and their values as texts, to be found again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql

from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target
    from tests.database.postgres.databases import World

VALUES = {
    "text": [
        "O''Brien",
        'say "hi"',
        "",
        "  ",
        "naïve ☃ 日本語 👩‍👧",
        "tab\tline\nend\r",
        "back\\slash",
        "100 % of %s",
        "NULL",
        "e\u0301",
        "$$",
        "<b>&amp;",
    ],
    "json": [
        "{}",
        "[]",
        "null",
        '"text"',
        ' { "a" : 1, "a" : 2 } ',
        '{"deep": [[null, true, {"ü": 1e2}]]}',
        "0.10",
        '{"": "\\u00e4 \\\\ O\'\'x"}',
    ],
    "timestamp": [
        "2024-03-31 02:30:00",
        "2024-10-27 02:30:00.999999",
        "2024-11-03 01:30:00",
        "1970-01-01 00:00:00",
        "0002-01-01 00:00:00",
        "9998-12-31 23:59:59.999999",
        "2016-12-31 23:59:59",
    ],
    "timestamptz": [
        "2024-03-31 01:30:00+00",
        "2024-10-27 02:30:00+02",
        "2024-10-27 02:30:00+01",
        "1900-01-01 00:00:00+00:30",
        "9998-12-31 20:00:00+00",
        "2038-01-19 03:14:08+00",
    ],
    "integer": ["0", "1", "-1", "2147483647", "-2147483648", "14"],
    "boolean": ["true", "false"],
    "double precision": ["0", "-0.0", "NaN", "Infinity", "1e-300", "12.5"],
    "numeric": ["0", "999999.9999", "-0.0001"],
    "array": ["{}", '{NULL,"","a,b"}', '{"quote \\" and \\\\"}', "{ü}"],
}
ALLOWED = {
    "analyses.status": ["pending", "failed"],
    "research_sessions.status": ["pending", "processing"],
    "tool_usage_logs.status": ["success", "rate_limited"],
    "userbase.payment_status": ["active", "cancelled"],
    "userbase.plan_tier": ["free", "developer"],
    "demo_sessions.status": ["active", "abandoned"],
    "demo_sessions.progress_percentage": ["0", "99.5"],
}
"""Values that the checks of the old modular scripts let through."""

_COLUMNS = """
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, NULL), a.atttypmod - 4, a.attnotnull,
    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisunique AND a.attnum = ANY (i.indkey)),
    (
        SELECT k.confrelid::regclass::text FROM pg_constraint k
        WHERE k.contype = 'f' AND k.conrelid = c.oid AND a.attnum = ANY (k.conkey)
    )
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""
_REFERENCES = {  # without a foreign key in the old tables, but with one in the models
    "tool_usage_logs.user_id": "userbase",
    "supply_update_logs.supply_item_id": "ai_supply_items",
}
_NEEDED = {"tool_usage_logs.user_id", "tool_usage_logs.status", "supply_update_logs.supply_item_id"}
UNIQUE = {
    "users.email",
    "userbase.email",
    "corpora.name",
    "supply_options.name",
    "apex_optimizer_agent_run_reports.run_id",
}
"""Columns whose values become unique."""


def fill(world: World, rows: int, *, first: int = 1) -> None:
    """Insert rows into each table, with ids from `first` on; tables that others refer to are filled first."""
    tables: dict[str, list[tuple[Any, ...]]] = {}
    for table, *column in world.sql(_COLUMNS, owner=False):
        tables.setdefault(table, []).append(tuple(column))
    done: set[str] = set()
    while len(done) < len(tables):
        ready = [
            name
            for name in tables.keys() - done
            if all(_target(name, column) in {None, name, *done} for column in tables[name])
        ]
        for table in ready:
            names = ", ".join(f'"{column[0]}"' for column in tables[table])
            values = ", ".join(_expression(table, column) for column in tables[table])
            numbers = f"generate_series({first}, {first + rows - 1}) AS g"
            world.sql(f'INSERT INTO "{table}" ({names}) SELECT {values} FROM {numbers}', owner=False)
        done |= set(ready)


def _target(table: str, column: tuple[Any, ...]) -> str | None:
    target = column[5] or _REFERENCES.get(f"{table}.{column[0]}")
    return target.strip('"') if target else None


def _expression(table: str, column: tuple[Any, ...]) -> str:
    name, kind, length, required, unique, _ = column
    key, position = f"{table}.{name}", sum(map(ord, name))
    target = _target(table, column)
    is_null = f"(g + {position}) % 7 = 0" if not required and key not in _NEEDED else "false"
    if target:
        own = "'id-' || g"
        return own if is_null == "false" else f"CASE WHEN {is_null} THEN NULL ELSE {own} END"
    if name == "id":
        return "g" if kind == "integer" else "'id-' || g"
    group = "array" if kind.endswith("[]") else kind.replace("character varying", "text").replace("jsonb", "json")
    group = group.replace("timestamp with time zone", "timestamptz").replace("timestamp without time zone", "timestamp")
    values = ALLOWED.get(key) or VALUES[group]
    array = ", ".join(f"'{value}'" for value in values)
    value = f"(ARRAY[{array}])[(g + {position}) % {len(values)} + 1]"
    if (unique or key in UNIQUE) and group == "text":
        value = f"{value} || g"
    if length > 0 and group == "text":
        value = f"left({value}, {length})"
    return f"CASE WHEN {is_null} THEN NULL ELSE ({value})::{kind} END"


class Values:
    """The values of a schema's tables as texts, with times in UTC, read a column at a time: there may be many."""

    def __init__(self, database: Target, schema: str = "public") -> None:
        """Read which columns there are."""
        self.database, self.schema = database, schema
        self.tables: dict[str, list[str]] = {}
        for table, column in self._rows(
            "SELECT relname::text, attname::text FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0"
            f" AND NOT attisdropped WHERE relkind = 'r' AND relnamespace = to_regnamespace('{schema}')"
        ):
            self.tables.setdefault(str(table), []).append(str(column))

    def of(self, table: str, column: str) -> dict[str, str | None]:
        """Return the values of a column by the row's id."""
        names = map(sql.Identifier, (column, self.schema, table))
        return dict(self._rows(sql.SQL("SELECT id::text, {}::text FROM {}.{}").format(*names)))

    def _rows(self, query: str | sql.Composed) -> list[Any]:
        with connect(self.database, autocommit=True) as connection:
            connection.execute("SET TimeZone = 'UTC'; SET extra_float_digits = 1")
            return connection.execute(query.encode() if isinstance(query, str) else query).fetchall()
