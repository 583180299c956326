"""Rows for the tables of a scratch database: the same in every run, of unusual values, obeying the tables' rules.

Rows that PostgreSQL refuses are tried again with other values of the columns that its error names. No package that
does this for Python 3.10 obeys checks or domains (docs/decisions.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.errors import UniqueViolation

from infra.check.generated_values import DISTINCT, literals_in, values_of_type
from infra.modules.safe_forms import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from infra.postgres.connection.pool import Connection

_REPEATED = 2
"""How many of the rows have the values of earlier ones in columns that are not unique."""
_ATTEMPTS = 200

FILLED_TABLES = """
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
    AND n.nspname <> 'information_schema' AND NOT pg_catalog.starts_with(n.nspname, 'pg_')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY 2
"""
_COLUMNS = """
SELECT a.attnum, a.attname::text, a.atttypid, pg_catalog.format_type(a.atttypid, a.atttypmod),
    a.attnotnull OR t.typnotnull
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
    AND NOT pg_catalog.starts_with(COALESCE(pg_catalog.pg_get_expr(d.adbin, d.adrelid), ''), 'nextval(')
ORDER BY a.attnum
"""
_RULES = """
SELECT conname::text, contype::text, conkey::int[], confrelid::oid, confkey::int[],
    pg_catalog.pg_get_constraintdef(oid)
FROM pg_catalog.pg_constraint WHERE conrelid = %(table)s AND contype IN ('c', 'f', 'x')
UNION ALL
SELECT c.relname::text, 'u', i.indkey::int[], 0, NULL, ''
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = %(table)s AND i.indisunique
UNION ALL
SELECT '', 'p', p.partattrs::int[], 0, NULL, pg_catalog.pg_get_expr(c.relpartbound, c.oid)
FROM pg_catalog.pg_partitioned_table p
JOIN pg_catalog.pg_inherits i ON i.inhparent = p.partrelid JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
WHERE p.partrelid = %(table)s
ORDER BY 1
"""

_KEY = """
SELECT %(table)s::oid::pg_catalog.regclass::text, ARRAY(
    SELECT a.attname::text FROM pg_catalog.pg_attribute a
    WHERE a.attrelid = %(table)s AND a.attnum = ANY (%(key)s::int[])
    ORDER BY pg_catalog.array_position(%(key)s::int[], a.attnum::int)
)
"""


@dataclass
class _Choice:
    """What one column, or the columns of a foreign key, may be: tuples of values, and the one that is tried first."""

    columns: tuple[str, ...]
    values: list[tuple[str | None, ...]]
    first: int = 0
    tried: int = 0

    def position(self, row: int) -> int:
        """Return the position of the values for a row."""
        return (row % (DISTINCT - _REPEATED) + self.first) % len(self.values)

    def advance(self) -> bool:
        """Move to the next values, and return whether all were tried."""
        self.first += 1
        self.tried += 1
        return self.tried % len(self.values) == 0


@dataclass
class _Table:
    """A table that is filled: its columns by number, its rules by name, and the choices for each row."""

    oid: int
    name: str
    names: dict[int, str] = field(default_factory=dict[int, str])
    required: set[str] = field(default_factory=set[str])
    rules: list[tuple[str, str, list[int], int, list[int], str]] = field(default_factory=list[Any])
    choices: list[_Choice] = field(default_factory=list[_Choice])
    own: dict[str, str] = field(default_factory=dict[str, str])
    """The columns that may not be null and refer to another one of their table: each row refers to itself."""

    def needs(self, *, required: bool) -> set[int]:
        """Return the other tables that foreign keys refer to; with `required` only those that may not be null."""
        return {
            target
            for _, kind, key, target, _, _ in self.rules
            if kind == "f" and target != self.oid and (not required or self._is_required(key))
        }

    def _is_required(self, key: Iterable[int]) -> bool:
        return all(self.names.get(number) in self.required for number in key)

    def choices_of(self, error: psycopg.Error) -> list[_Choice]:
        """Return the choices whose values an error is about, all where it does not say that."""
        names = {str(error.diag.column_name)}
        for name, _, key, *_ in self.rules:
            if name and name == error.diag.constraint_name:
                names |= {self.names.get(number, "") for number in key}
        return [choice for choice in self.choices if names & set(choice.columns)] or self.choices


def fill_tables(connection: Connection, leave: Collection[str] = ()) -> list[str]:
    """Insert rows into all tables but those to `leave`, and return why a table got none, a line for each.

    Runs in the current transaction, as its role.
    """
    with connection.transaction():
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        tables = [_read(connection, oid, name) for oid, name in connection.execute(FILLED_TABLES.encode()).fetchall()]
        left = {table.oid: table for table in tables}
        problems: list[str] = []
        while left:
            table = _next(left)
            del left[table.oid]
            if table.name in leave:
                continue
            problem = _fill(connection, table)
            problems += [f"{table.name} has no generated rows: {problem}"] if problem else []
        return problems


def _next(left: dict[int, _Table]) -> _Table:
    """Return a table whose foreign keys refer to none that is left, as far as there is one."""
    for required in (False, True):
        for table in left.values():
            if not table.needs(required=required) & left.keys():
                return table
    return next(iter(left.values()))


def _read(connection: Connection, oid: int, name: str) -> _Table:
    table = _Table(oid, name)
    table.rules = connection.execute(_RULES, {"table": oid}).fetchall()
    for number, column, kind, type_name, required in connection.execute(_COLUMNS, (oid,)).fetchall():
        table.names[number] = column
        table.required |= {column} if required else set()
        definitions = [rule[5] for rule in table.rules if rule[1] in "cp" and number in (rule[2] or ())]
        values: list[tuple[str | None, ...]] = [
            (value,) for value in values_of_type(connection, kind, type_name, literals_in(definitions))
        ]
        if not required or not values:
            values.insert(min(len(values), 1 + number % (DISTINCT - _REPEATED - 1)), (None,))
        table.choices.append(_Choice((column,), values, first=0 if definitions else number))
    return table


def _fill(connection: Connection, table: _Table) -> str:
    """Insert rows into a table, and return why there is none, '' where there are some."""
    for _, kind, key, target, target_key, _ in table.rules:
        if kind != "f" or not all(number in table.names for number in key):
            continue
        if target == table.oid:  # null, or what the row itself has
            pairs = {table.names[a]: table.names.get(b, "") for a, b in zip(key, target_key, strict=True)}
            required = table.required & pairs.keys() - pairs.values()
            table.own |= {column: pairs[column] for column in required if pairs[column]}
            table.choices += [_Choice((column,), [(None,)]) for column in pairs.keys() - table.required]
        else:
            table.choices.append(_references(connection, table, key, target, target_key))
    problem = ""
    for row in range(DISTINCT):
        problem = _insert(connection, table, row)
        if problem:
            return problem if row == 0 else ""
    return ""


def _references(
    connection: Connection, table: _Table, key: Sequence[int], target: int, target_key: Sequence[int]
) -> _Choice:
    """Return what the columns of a foreign key may be: keys of the other table's rows, and null."""
    columns = tuple(table.names[number] for number in key)
    name, others = connection.execute(_KEY, {"table": target, "key": list(target_key)}).fetchone() or ("", [])
    texts = ", ".join(f"{quoted(other)}::text" for other in others)
    read = f"SELECT {texts} FROM {name} LIMIT {DISTINCT}"
    found: list[tuple[str | None, ...]] = connection.execute(read.encode()).fetchall()
    if not found or not table.required & set(columns):
        found.insert(min(len(found), 3), (None,) * len(columns))
    return _Choice(columns, found)


