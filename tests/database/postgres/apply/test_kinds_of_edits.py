"""Each kind of edit of models and modules reaches databases with rows by a revision that is written for it.

The revision is run on a database with rows, and compared with a fresh one; its downgrade brings the old catalog back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    create_mock_engine,
)

from infra.catalog.difference import differences
from infra.check.revisions import lock_findings, revision_findings
from infra.errors import ModuleError
from infra.migrations.history import read_history
from infra.migrations.revision_sql import downgrade_sql
from infra.modules.decision import Step
from infra.revisions import writing
from infra.server.scratch.scratch_server import scratch_server
from tests.database.postgres.apply.test_revisions import Lane
from tests.database.postgres.databases import PERSISTENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from sqlalchemy.sql.ddl import ExecutableDDLElement

    from infra.catalog.catalog import Catalog
    from infra.server.scratch.scratch_server import ScratchServer
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]
pytestmark = pytest.mark.full

PEOPLE: dict[str, Callable[[], Column[Any]]] = {
    "id": lambda: Column("id", Integer, primary_key=True, autoincrement=False),
    "email": lambda: Column("email", String(100), nullable=False),
    "age": lambda: Column("age", Integer),
    "state": lambda: Column("state", Enum("new", "paid", name="state")),
}


@dataclass(frozen=True)
class Edit:
    """What an edit makes of the models' columns and tables, and of the module that is written by hand.

    `rows` is what the table of people has afterwards; `renames` is what the person who writes the revision says;
    `refused` is what the downgrade says that cannot do it; `start` has the models before, after which `insert` is run;
    `refuses_rows` says that a table may have rows with which the revision fails.
    """

    columns: dict[str, Callable[[], Column[Any]] | None] | None = None
    more: Callable[[Table], object] | None = None
    table: str = "people"
    by_hand: str = ""
    before: str = ""
    new_module: str = ""
    rows: str = "SELECT id, email, age, state::text FROM people ORDER BY id"
    expected: tuple[tuple[Any, ...], ...] = ((1, "a@b", 7, "new"), (2, "c'd", None, None))
    renames: tuple[str, ...] = ()
    schema: str = ""
    refused: str = ""
    refuses_rows: bool = False
    start: Edit | None = None
    insert: str = ""


def column(name: str, *arguments: Any, **options: Any) -> Callable[[], Column[Any]]:  # noqa: ANN401 (a column's)
    """Return what makes a column, which belongs to one table only."""
    return lambda: Column(name, *arguments, **options)


def other(table: Table) -> Table:
    """Add a table that refers to people."""
    return Table(
        "orders",
        table.metadata,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("person", Integer, ForeignKey("people.id"), nullable=False),
    )


def elsewhere(table: Table) -> Table:
    """Add a table in another schema."""
    return Table("bills", table.metadata, Column("id", Integer, primary_key=True), schema="money")


VIEW = "CREATE VIEW adults AS SELECT id FROM people WHERE age > 17;\n"
FUNCTION = "CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM people';\n"
TRIGGER = (
    "CREATE FUNCTION lower_email() RETURNS trigger LANGUAGE plpgsql AS"
    " 'BEGIN NEW.email := lower(NEW.email); RETURN NEW; END';\n"
    "CREATE TRIGGER lower_email BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION lower_email();\n"
)
POLICY = (
    "ALTER TABLE people ENABLE ROW LEVEL SECURITY;\n"
    "CREATE POLICY grown_up ON people AS RESTRICTIVE FOR SELECT USING (age > 17);\n"
    "COMMENT ON POLICY grown_up ON people IS 'Not children''s.';\n"
)
MATERIALIZED = "CREATE MATERIALIZED VIEW ages AS SELECT age, count(*) AS number FROM people GROUP BY age;\n"
PARTITIONS = (
    "CREATE TABLE parts (id integer NOT NULL, PRIMARY KEY (id)) PARTITION BY RANGE (id);\n"
    "CREATE TABLE first PARTITION OF parts FOR VALUES FROM (0) TO ({});\n"
)
VISITS = """
CREATE TABLE visits (
    person integer NOT NULL REFERENCES people, at timestamptz DEFAULT now(), id integer GENERATED ALWAYS AS IDENTITY,
    note text STORAGE EXTERNAL, PRIMARY KEY (id)
) WITH (fillfactor = 80);
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
CREATE INDEX ON visits (person, at DESC);
COMMENT ON TABLE visits IS 'Who''s been here.';
COMMENT ON COLUMN visits.at IS 'When.';
GRANT INSERT ON visits TO PUBLIC;
"""

EDITS = {
    "a column is added": Edit({"note": column("note", String)}),
    "a column is dropped": Edit(
        {"age": None}, rows="SELECT id, email FROM people ORDER BY id", expected=((1, "a@b"), (2, "c'd"))
    ),
    "a column is renamed": Edit(
        {"email": None, "address": column("address", String(100), nullable=False)},
        rows="SELECT id, address FROM people ORDER BY id",
        expected=((1, "a@b"), (2, "c'd")),
        renames=("people.email=address",),
    ),
    "a table is added": Edit(more=other),
    "a table is dropped": Edit(start=Edit(more=other), insert="INSERT INTO orders VALUES (7, 1)"),
    "a table is renamed": Edit(
        table="persons",
        rows="SELECT id, email FROM persons ORDER BY id",
        expected=((1, "a@b"), (2, "c'd")),
        renames=("people=persons",),
    ),
    "a type": Edit({"email": column("email", String(200), nullable=False)}),
    "a default": Edit({"age": column("age", Integer, server_default="3")}),
    "a default is dropped": Edit(start=Edit({"age": column("age", Integer, server_default="3")})),
    "a column may be null": Edit({"email": column("email", String(100), nullable=True)}),
    "a column is required": Edit(
        {"note": column("note", String, nullable=False)},
        start=Edit({"note": column("note", String)}),
        insert="UPDATE people SET note = 'n' || id",
        rows="SELECT id, note FROM people ORDER BY id",
        expected=((1, "n1"), (2, "n2")),
        refuses_rows=True,
    ),
    "a check": Edit(
        more=lambda table: table.append_constraint(CheckConstraint("age > 0", name="people_age_check")),
        refuses_rows=True,
    ),
    "a check is dropped": Edit(
        start=Edit(more=lambda table: table.append_constraint(CheckConstraint("age > 0", name="people_age_check")))
    ),
    "a unique constraint": Edit(
        more=lambda table: table.append_constraint(UniqueConstraint("email", name="one")), refuses_rows=True
    ),
    "an index": Edit(more=lambda table: Index("ix_people_email", table.c.email)),
    "an index is dropped": Edit(start=Edit(more=lambda table: Index("ix_people_email", table.c.email))),
    "an enum's value": Edit(
        {"state": column("state", Enum("new", "open", "paid", "void", name="state"))},
        refused="enum public.state keeps open, void: PostgreSQL adds values to an enum, and takes none out",
    ),
    "an enum with a column": Edit({"kind": column("kind", Enum("o'", "p", name="kind"))}),
    "an enum with a table": Edit(
        more=lambda table: Table("t", table.metadata, Column("kind", Enum("o", "p", name="kind"), primary_key=True))
    ),
    "a comment": Edit({"age": column("age", Integer, comment="In years; 'whole' ones.")}),
    "a comment is dropped": Edit(start=Edit({"age": column("age", Integer, comment="In years.")})),
    "a schema": Edit(more=elsewhere, schema="money"),
    "a view": Edit(by_hand=VIEW),
    "a view is dropped": Edit(before=VIEW),
    "a view has another name": Edit(before=VIEW, by_hand=VIEW.replace("adults", "grown_up")),
    "a view that changes": Edit(before=VIEW, by_hand=VIEW.replace("17", "20")),
    "a materialized view": Edit(by_hand=MATERIALIZED),
    "a module": Edit(new_module=VIEW + FUNCTION),
    "a function": Edit(by_hand=FUNCTION),
    "a function is dropped": Edit(before=FUNCTION),
    "a function that changes": Edit(before=FUNCTION, by_hand=FUNCTION.replace("count(*)", "sum(age)")),
    "a trigger": Edit(by_hand=TRIGGER),
    "a trigger that changes": Edit(before=TRIGGER, by_hand=TRIGGER.replace("BEFORE INSERT", "BEFORE UPDATE")),
    "a trigger is dropped": Edit(before=TRIGGER),
    "a policy": Edit(by_hand=POLICY),
    "a policy that changes": Edit(before=POLICY, by_hand=POLICY.replace("17", "20").replace("Not", "No")),
    "a policy is dropped": Edit(before=POLICY),
    "a default that a later module sets": Edit(by_hand="ALTER TABLE people ALTER age SET DEFAULT 4;\n"),
    "a column that a later module adds": Edit(by_hand="ALTER TABLE people ADD born date;\n"),
    "a table in a module": Edit(by_hand=VISITS),
    "a table in a module is dropped": Edit(before=VISITS, insert="INSERT INTO visits (person) VALUES (1)"),
    "a partitioned table is dropped": Edit(before=PARTITIONS.format(10)),
    "an extension": Edit(by_hand="CREATE EXTENSION pg_trgm;\n"),
    "a partitioned table": Edit(by_hand=PARTITIONS.format(10)),
    "a partition": Edit(
        before=PARTITIONS.format(10),
        by_hand=f"{PARTITIONS.format(10)}CREATE TABLE later PARTITION OF parts FOR VALUES FROM (10) TO (20);\n",
    ),
    "nulls that are not distinct": Edit(
        by_hand="ALTER TABLE people ADD CONSTRAINT once UNIQUE NULLS NOT DISTINCT (age);\n", refuses_rows=True
    ),
    "an index with an operator class and more columns": Edit(
        by_hand="CREATE INDEX covering ON people (email varchar_pattern_ops DESC) INCLUDE (age) WHERE age > 1;\n"
    ),
    "storage": Edit(by_hand="ALTER TABLE people ALTER email SET STORAGE EXTERNAL;\n"),
    "options of a table": Edit(by_hand="ALTER TABLE people SET (fillfactor = 70);\n"),
    "a domain": Edit(by_hand="CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');\n"),
    "a sequence": Edit(by_hand="CREATE SEQUENCE numbers AS integer START 7;\n"),
    "a privilege": Edit(by_hand="GRANT SELECT (id) ON people TO PUBLIC;\n"),
}


def models_of(edit: Edit) -> MetaData:
    """Return the models with an edit."""
    metadata = MetaData()
    columns: dict[str, Callable[[], Column[Any]] | None] = {**PEOPLE, **(edit.columns or {})}
    table = Table(edit.table, metadata, *(make() for make in columns.values() if make))
    if edit.more:
        edit.more(table)
    return metadata


def sql_of(metadata: MetaData, schema: str) -> str:
    """Return what `create_all` executes."""
    statements: list[str] = [f"CREATE SCHEMA {schema};\n"] if schema else []

    def note(statement: ExecutableDDLElement, *_: object, **__: object) -> None:
        statements.append(f"{str(statement.compile(dialect=engine.dialect)).strip()};\n")

    engine = create_mock_engine("postgresql+psycopg://", note)
    metadata.create_all(engine, checkfirst=False)
    return "".join(statements)


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_kind_of_edit_reaches_a_database_with_rows_and_can_be_undone(
    new_world: Callable[[], World], server: str, monkeypatch: pytest.MonkeyPatch, edit: Edit
) -> None:
    """The revision needs no hand, leads to the catalog of a fresh database and keeps rows; its downgrade leads back."""

    def on_this_server(_: None, roles: list[str]) -> AbstractContextManager[ScratchServer]:
        return scratch_server(server, roles)

    monkeypatch.setattr(writing, "scratch_server", on_this_server)
    lane = Lane(new_world())
    lane.release(m01_people=sql_of(models_of(edit.start or Edit()), ""), m02_by_hand=f"{edit.before}\n--")
    lane.up()
    lane.world.sql("INSERT INTO people VALUES (1, 'a@b', 7, 'new'), (2, 'c''d', NULL, NULL)", owner=False)
    lane.world.sql(edit.insert or "SELECT 1")
    before = lane.world.catalog()
    lane.world.write(m01_people=sql_of(models_of(edit), edit.schema), m02_by_hand=f"{edit.by_hand}\n--")
    if edit.new_module:
        lane.world.write(m03_new=edit.new_module)
    written = writing.write_revision("migrations", Path("sql"), [models_of(edit)], "edit", renames=edit.renames)
    assert written
    assert written.problems == []
    assert bool(written.refused) == edit.refuses_rows, written.refused
    allow_loss(written)
    lane.files.append(written.path.removeprefix("migrations/"))
    assert [step.drift for step in lane.world.plan(recorded=True).steps if step.drift] == []
    done, steps = lane.up()
    assert done == ["0002"]
    assert set(steps) <= {Step.VERIFY, Step.UNCHANGED, Step.REFORMATTED, Step.ADOPT}
    assert tuple(lane.world.sql(edit.rows, owner=False)) == edit.expected
    assert lane.world.plan(recorded=True).is_unchanged
    fresh = new_world().set(lifecycle=PERSISTENT)
    fresh.up()
    assert fresh.fingerprint() == lane.world.fingerprint()
    assert lock_findings("migrations") == []
    with on_this_server(None, []) as scratch:
        found = revision_findings("migrations", scratch, [], fresh.catalog())
        assert ["C136" for _ in written.refused] == [finding.code for finding in found]
    undo(lane, before, edit)


def allow_loss(written: writing.WrittenRevision) -> None:
    """Write the comment that allows a loss, where there is one, as its message says."""
    path = Path(written.path)
    for hazard in written.hazards:
        line = int(hazard.partition(": ")[0].rpartition(":")[2])
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        lines.insert(line - 1, "    # hazard: allow loss until 2099-12-31: nobody needs it\n")
        path.write_text("".join(lines), encoding="utf-8")
        writing.lock_again("migrations")


def undo(lane: Lane, before: Catalog, edit: Edit) -> None:
    """Run the downgrade on the database with rows, or find it refused."""
    history = read_history("migrations")
    assert history
    if edit.refused:
        with pytest.raises(ModuleError, match=edit.refused):
            downgrade_sql(history.revisions[-1])
        return
    for statement in downgrade_sql(history.revisions[-1]).statements:
        lane.world.sql(statement.sql)
    assert differences(before.structure(), lane.world.catalog().structure()) == []
