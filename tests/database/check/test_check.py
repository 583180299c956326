"""The whole check: nothing on this project, and each defect of the legacy scripts that a server can show."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, text

import models
from infra.catalog.catalog import NOT_COMPARED
from infra.check.checker import CheckedProject, Report, check_project
from infra.check.codes import CHECK_CODES
from infra.check.in_models import models_of
from infra.check.second_opinion import second_opinion
from infra.check.sources import ModelsError, ScratchServer, build_models
from infra.errors import ServerError
from infra.modules.module import load_modules
from infra.postgres.apply.scratch import scratch_database
from infra.postgres.connection.simple_query import simple_query
from infra.postgres.connection.target import connect
from infra.server.dsn import parse_dsn

if TYPE_CHECKING:
    from sqlalchemy.sql.schema import SchemaItem

pytest_plugins = ["tests.database.scratch_server"]

ROOT = Path(__file__).parents[3]


def test_this_project_has_no_finding(project: CheckedProject, private: str) -> None:
    """Models, modules, psql, Alembic and settings agree, and what is not compared or not run is said."""
    report = check_project(project, private)
    assert report.findings == []
    (compared, again) = report.notes
    assert all(one in compared for one in NOT_COMPARED)
    assert "extensions of the models" in compared
    assert again.startswith(f"run again, harmless: {project.directory}/01-init-extensions.sql; refused: ")
    assert again.count(".sql") == 8


class Edit(NamedTuple):
    """An edit of one module: a text that is replaced, or with '' before it one that is appended."""

    file: str
    before: str
    after: str


class Case(NamedTuple):
    """A legacy defect brought into the modules, and what is found: a code, a message, and the line of its place."""

    defect: str
    edit: Edit
    code: str
    message: str
    file: str
    line: str


MORE = "09-more.sql"
CASES = [
    Case(
        "S1 a reserved word unquoted",
        Edit("05-init-content.sql", 'CREATE TABLE "references" (', "CREATE TABLE references ("),
        "C111",
        'syntax error at or near "references" [42601]',
        "05-init-content.sql",
        "CREATE TABLE references (",
    ),
    Case(
        "S2 an extension that no stock server has",
        Edit("01-init-extensions.sql", "", "CREATE EXTENSION IF NOT EXISTS pg_jsonschema;\n"),
        "C111",
        'extension "pg_jsonschema" is not available [0A000]',
        "01-init-extensions.sql",
        "CREATE EXTENSION IF NOT EXISTS pg_jsonschema;",
    ),
    Case(
        "S2 nor the settings",
        Edit("01-init-extensions.sql", "", "CREATE EXTENSION IF NOT EXISTS citext;\n"),
        "C116",
        "the modules create the extension citext, and the default of the settings does not have it",
        "01-init-extensions.sql",
        "CREATE EXTENSION IF NOT EXISTS citext;",
    ),
    Case(
        "S3 CURRENT is no database",
        Edit(MORE, "", "ALTER DATABASE CURRENT SET row_security = on;\n"),
        "C111",
        'database "current" does not exist [3D000]',
        MORE,
        "ALTER DATABASE CURRENT",
    ),
    Case(
        "S5 the server's settings",
        Edit(MORE, "", "SELECT 1;\nALTER SYSTEM SET work_mem = '8MB';\n"),
        "C111",
        "ALTER SYSTEM changes the whole server",
        MORE,
        "",
    ),
    Case(
        "S11 a second run that is neither harmless nor refused",
        Edit(MORE, "", "CREATE TABLE IF NOT EXISTS userbase ();\nCREATE INDEX ON userbase (role);\n"),
        "C112",
        f"{MORE} changes something when it is run again",
        MORE,
        "",
    ),
    Case(
        "S12 a table of another name",
        Edit(MORE, "", "ALTER TABLE agent_recovery_logs RENAME TO agent_recovery;\n"),
        "C102",
        "table public.agent_recovery_logs is only in the models",
        "agent_state.py",
        '    __tablename__ = "agent_recovery_logs"',
    ),
    Case(
        "S14 psql's own commands",
        Edit(MORE, "", "SELECT 1;\n\\echo done\n"),
        "C111",
        'syntax error at or near "\\" [42601]',
        MORE,
        "\\echo done",
    ),
    Case(
        "S16 everybody may create in schema public",
        Edit(MORE, "", "GRANT ALL ON SCHEMA public TO PUBLIC;\n"),
        "C105",
        "what is granted on schema public to PUBLIC differs between the models and the modules",
        MORE,
        "GRANT ALL ON SCHEMA public TO PUBLIC;",
    ),
    Case(
        "S17 an index too many",
        Edit(MORE, "", "CREATE INDEX idx_userbase_email ON userbase (email);\n"),
        "C101",
        "index public.idx_userbase_email is only in the modules",
        "user.py",
        "class User(Base):",
    ),
    Case(
        "S21 a check that the models have not",
        Edit(MORE, "", "ALTER TABLE userbase\n    ADD CONSTRAINT check_plan CHECK (plan_tier IN ('free'));\n"),
        "C101",
        "constraint public.userbase.check_plan is only in the modules",
        "user.py",
        "class User(Base):",
    ),
    Case(
        "S22 another action on delete",
        Edit(
            "08-init-constraints.sql",
            "FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE NO ACTION",
            "FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE CASCADE",
        ),
        "C103",
        "constraint public.secrets.secrets_user_id_fkey differs between the models and the modules",
        "user.py",
        "    user_id: Mapped[str] = mapped_column(ForeignKey",
    ),
    Case(
        "S23 a pair that is unique in the modules only",
        Edit(MORE, "", "CREATE UNIQUE INDEX idx_secrets_user_key ON secrets (user_id, key);\n"),
        "C101",
        "index public.idx_secrets_user_key is only in the modules",
        "user.py",
        "class Secret(Base):",
    ),
    Case(
        "S24 an index of another name",
        Edit("07-init-indexes.sql", "ix_secrets_user_id", "idx_secrets_user_id"),
        "C102",
        "index public.ix_secrets_user_id is only in the models",
        "user.py",
        "    user_id: Mapped[str]",
    ),
    Case(
        "M1 a key of another type than what it refers to",
        Edit(MORE, "", "CREATE TABLE visits (\n    user_id integer REFERENCES userbase (id)\n);\n"),
        "C111",
        'foreign key constraint "visits_user_id_fkey" cannot be implemented [42804]',
        MORE,
        "CREATE TABLE visits (",
    ),
    Case(
        "M3 a table that nobody made before",
        Edit(
            "02-init-users-auth.sql",
            "    CONSTRAINT secrets_pkey",
            "    t varchar REFERENCES threads,\n    CONSTRAINT secrets_pkey",
        ),
        "C111",
        'relation "threads" does not exist [42P01]',
        "02-init-users-auth.sql",
        "CREATE TABLE secrets (",
    ),
    Case(
        "M5 rows that are inserted again",
        Edit(MORE, "", "INSERT INTO supplies (id, name) VALUES (gen_random_uuid()::text, 'x');\n"),
        "C112",
        f"{MORE} changes something when it is run again",
        MORE,
        "",
    ),
    Case(
        "M6 times without a zone",
        Edit(MORE, "", "ALTER TABLE demo_sessions ALTER started_at TYPE timestamp;\n"),
        "C103",
        "column public.demo_sessions.started_at differs between the models and the modules",
        "demo.py",
        "    started_at: Mapped",
    ),
]


def changed(project: CheckedProject, edit: Edit) -> Path:
    """Edit a module."""
    path = project.directory / edit.file
    before = path.read_text(encoding="utf-8") if path.exists() else "-- Written by hand.\n"
    assert edit.before in before
    after = before.replace(edit.before, edit.after, 1) if edit.before else before + edit.after
    path.write_text(after, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.defect)
def test_a_legacy_defect_is_found(project: CheckedProject, private: str, case: Case) -> None:
    """What S1 to S27 and M1 to M6 did wrong is found with code, file and line."""
    changed(project, case.edit)
    report = check_project(project, private)
    messages = {one.message.replace(f"{project.directory}/", ""): one for one in report.findings}
    assert case.message in messages, sorted(messages)
    found = messages[case.message]
    assert (found.code, Path(found.place.path).name) == (case.code, case.file)
    assert found.place.text.startswith(case.line)
    assert found.remedy
    if found.place.text:
        lines = Path(found.place.path).read_text(encoding="utf-8").splitlines()
        assert lines[found.place.line - 1] == found.place.text


NEAR_MISSES = [
    Edit(
        MORE, "", "COMMENT ON TABLE \"references\" IS 'Named values that the user interface offers to choose from.';\n"
    ),
    Edit(MORE, "", "CREATE EXTENSION IF NOT EXISTS pg_trgm;\n"),
    Edit(MORE, "", "SET work_mem = '8MB'; -- for this module alone\n"),
    Edit(MORE, "", "CREATE INDEX IF NOT EXISTS ix_userbase_email ON userbase (email);\n"),
    Edit(MORE, "", "ALTER TABLE userbase ALTER email TYPE varchar, ALTER email SET NOT NULL;\n"),
    Edit(MORE, "", "ALTER TABLE agent_recovery_logs RENAME TO x;\nALTER TABLE x RENAME TO agent_recovery_logs;\n"),
    Edit(MORE, "", "-- \\echo is psql's, and COMMIT; too\nSELECT '\\echo', 'COMMIT;', '%', ':x';\n"),
    Edit(MORE, "", "GRANT USAGE ON SCHEMA public TO PUBLIC;\n"),
    Edit(MORE, "", "CREATE INDEX t ON userbase (role);\nDROP INDEX t;\n"),
    Edit(MORE, "", "INSERT INTO supplies (id, name) SELECT '1', 'x' WHERE NOT EXISTS (SELECT FROM supplies);\n"),
    Edit(MORE, "", "UPDATE userbase SET role = 'x' WHERE false;\n"),
    Edit(MORE, "", "CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1 AS a;\n"),
]


def test_near_misses_are_not_found(project: CheckedProject, private: str) -> None:
    """Statements that look alike and change nothing, all in one module, give no finding."""
    for edit in NEAR_MISSES:
        changed(project, edit)
    report = check_project(project, private)
    assert report.findings == []
    assert "harmless" in report.notes[1].partition(MORE)[0].rpartition(";")[2] or MORE in report.notes[1]


def both_definitions(report: Report, message: str) -> tuple[str, ...]:
    return next(one.detail for one in report.findings if one.message.startswith(message))


def test_a_difference_has_both_places_both_definitions_and_a_cure(project: CheckedProject, private: str) -> None:
    """The models' place first, then the module's; the lines that differ with minus and plus; what to run."""
    edit = Edit("02-init-users-auth.sql", "    full_name        varchar,", "    full_name        varchar(80) NOT NULL,")
    path = changed(project, edit)
    found = next(one for one in check_project(project, private).findings if one.code == "C103")
    line = path.read_text(encoding="utf-8")[: path.read_text(encoding="utf-8").index("    full_name ")].count("\n") + 1
    (module,) = found.others
    assert (module.path, module.line, module.column, module.label) == (str(path), line, 5, "in the modules")
    assert (Path(found.place.path).name, found.place.label) == ("user.py", "in the models")
    assert found.detail == (
        "- in the models, + in the modules:",
        "  - type character varying",
        "  + type character varying(80)",
        "  + not null",
        "    comment 'Name shown to other people.'",
    )
    assert found.remedy == "run `python -m infra generate`, after taking edits of generated files over into models/"


def test_a_module_by_hand_is_to_be_declared_or_taken_out(project: CheckedProject, private: str) -> None:
    """For what only a module written by hand has, the cure names the models and that file."""
    path = changed(project, Edit(MORE, "", "CREATE TABLE extra (a integer);\n"))
    (found,) = check_project(project, private).findings
    assert (found.code, found.message) == ("C101", "table public.extra is only in the modules")
    assert (found.place.path, found.place.line) == (str(path), 2)
    assert found.remedy == f"declare it in models/ and run `python -m infra generate`, or take it out of {path}"
    assert found.detail[-1].startswith("with it: column public.extra.a, the order of the columns of public.extra")


def nothing(_of: object) -> None:
    """Find nothing."""


def test_what_was_not_tried_is_said(project: CheckedProject, private: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that runs statement by statement, a psql and an Alembic that are not there: each has its note."""
    text = "-- platform-postgres: statement by statement\nDROP INDEX CONCURRENTLY ix_secrets_user_id;\n"
    path = project.directory / MORE
    path.write_text(f"{text}CREATE INDEX CONCURRENTLY ix_secrets_user_id ON secrets (user_id);\n", encoding="utf-8")
    for found in ("infra.check.checker.find_psql", "infra.check.second_opinion.find_spec"):
        monkeypatch.setattr(found, nothing)
    report = check_project(project, private)
    assert report.findings == []
    assert report.notes[2:] == [
        f"run statement by statement, so neither rolled back nor run again: {path}",
        "skipped: Alembic's comparison, because Alembic is not installed (`make development` does)",
        "skipped: the modules were not run by psql, which is neither in the distribution nor on PATH",
    ]


