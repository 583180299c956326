"""A revision is run up, down and up again in a database whose tables have generated rows."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from textwrap import indent
from typing import TYPE_CHECKING

import pytest

from infra.check.generated_rows import fill_tables
from infra.check.row_proof import RowProof, prove_with_rows
from infra.migrations.history import Revision
from infra.modules.module import Module
from infra.postgres.apply.module_effects import run_on_scratch, session_on_scratch
from infra.postgres.connection import pool
from infra.server.scratch.scratch_server import scratch_server

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from infra.postgres.connection.scratch_target import ScratchTarget

    Fresh = Callable[[str], ScratchTarget]
    Prove = Callable[[str, str, str], RowProof]

TABLE = "CREATE TABLE a (id integer PRIMARY KEY, name varchar(10), code text NOT NULL);\n"
FILE = "versions/0002_test.py"
AUTOCOMMIT = "with op.get_context().autocommit_block():\n    "


@pytest.fixture
def fresh(private: str) -> Generator[Fresh]:
    """Yield what creates a scratch database of a module's text."""
    with scratch_server(private) as server, ExitStack() as stack:

        def create(text: str) -> ScratchTarget:
            scratch = stack.enter_context(server.database())
            with pool.connection(scratch.target) as connection:
                run_on_scratch(connection, scratch, Module(1, "a", "01-a.sql", text), seconds=60)
            return scratch

        yield create


