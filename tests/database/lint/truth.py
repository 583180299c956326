"""Compares what lint says of SQL with what a server says that has run it: finding by finding, and what was not found.

`python tests/database/lint/truth.py CONNINFO FILE…`, with an empty database, prints where the two disagree.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from infra.lint.builtins import known
from infra.lint.linter import rule_texts
from infra.lint.options import LintSettings
from infra.lint.rule import RULES, Hit, LintProject
from infra.lint.simulation import simulate
from infra.lint.source import Sources, source_file
from infra.lint.tree import relation_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from typing_extensions import LiteralString

    from infra.lint.source import Located, SourceFile

Thing = tuple[str, ...]  # table, and a name in it

HERE = "n.nspname !~ '^pg_|^information_schema$'"
COLUMNS: LiteralString = f"""
    SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
    WHERE c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped
    AND {HERE} AND """
SERIAL: LiteralString = """a.attidentity = '' AND EXISTS (SELECT FROM pg_depend o WHERE o.deptype = 'a'
    AND o.refobjid = c.oid AND o.refobjsubid = a.attnum AND o.classid = 'pg_class'::regclass
    AND pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval%')"""
INDEXES: LiteralString = """
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace"""
ALIKE: LiteralString = """
    o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid AND y.relam = x.relam
    AND coalesce(pg_get_expr(o.indpred, o.indrelid), '') = coalesce(pg_get_expr(i.indpred, i.indrelid), '')
    AND array_to_string(o.indoption, ' ') || ' ' LIKE array_to_string(i.indoption, ' ') || ' %'
    AND array_to_string(o.indcollation, ' ') || ' ' LIKE array_to_string(i.indcollation, ' ') || ' %'
    AND array_to_string(o.indclass, ' ') || ' ' LIKE array_to_string(i.indclass, ' ') || ' %'
    AND (SELECT bool_and(pg_get_indexdef(i.indexrelid, k, true) = pg_get_indexdef(o.indexrelid, k, true))
         FROM generate_series(1, i.indnatts) AS k)"""
CONSTRAINTS: LiteralString = f"""
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT c.relispartition AND {HERE} AND """

# For each code, the things that the server says it is true of.
ASKED: dict[str, LiteralString] = {
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
    "M505": f"SELECT c.relname, x.relname {INDEXES} WHERE NOT i.indisunique AND i.indnatts = i.indnkeyatts AND {HERE}"
    f" AND EXISTS (SELECT FROM pg_index o JOIN pg_class y ON y.oid = o.indexrelid WHERE {ALIKE}"
    " AND o.indnkeyatts > i.indnkeyatts AND x.relam = 403)",
    "M504": f"SELECT c.relname, x.relname {INDEXES}, pg_index o JOIN pg_class y ON y.oid = o.indexrelid"
    f" WHERE {HERE} AND {ALIKE} AND o.indnatts = i.indnatts AND NOT (i.indisunique AND NOT o.indisunique)"
    " AND (i.indisunique <> o.indisunique OR i.indexrelid > o.indexrelid)",
}


def project_of(files: Sequence[SourceFile]) -> LintProject:
    """Follow files as lint does."""
    return LintProject(Sources([*files], [], []), LintSettings(), simulate(files, known()), [])


def compared(text: str, connection: psycopg.Connection[Any]) -> dict[str, tuple[Counter[Thing], Counter[Thing]]]:
    """Run a text, and give for each code what only lint says, and what only the server says; and all that both say."""
    file = source_file("x.sql", "x.sql", text.encode())
    with connection.transaction(force_rollback=True):
        once = [_again(connection, one) for one in file.statements]
        said = {code: Counter(connection.execute(query).fetchall()) for code, query in ASKED.items()}
        said["M510"] = Counter(_unnamed(connection, file.text))
        said["M305"] = Counter(
            connection.execute(f"SELECT c.relname {CONSTRAINTS} f.contype = 'f' AND f.confdeltype = 'a'")
        )
    said["M511"] = Counter(
        (one.tree.relation.relname,) for one, repeated in zip(file.statements, once, strict=True) if repeated
    )
    project = project_of([file])
    return {
        code: (Counter(_thing(code, hit) for hit in RULES[code].look(project)), said[code]) for code in sorted(said)
    }


def _again(connection: psycopg.Connection[Any], located: Located) -> bool:
    """Run a statement; say of an INSERT whether a second run adds rows or fails."""
    statement = located.text
    connection.execute(statement.encode())
    if located.kind != "insert_stmt":
        return False
    count = sql.SQL("SELECT count(*) FROM {}").format(
        sql.Identifier(*filter(None, relation_name(located.tree.relation)))
    )
    try:
        with connection.transaction(force_rollback=True):
            before = connection.execute(count).fetchone()
            connection.execute(statement.encode())
            return connection.execute(count).fetchone() != before
    except psycopg.errors.UniqueViolation:
        return True


def _unnamed(connection: psycopg.Connection[Any], text: str) -> list[Thing]:
    """Give the constraints and indexes whose names are nowhere in the text, so that PostgreSQL has chosen them."""
    words = {word.lower() for word in re.findall(r"\w+", text)}
    kinds = {"p": "primary key", "u": "unique constraint", "c": "check", "f": "foreign key", "x": "exclusion"}
    constraints = connection.execute(
        f"SELECT c.relname, f.contype, f.conname {CONSTRAINTS} f.contype = ANY('{{p,u,c,f,x}}')"
    )
    found = [(table, kinds[kind]) for table, kind, name in constraints if name.lower() not in words]
    indexes = connection.execute(
        f"SELECT c.relname, x.relname {INDEXES} WHERE {HERE}"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = x.oid AND contype IN ('p', 'u', 'x'))"
    )
    return found + [(table, "index") for table, name in indexes if name.lower() not in words]


def _thing(code: str, hit: Hit) -> Thing:
    """Give what a finding is about, as the server is asked for it."""
    assert hit.located
    table = hit.located.tree.relation.relname
    if code in {"M504", "M505"}:
        found = re.match(r"(?:unique constraint|index) (\S+) on (\S+) \(", hit.message)
        return (found[2].rpartition(".")[2], found[1]) if found else (table, hit.message)
    if code == "M304":
        found = re.fullmatch(r"no index of (\S+) begins with (.+)", hit.message)
        return (found[1].rpartition(".")[2], found[2].replace(",", "")) if found else (table, hit.message)
    if code == "M510":
        return table, hit.message.removeprefix("the ").removesuffix(" has no name")
    return (table,) if code in {"M305", "M511"} else (table, hit.message.split()[0])


if __name__ == "__main__":
    with psycopg.connect(sys.argv[1]) as live:
        text = "".join(Path(name).read_text(encoding="utf-8") + ";\n" for name in sys.argv[2:])
        for code, (lint, server) in compared(text, live).items():
            print(code, f"both {(lint & server).total()}", f"lint alone {dict(lint - server)}", end=" ")
            print(f"server alone {dict(server - lint)}", rule_texts()[code].title)