def _insert(connection: Connection, table: _Table, row: int) -> str:
    """Insert a row, with other values where they are refused; return the last error, '' for none."""
    message = ""
    for choice in table.choices:
        choice.tried = 0
    for _ in range(_ATTEMPTS):
        values: dict[str, str | None] = {}
        for choice in table.choices:
            values |= dict(zip(choice.columns, choice.values[choice.position(row)], strict=True))
        values |= {column: values[other] for column, other in table.own.items() if other in values}
        try:
            with connection.transaction():
                connection.execute(insert_statement(table.name, list(values)), list(values.values()))
        except psycopg.Error as error:
            message = " ".join(str(error.diag.message_primary or error).split())
            if not _may_pass_with_others(error):
                break
            _take_others(table.choices_of(error), row, is_taken=isinstance(error, UniqueViolation))
        else:
            return ""
    return message


def insert_statement(table: str, columns: Sequence[str]) -> bytes:
    """Return the INSERT of one row with its values as texts; `table` is a name as SQL."""
    names, marks = ", ".join(quoted(column) for column in columns), ", ".join(["%s"] * len(columns))
    values = f"({names}) OVERRIDING SYSTEM VALUE VALUES".replace("%", "%%") if columns else "DEFAULT VALUES"
    return f"INSERT INTO {table.replace('%', '%%')} {values}{f' ({marks})' if columns else ''}".encode()


def _may_pass_with_others(error: psycopg.Error) -> bool:
    """Return whether other values may be taken: an error of data, of a constraint, or raised by a trigger."""
    return str(error.sqlstate)[:2] in {"22", "23", "P0"}


def _take_others(choices: list[_Choice], row: int, *, is_taken: bool) -> None:
    """Go on to the next combination of values; a single value that is never allowed is left out from then on."""
    if len(choices) == 1 and not is_taken and len(choices[0].values) > 1:
        del choices[0].values[choices[0].position(row)]
        return
    for choice in choices:
        if not choice.advance():
            return