def test_what_alembic_sees_too_is_not_told_twice(project: CheckedProject, private: str) -> None:
    """A table that is gone is one finding, with all that went with it."""
    changed(project, Edit(MORE, "", "DROP TABLE demo_feedback;\n"))
    found = check_project(project, private).findings
    assert [(one.code, one.message) for one in found] == [("C102", "table public.demo_feedback is only in the models")]
    assert found[0].detail[-1].count(", index public.idx_demo_feedback_") == 4
    assert found[0].remedy.startswith("let no module written by hand drop it; else infra/generate/ddl.py")


def models_with(*items: SchemaItem) -> MetaData:
    """Copy the models, with one more table."""
    metadata = MetaData()
    for table in models.metadata.sorted_tables:
        table.to_metadata(metadata)
    Table("brand_new", metadata, Column("id", Integer, primary_key=True), *items)
    return metadata


def test_alembic_sees_what_the_models_have_and_the_database_has_not(ground: ScratchServer) -> None:
    """The second opinion reports by itself what nobody has reported yet, and nothing that is known."""
    with scratch_database(ground.admin, owner=ground.owner) as scratch:
        with connect(scratch, autocommit=True) as connection:
            for module in load_modules(ROOT / "sql")[1:]:
                simple_query(connection, module.text)
        same = models_of(models.metadata, models.Base)
        assert second_opinion(scratch, ground.owner, same, []) == []
        with connect(scratch, autocommit=True) as connection:
            connection.execute("ALTER TABLE userbase ALTER email TYPE text, ALTER role SET NOT NULL; DROP TABLE steps")
            connection.execute("CREATE INDEX more ON userbase (role); ALTER TABLE corpora DROP domain")
        found = second_opinion(scratch, ground.owner, same, [])
        assert {one.code for one in found} == {"C106"}
        told = {one.message for one in found}
        assert {
            "Alembic says modify type for column public.userbase.email",
            "Alembic says modify nullable for column public.userbase.role",
            "Alembic says add table for table public.steps",
            "Alembic says remove index for index public.more",
            "Alembic says add column for column public.corpora.domain",
        } <= told
        assert second_opinion(scratch, ground.owner, same, found) == []


def test_models_that_cannot_be_built_are_a_finding(ground: ScratchServer) -> None:
    """What PostgreSQL says against the models is told in its words."""
    metadata = models_with(Column("wrong", Integer, server_default=text("no_such_function()")))
    with pytest.raises(
        ModelsError, match=r"models: the models cannot be built: function no_such_function\(\) does not"
    ):
        build_models(ground, metadata, [])


def test_a_role_that_may_not_create_databases_is_told_so(project: CheckedProject, private: str) -> None:
    """Before anything is made, with what to do instead."""
    with connect(parse_dsn(private), autocommit=True) as connection:
        connection.execute("CREATE ROLE poor LOGIN")
    with pytest.raises(ServerError, match="--dsn: role poor may not create databases; name a role with CREATEDB"):
        check_project(project, private.replace("user=postgres", "user=poor"))


def test_every_code_has_a_heading_in_the_docs() -> None:
    """docs/check.md has a heading for every code with its title, and no other."""
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (C\d+): (.*)$", page, re.MULTILINE) == [
        (code, rule.title) for code, rule in CHECK_CODES.items()
    ]
