"""A revision is written from the difference between the revisions and the modules, and run up and down."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, String, Table

from infra.check.revisions import lock_findings
from infra.errors import InfraError
from infra.migrations.history import file_digests, write_lock
from infra.revisions.writing import lock_again, write_revision

TABLE = "CREATE TABLE a (id integer NOT NULL, name varchar(10), CONSTRAINT a_pkey PRIMARY KEY (id));\n"
WIDER = """
CREATE TABLE a (
    id integer NOT NULL, name varchar(20) NOT NULL, size integer,
    CONSTRAINT a_pkey PRIMARY KEY (id), CONSTRAINT a_size_check CHECK (size > 0)
);
COMMENT ON COLUMN a.size IS 'In ''bytes''.';
CREATE INDEX ix_a_size ON a (size);
COMMENT ON INDEX ix_a_size IS 'For 100 % of the reports.';
"""
BY_HAND = """
CREATE VIEW sizes AS SELECT id, size FROM a;
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT sum(size) FROM a';
"""
METADATA = MetaData()
Table(
    "a",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(20), nullable=False),
    Column("size", Integer, comment="In 'bytes'."),
    CheckConstraint("size > 0", name="a_size_check"),
    Index("ix_a_size", "size"),
)


@pytest.fixture
def sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the modules of a project with a baseline and no further revision."""
    monkeypatch.chdir(tmp_path)
    for folder in ("sql", "migrations/baseline", "migrations/versions"):
        Path(folder).mkdir(parents=True)
    Path("sql/01-a.sql").write_text(TABLE)
    Path("migrations/baseline/01-a.sql").write_text(TABLE)
    Path("migrations/versions/0001_baseline.py").write_text('revision = "0001"\ndown_revision = None\n')
    write_lock("migrations", file_digests("migrations", ["versions/0001_baseline.py"]))
    return Path("sql")


def test_a_revision_leads_to_the_modules_and_back(sql: Path) -> None:
    """Alembic writes what it sees, the catalogs the rest; both ways are run, and the lock file has the new file."""
    sql.joinpath("01-a.sql").write_text(WIDER)
    sql.joinpath("02-by-hand.sql").write_text(BY_HAND)
    written = write_revision("migrations", sql, [METADATA], "Sizes, and longer names!")
    assert written
    assert (written.problems, written.hazards) == ([], [])
    (refused,) = written.refused
    row = "generated rows of public.a, such as (id '-1', name NULL, size NULL)"
    place = f"{written.path}:20:9: upgrade fails with 2 of 10 {row}"
    assert refused.startswith(f'{place}: check constraint "name_is_not_null" of relation "a" is violated by some row; ')
    assert written.notes == [
        "downgrade fails with rows that only the new schema takes: value too long for type character varying(10)"
    ]
    assert written.path == "migrations/versions/0002_sizes_and_longer_names.py"
    text = Path(written.path).read_text()
    assert "op.add_column('a'" in text
    assert "ADD CONSTRAINT a_size_check CHECK (size > 0) NOT VALID" in text
    assert "VALIDATE CONSTRAINT a_size_check" in text
    assert "CREATE INDEX CONCURRENTLY ix_a_size ON a" in text
    assert "ALTER TABLE a ADD CONSTRAINT name_is_not_null CHECK (name IS NOT NULL) NOT VALID" in text
    assert "CREATE VIEW public.sizes AS" in text
    assert "drop_table" not in text
    assert lock_findings("migrations") == []
    assert write_revision("migrations", sql, [METADATA], "again") is None
    Path(written.path).write_text(text + "\n# edited\n")
    assert [(finding.code, finding.message) for finding in lock_findings("migrations")] == [
        ("C131", f"{written.path} differs from revisions.lock")
    ]
    lock_again("migrations")
    assert lock_findings("migrations") == []
    Path("migrations/versions/0003_other.py").write_text('revision = "0003"\ndown_revision = "0001"\n')
    assert [finding.message for finding in lock_findings("migrations")] == [
        "migrations/versions/0003_other.py is not in revisions.lock"
    ]
    with pytest.raises(InfraError, match=r"has 2 heads \(0002, 0003\)"):
        lock_again("migrations")