@pytest.fixture
def prove(fresh: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prove:
    """Return what proves a revision of two statements after a module."""
    monkeypatch.chdir(tmp_path)
    Path("versions").mkdir()

    def run(before: str, upgrade: str, downgrade: str) -> RowProof:
        bodies = [text if "op." in text or text == "pass" else f'op.execute("{text}")' for text in (upgrade, downgrade)]
        up, down = (indent(body, "    ") for body in bodies)
        text = f"from alembic import op\n\n\ndef upgrade():\n{up}\n\n\ndef downgrade():\n{down}\n"
        Path(FILE).write_text(text)
        return prove_with_rows(Revision("0002", FILE), lambda: fresh(before))

    return run


def shown(proof: RowProof) -> list[str]:
    """Return code, place and message of each finding."""
    return [f"{finding.code} {finding.place.path}:{finding.place.line} {finding.message}" for finding in proof.findings]


def test_a_new_column_that_may_not_be_null_and_has_no_default_fails_with_every_row(prove: Prove) -> None:
    """The sentence has file, line, and one row; with a default nothing is found, and undoing it is said to lose it."""
    proof = prove(TABLE, "ALTER TABLE a ADD size int NOT NULL", "ALTER TABLE a DROP size")
    (text,) = shown(proof)
    assert text.startswith(f"C135 {FILE}:5 upgrade fails with each of 10 generated rows of public.a, such as (id '1', ")
    assert text.endswith("""code "o'brien@example.com"): column "size" of relation "a" contains null values""")
    proof = prove(TABLE, "ALTER TABLE a ADD size int NOT NULL DEFAULT 1", "ALTER TABLE a DROP size")
    assert shown(proof) == []
    assert proof.notes == ["downgrade loses what was written after the upgrade: values of public.a.size"]


def test_a_type_that_does_not_have_all_values_is_found_with_a_row_that_it_refuses(prove: Prove) -> None:
    """What is left out then has no further error; the values that the way back does not have are said."""
    proof = prove(
        TABLE, "ALTER TABLE a ALTER name TYPE int USING name::int", "ALTER TABLE a ALTER name TYPE varchar(10)"
    )
    (text,) = shown(proof)
    assert text.startswith(f"C136 {FILE}:5 upgrade fails with ")
    assert " of 10 generated rows of public.a, such as (id " in text
    assert 'invalid input syntax for type integer: "' in text
    proof = prove(TABLE, "ALTER TABLE a ALTER name TYPE varchar(20)", "ALTER TABLE a ALTER name TYPE varchar(10)")
    assert shown(proof) == []
    assert proof.notes == [
        "downgrade fails with rows that only the new schema takes: value too long for type character varying(10)"
    ]


@pytest.mark.parametrize(
    ("upgrade", "downgrade"),
    [
        ("ALTER TABLE a ADD UNIQUE (name)", "ALTER TABLE a DROP CONSTRAINT a_name_key"),
        (
            f'{AUTOCOMMIT}op.execute("CREATE UNIQUE INDEX CONCURRENTLY i ON a (name)")',
            "DROP INDEX i",
        ),
    ],
)
def test_a_unique_rule_names_a_row_that_another_one_equals(prove: Prove, upgrade: str, downgrade: str) -> None:
    """Alone each row passes; it is found beside those before it, also where the index is built outside."""
    (text,) = shown(prove(TABLE, upgrade, downgrade))
    assert text.startswith("C136 ")
    assert "upgrade fails with 1 of 10 generated rows of public.a, such as (id " in text
    assert "could not create unique index" in text
    assert "is duplicated.)" in text


def test_several_rules_are_found_in_one_run(prove: Prove) -> None:
    """The rows that one refuses are left out for the next, and a valid constraint is told from one that is not yet."""
    upgrade = """\
op.execute("ALTER TABLE a ADD CONSTRAINT c CHECK (name IS NOT NULL) NOT VALID")
op.execute("ALTER TABLE a VALIDATE CONSTRAINT c")
op.execute("ALTER TABLE a ADD CONSTRAINT d CHECK (code <> 'NULL')")
"""
    downgrade = 'op.execute("ALTER TABLE a DROP CONSTRAINT c, DROP CONSTRAINT d")'
    first, second = shown(prove(TABLE, upgrade, downgrade))
    assert first.startswith(f"C136 {FILE}:6 upgrade fails with ")
    assert "name NULL" in first
    assert second.startswith(f"C136 {FILE}:7 ")
    repaired = f"op.execute(\"UPDATE a SET name = '', code = id::text\")\n{upgrade}"
    assert shown(prove(TABLE, repaired, downgrade)) == []


def test_of_a_wide_row_the_columns_are_named_that_the_failure_is_about(prove: Prove) -> None:
    """Beside the first ones; what is left out is said by three dots."""
    wide = f"CREATE TABLE a (id int PRIMARY KEY, {', '.join(f'c{number} int' for number in range(20))});\n"
    check = "ALTER TABLE a ADD CONSTRAINT c CHECK (c17 IS NOT NULL)"
    (text,) = shown(prove(wide, check, "ALTER TABLE a DROP CONSTRAINT c"))
    row = r"\(id '[^']*', c0 [^,]*, c1 [^,]*, c17 NULL, …\)"
    assert re.search(f" public.a, such as {row}: check constraint ", text), text


def test_what_a_way_back_loses_is_named(prove: Prove) -> None:
    """Rows that were deleted, values of a dropped column, and tables that only the new schema has; no renamed one."""
    lost = prove(TABLE, "DELETE FROM a WHERE name IS NULL", "pass").notes
    assert lost[0].startswith("upgrade and downgrade lose ")
    assert lost[0].endswith(" rows of public.a")
    assert prove(TABLE, "ALTER TABLE a DROP name", "ALTER TABLE a ADD name varchar(10)").notes == [
        "upgrade and downgrade lose values of public.a.name"
    ]
    assert prove(TABLE, "CREATE TABLE b (id int)", "DROP TABLE b").notes == [
        "downgrade loses what was written after the upgrade: 10 rows of public.b"
    ]
    renamed = "ALTER TABLE a RENAME name TO title; ALTER TABLE a RENAME TO b"
    back = "ALTER TABLE b RENAME TO a; ALTER TABLE a RENAME title TO name"
    assert prove(TABLE, renamed, back) == RowProof()


def test_a_downgrade_that_fails_with_the_rows_of_before_is_found(prove: Prove) -> None:
    """It names the row, as the upgrade does; one that refuses by name is not run."""
    back = "ALTER TABLE a ADD name varchar(10) NOT NULL"
    (text,) = shown(prove(TABLE.replace("varchar(10)", "varchar(10) NOT NULL"), "ALTER TABLE a DROP name", back))
    assert text.startswith(
        f"C135 {FILE}:9 downgrade fails with each of 10 generated rows of public.a, such as (id '1', "
    )
    refusal = 'from alembic.util import CommandError; op.f("x"); raise CommandError("no way back")'
    assert prove(TABLE, "ALTER TABLE a DROP name", refusal) == RowProof()


RULES = """
CREATE TYPE mood AS ENUM ('a', 'b');
CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE BETWEEN 5 AND 9);
CREATE TABLE parent (id serial PRIMARY KEY, tenant int NOT NULL, m mood NOT NULL, UNIQUE (tenant, id));
CREATE TABLE "100 %" (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant int NOT NULL, p int NOT NULL, "q %" positive,
    low numeric(5, 2) NOT NULL, high numeric(5, 2) NOT NULL, status varchar(9) CHECK (status IN ('open', 'shut')),
    twice int GENERATED ALWAYS AS (tenant * 2) STORED, mail text NOT NULL CHECK (mail ~ '@'), tags text[] NOT NULL,
    doc jsonb NOT NULL, span int4range NOT NULL, at timestamptz NOT NULL, raw bytea NOT NULL, key uuid UNIQUE NOT NULL,
    CHECK (low < high), FOREIGN KEY (tenant, p) REFERENCES parent (tenant, id)
);
CREATE TABLE one_each (p int PRIMARY KEY REFERENCES parent);
CREATE TABLE a (id int PRIMARY KEY, b int NOT NULL);
CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a, self int NOT NULL REFERENCES b);
ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b;
CREATE TABLE part (at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM ('2030-01-01') TO ('2030-02-01');
CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN IF NEW.id % 2 = 0 THEN RAISE EXCEPTION ''even''; END IF; RETURN NEW; END';
CREATE TABLE watched (id int NOT NULL);
CREATE TRIGGER odd BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION odd();
CREATE TABLE nobody_knows (id int NOT NULL CHECK (sin(id) = 7));
"""


def test_rows_are_generated_that_obey_a_schema_and_are_the_same_each_time(fresh: Fresh) -> None:
    """What no value obeys is named in one line and left empty; the other tables have rows, with unusual values."""
    found: list[dict[str, list[tuple[object, ...]]]] = []
    for _ in range(2):
        scratch = fresh(RULES)
        with (
            pool.connection(scratch.target) as connection,
            session_on_scratch(scratch, seconds=60).transaction(connection),
        ):
            (problem,) = fill_tables(connection)
            assert problem.startswith("public.nobody_knows has no generated rows: new row for relation ")
            names = ["parent", '"100 %"', "one_each", "a", "b", "part", "watched"]
            found.append({name: connection.execute(f"SELECT * FROM {name}".encode()).fetchall() for name in names})
    assert found[0] == found[1]
    assert [name for name, rows in found[0].items() if not rows] == []
    assert len(found[0]["parent"]) == len(found[0]["b"]) == 10
