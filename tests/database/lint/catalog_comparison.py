"""Comparison of the findings of lint with the catalog of a server that has run the same SQL, in both directions.

`python tests/database/lint/catalog_comparison.py CONNINFO FILE…`, with an empty database, prints the differences.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from infra.lint.builtins import read_builtins
from infra.lint.discovery import Sources
from infra.lint.linter import rule_texts
from infra.lint.options import LintSettings
from infra.lint.rule import RULES, LintProject, Violation
from infra.lint.simulation import simulate
from infra.lint.source_file import parse_file
from infra.modules.tree import relation_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import LiteralString

    from infra.lint.source_file import LocatedStatement, SourceFile

Subject = tuple[str, ...]  # what a finding is about: a table, and a column, key or index of it

OWN_SCHEMAS = "n.nspname !~ '^pg_|^information_schema$'"
COLUMNS: LiteralString = f"""
    SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
    AND {OWN_SCHEMAS} AND """
SERIAL: LiteralString = """a.attidentity = '' AND EXISTS (SELECT FROM pg_depend o WHERE o.deptype = 'a'
    AND o.refobjid = c.oid AND o.refobjsubid = a.attnum AND o.classid = 'pg_class'::regclass
    AND pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%')"""
INDEXES: LiteralString = """
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace"""
SAME_BEGINNING: LiteralString = """
    o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid AND y.relam = x.relam
    AND coalesce(pg_get_expr(o.indpred, o.indrelid), '') = coalesce(pg_get_expr(i.indpred, i.indrelid), '')
    AND array_to_string(o.indoption, ' ') || ' ' LIKE array_to_string(i.indoption, ' ') || ' %'
    AND array_to_string(o.indcollation, ' ') || ' ' LIKE array_to_string(i.indcollation, ' ') || ' %'
    AND array_to_string(o.indclass, ' ') || ' ' LIKE array_to_string(i.indclass, ' ') || ' %'
    AND (SELECT bool_and(pg_get_indexdef(i.indexrelid, k, true) = pg_get_indexdef(o.indexrelid, k, true))
         FROM generate_series(1, i.indnatts) AS k)"""
CONSTRAINTS: LiteralString = f"""
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT c.relispartition AND {OWN_SCHEMAS} AND """

# For each code, a query for the subjects of its findings.
QUERIES: dict[str, LiteralString] = {
    "M506": COLUMNS + "a.atttypid = 'timestamp'::regtype",
    "M507": COLUMNS + "a.atttypid = 'json'::regtype",
    "M508": COLUMNS + SERIAL,
    "M509": COLUMNS + "a.atttypid = 'bpchar'::regtype AND a.atttypmod > 0",
    "M304": "SELECT c.relname, (SELECT string_agg(a.attname, ' ' ORDER BY k.n) FROM unnest(f.conkey) WITH ORDINALITY"
    " AS k (a, n) JOIN pg_attribute a ON (a.attrelid, a.attnum) = (c.oid, k.a))"
    + CONSTRAINTS
    + """f.contype = 'f' AND NOT EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
        JOIN pg_am m ON m.oid = x.relam WHERE i.indrelid = c.oid AND m.amname IN ('btree', 'hash')
        AND (i.indpred IS NULL OR pg_get_expr(i.indpred, c.oid) LIKE '%IS NOT NULL%')
        AND f.conkey <@ (i.indkey::int2[])[0:cardinality(f.conkey) - 1])""",
    "M505": f"SELECT c.relname, x.relname {INDEXES} WHERE {OWN_SCHEMAS}"
    " AND NOT i.indisunique AND i.indnatts = i.indnkeyatts"
    f" AND EXISTS (SELECT FROM pg_index o JOIN pg_class y ON y.oid = o.indexrelid WHERE {SAME_BEGINNING}"
    " AND o.indnkeyatts > i.indnkeyatts AND x.relam = 403)",
    "M504": f"SELECT c.relname, x.relname {INDEXES}, pg_index o JOIN pg_class y ON y.oid = o.indexrelid"
    f" WHERE {OWN_SCHEMAS} AND {SAME_BEGINNING}"
    " AND o.indnatts = i.indnatts AND NOT (i.indisunique AND NOT o.indisunique)"
    " AND (i.indisunique <> o.indisunique OR i.indexrelid > o.indexrelid)",
}


def project_of(files: Sequence[SourceFile]) -> LintProject:
    """Return files as a project that rules can check."""
    return LintProject(Sources([*files], [], []), LintSettings(), simulate(files, read_builtins()), [])


def compare(text: str, connection: psycopg.Connection[Any]) -> dict[str, tuple[Counter[Subject], Counter[Subject]]]:
    """Run a text in an empty database; return by code the subjects that lint reports, and those of the server."""
    file = parse_file("x.sql", "x.sql", text.encode())
    with connection.transaction(force_rollback=True):
        unrepeatable = [statement for statement in file.statements if not _run_repeatably(connection, statement)]
        server = {code: Counter(connection.execute(query).fetchall()) for code, query in QUERIES.items()}
        server["M510"] = Counter(_unnamed(connection, file.text))
        server["M305"] = Counter(
            connection.execute(f"SELECT c.relname {CONSTRAINTS} f.contype = 'f' AND f.confdeltype = 'a'")
        )
    server["M511"] = Counter((statement.tree.relation.relname,) for statement in unrepeatable)
    project = project_of([file])
    return {
        code: (Counter(_subject(code, violation) for violation in RULES[code].check(project)), server[code])
        for code in sorted(server)
    }


def _run_repeatably(connection: psycopg.Connection[Any], statement: LocatedStatement) -> bool:
    """Run a statement; return False for an INSERT of which a second run fails or adds rows."""
    connection.execute(statement.text.encode())
    if statement.kind != "insert_stmt":
        return True
    count = sql.SQL("SELECT count(*) FROM {}").format(
        sql.Identifier(*filter(None, relation_name(statement.tree.relation)))
    )
    try:
        with connection.transaction(force_rollback=True):
            before = connection.execute(count).fetchone()
            connection.execute(statement.text.encode())
            return connection.execute(count).fetchone() == before
    except psycopg.errors.UniqueViolation:
        return False


def _unnamed(connection: psycopg.Connection[Any], text: str) -> list[Subject]:
    """Return the constraints and indexes whose names are nowhere in the text: PostgreSQL has generated them."""
    words = {word.lower() for word in re.findall(r"\w+", text)}
    nouns = {"p": "primary key", "u": "unique constraint", "c": "check", "f": "foreign key", "x": "exclusion"}
    constraints = connection.execute(
        f"SELECT c.relname, f.contype, f.conname {CONSTRAINTS} f.contype = ANY('{{p,u,c,f,x}}')"
    )
    unnamed = [(table, nouns[kind]) for table, kind, name in constraints if name.lower() not in words]
    indexes = connection.execute(
        f"SELECT c.relname, x.relname {INDEXES} WHERE {OWN_SCHEMAS}"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = x.oid AND contype IN ('p', 'u', 'x'))"
    )
    return unnamed + [(table, "index") for table, name in indexes if name.lower() not in words]


def _subject(code: str, violation: Violation) -> Subject:
    """Return what a violation is about, in the form of the server's rows."""
    assert violation.statement
    table = violation.statement.tree.relation.relname
    if code in {"M504", "M505"}:
        match = re.match(r"(?:unique constraint|index) (\S+) on (\S+) \(", violation.message)
        return (match[2].rpartition(".")[2], match[1]) if match else (table, violation.message)
    if code == "M304":
        match = re.fullmatch(r"no index of (\S+) begins with (.+)", violation.message)
        return (match[1].rpartition(".")[2], match[2].replace(",", "")) if match else (table, violation.message)
    if code == "M510":
        return table, violation.message.removeprefix("the ").removesuffix(" has no name")
    return (table,) if code in {"M305", "M511"} else (table, violation.message.split()[0])


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1]) as live:
        text = "".join(Path(name).read_text(encoding="utf-8") + ";\n" for name in sys.argv[2:])
        for code, (lint, server) in compare(text, live).items():
            print(code, f"both {(lint & server).total()}", f"lint alone {dict(lint - server)}", end=" ")
            print(f"server alone {dict(server - lint)}", rule_texts()[code].title)