def test_what_has_no_safe_form_is_named_when_the_revision_is_written(sql: Path) -> None:
    """A rewrite, then a dropped column: with place, two releases as SQL, and the comment that allows it."""
    sql.joinpath("01-a.sql").write_text(TABLE.replace("10", "5"))
    metadata = MetaData()
    table = Table("a", metadata, Column("id", Integer, primary_key=True, autoincrement=False))
    with_name = MetaData()
    table.to_metadata(with_name).append_column(Column("name", String(5)))
    written = write_revision("migrations", sql, [with_name], "shorter")
    assert written
    (rewrite,) = written.hazards
    assert ": ACCESS EXCLUSIVE on a, rewrites all rows, whose number is not known here; write it in its" in rewrite
    assert "ALTER TABLE a ADD COLUMN name_new varchar(5);" in rewrite
    assert "`# hazard: allow rewrite until " in rewrite
    sql.joinpath("01-a.sql").write_text(TABLE.replace("name varchar(10), ", ""))
    written = write_revision("migrations", sql, [metadata], "gone")
    assert written
    (loss,) = written.hazards
    assert ": loses column public.a.name; write it in its safe form" in loss


def test_what_may_be_renamed_is_asked_about_or_said(sql: Path) -> None:
    """Without an answer nothing is written; with one the values stay, or go with the column that is dropped."""
    sql.joinpath("01-a.sql").write_text(TABLE.replace("name varchar", "title varchar"))
    metadata = MetaData()
    key, title = Column("id", Integer, primary_key=True, autoincrement=False), Column("title", String(10))
    Table("a", metadata, key, title)
    with pytest.raises(
        InfraError, match=r"column a\.name is gone, and title is new: is it renamed\?; say `--rename a.na"
    ):
        write_revision("migrations", sql, [metadata], "title")
    with pytest.raises(InfraError, match=r"a.name=other is no rename that fits what changed; a.name=title would"):
        write_revision("migrations", sql, [metadata], "title", renames=["a.name=other"])
    assert not list(Path("migrations/versions").glob("0002*"))
    asked: list[str] = []
    written = write_revision("migrations", sql, [metadata], "title", ask=lambda text: asked.append(text) is None)
    assert asked == ["is column a.name renamed to title?"]
    assert written
    assert (written.problems, written.hazards) == ([], [])
    assert "RENAME COLUMN name TO title" in Path(written.path).read_text()
    sql.joinpath("01-a.sql").write_text(TABLE)
    metadata = MetaData()
    Table("a", metadata, Column("id", Integer, primary_key=True, autoincrement=False), Column("name", String(10)))
    written = write_revision("migrations", sql, [metadata], "name", renames=["a.title="])
    assert written
    assert written.problems == []
    assert "loses column public.a.title" in written.hazards[0]


def test_a_revision_is_written_for_the_oldest_server_of_the_stacks(sql: Path) -> None:
    """Storage is named, since PostgreSQL 15 has no default of it; what else a server is too old for has a line."""
    stored = f"{TABLE}ALTER TABLE a ADD long text, ADD price numeric(9, 2), ADD tags text[];\n"
    columns = {"long": "EXTERNAL", "price": "EXTERNAL", "tags": "MAIN"}
    altered = [f"ALTER TABLE a ALTER {column} SET STORAGE {storage};\n" for column, storage in columns.items()]
    Path("migrations/baseline/01-a.sql").write_text("".join([stored, *altered]))
    lock_again("migrations")
    Path("Pulumi.yaml").write_text("name: shop\n")
    Path("Pulumi.prod.yaml").write_text("config: {shop:server: {kind: docker, image: postgres:15}}\n")
    sql.joinpath("01-a.sql").write_text(stored)
    written = write_revision("migrations", sql, [], "storage")
    assert written
    assert (written.problems, written.refused, written.notes) == ([], [], [])
    text = Path(written.path).read_text()
    assert [word for word in ("EXTENDED", "MAIN", "DEFAULT") if f"SET STORAGE {word}" in text] == ["EXTENDED", "MAIN"]
    sql.joinpath("01-a.sql").write_text(f"{stored}CREATE VIEW v AS SELECT any_value(long) FROM a;\n")
    written = write_revision("migrations", sql, [], "view")
    assert written
    (problem,) = written.problems
    assert problem.startswith(
        f"{written.path}:16: any_value(): PostgreSQL 16 has it, and the server of Pulumi.prod.yaml "
    )
