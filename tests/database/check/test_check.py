"""The whole check: no finding on equal models and modules, and each defect of the legacy scripts that it can find."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, text

from infra.catalog.catalog import NOT_COMPARED
from infra.check.alembic_comparison import alembic_findings, operations
from infra.check.checker import CheckedProject, check_project
from infra.check.codes import CHECK_CODES
from infra.check.comparing import Declarations
from infra.check.create_models import ModelsError, create_models
from infra.check.in_models import ModelPlaces
from infra.errors import ServerError
from infra.generate.imported_models import Declaration, ImportedModels
from infra.lint.linter import lint_files
from infra.modules.module import load_modules
from infra.postgres.connection.connect import connect
from infra.postgres.connection.simple_query import simple_query
from infra.server.dsn import parse_dsn
from infra.server.scratch.scratch_server import ScratchServer
from tests.database.postgres.databases import by_hand
from tests.fixture_schema import SQL, shop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.sql.schema import SchemaItem

    from infra.findings.finding import Finding
    from infra.server.scratch.scratch_server import ScratchServer

pytest_plugins = ["tests.database.scratch_server"]

ROOT = Path(__file__).parents[3]


def test_models_and_modules_that_agree_have_no_finding(project: CheckedProject, private: str) -> None:
    """Models, modules, psql, Alembic and settings agree; notes say what is not compared and what was run again."""
    report = check_project(project, private)
    assert report.findings == []
    (compared, again) = report.notes
    assert all(what in compared for what in NOT_COMPARED)
    assert "extensions of the models" in compared
    assert again.startswith(
        f"run a second time, changed nothing: {project.directory}/01-init-extensions.sql; refused: "
    )
    assert again.count(".sql") == 8


class Edit(NamedTuple):
    """An edit of one module: a text that is replaced, or with '' before it one that is appended."""

    file: str
    before: str
    after: str


class Case(NamedTuple):
    """A legacy defect added to the modules, and its finding: a code, a message, and the line of its place."""

    defect: str
    edit: Edit
    code: str
    message: str
    file: str
    line: str


LAST = "08-init-constraints.sql"  # of the generated ones
MORE = "09-more.sql"  # written by hand
CASES = [
    Case(
        "S1 a reserved word unquoted",
        Edit("04-init-orders.sql", 'CREATE TABLE "order" (', "CREATE TABLE order ("),
        "C111",
        'syntax error at or near "order" [42601]',
        "04-init-orders.sql",
        "CREATE TABLE order (",
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
        "the modules create extension citext, which is not in Pulumi.dev.yaml",
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
        Edit(MORE, "", "CREATE TABLE IF NOT EXISTS customers ();\nCREATE INDEX ON customers (role);\n"),
        "C112",
        f"{MORE} changes something when it is run again",
        MORE,
        "",
    ),
    Case(
        "S12 a table of another name",
        Edit(LAST, "", "ALTER TABLE order_lines RENAME TO lines;\n"),
        "C102",
        "table public.order_lines is only in the models",
        "orders.py",
        '    __tablename__ = "order_lines"',
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
        "C111",
        "changes privileges on the database or on schema public, which the stack declares: each would undo the other",
        MORE,
        "",
    ),
    Case(
        "S17 an index too many",
        Edit(LAST, "", "CREATE INDEX idx_customers_email ON customers (email);\n"),
        "C101",
        "index public.idx_customers_email is only in the modules",
        "customers.py",
        "class Customer(Base):",
    ),
    Case(
        "S21 a check that the models have not",
        Edit(LAST, "", "ALTER TABLE customers\n    ADD CONSTRAINT check_plan CHECK (plan IN ('free'));\n"),
        "C101",
        "constraint public.customers.check_plan is only in the modules",
        "customers.py",
        "class Customer(Base):",
    ),
    Case(
        "S22 another action on delete",
        Edit(
            "08-init-constraints.sql",
            "FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION",
            "FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE CASCADE",
        ),
        "C103",
        "constraint public.addresses.addresses_customer_id_fkey differs between the models and the modules",
        "customers.py",
        "    customer_id: Mapped[str] = mapped_column(ForeignKey",
    ),
    Case(
        "S23 a pair that is unique in the modules only",
        Edit(LAST, "", "CREATE UNIQUE INDEX idx_addresses_label ON addresses (customer_id, label);\n"),
        "C101",
        "index public.idx_addresses_label is only in the modules",
        "customers.py",
        "class Address(Base):",
    ),
    Case(
        "S24 an index of another name",
        Edit("07-init-indexes.sql", "ix_addresses_customer_id", "idx_addresses_customer_id"),
        "C102",
        "index public.ix_addresses_customer_id is only in the models",
        "customers.py",
        "    customer_id: Mapped[str]",
    ),
    Case(
        "M1 a key of another type than what it refers to",
        Edit(MORE, "", "CREATE TABLE visits (\n    customer_id integer REFERENCES customers (id)\n);\n"),
        "C111",
        'foreign key constraint "visits_customer_id_fkey" cannot be implemented [42804]',
        MORE,
        "CREATE TABLE visits (",
    ),
    Case(
        "M3 a table that no earlier module creates",
        Edit(
            "02-init-customers.sql",
            "    CONSTRAINT addresses_pkey",
            "    t varchar REFERENCES products,\n    CONSTRAINT addresses_pkey",
        ),
        "C111",
        'relation "products" does not exist [42P01]',
        "02-init-customers.sql",
        "CREATE TABLE addresses (",
    ),
    Case(
        "M5 rows that are inserted again",
        Edit(
            MORE, "", "INSERT INTO customers (id, email) VALUES (gen_random_uuid()::text, gen_random_uuid()::text);\n"
        ),
        "C112",
        f"{MORE} changes something when it is run again",
        MORE,
        "",
    ),
    Case(
        "M6 times without a zone",
        Edit(LAST, "", 'ALTER TABLE "order" ALTER placed_at TYPE timestamp;\n'),
        "C103",
        'column public."order".placed_at differs between the models and the modules',
        "orders.py",
        "    placed_at: Mapped",
    ),
]


def edit_module(project: CheckedProject, edit: Edit) -> Path:
    """Apply an edit to a module and return its path."""
    path = project.directory / edit.file
    before = path.read_text(encoding="utf-8") if path.exists() else "-- Written by hand.\n"
    assert edit.before in before
    after = before.replace(edit.before, edit.after, 1) if edit.before else before + edit.after
    path.write_text(after, encoding="utf-8")
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.defect)
def test_a_legacy_defect_is_found(project: CheckedProject, private: str, case: Case) -> None:
    """A defect of the legacy scripts (S1 to S27, M1 to M6) is found with code, file and line."""
    edit_module(project, case.edit)
    report = check_project(project, private)
    findings = {finding.message.replace(f"{project.directory}/", ""): finding for finding in report.findings}
    assert case.message in findings, sorted(findings)
    finding = findings[case.message]
    assert (finding.code, Path(finding.place.path).name) == (case.code, case.file)
    assert finding.place.text.startswith(case.line)
    assert finding.remedy
    if finding.place.text:
        lines = Path(finding.place.path).read_text(encoding="utf-8").splitlines()
        assert lines[finding.place.line - 1] == finding.place.text


NEAR_MISSES = [
    Edit(MORE, "", "COMMENT ON TABLE \"order\" IS 'What a customer has ordered at one time.';\n"),
    Edit(MORE, "", "CREATE EXTENSION IF NOT EXISTS pg_trgm;\n"),
    Edit(MORE, "", "SET work_mem = '8MB'; -- for this module alone\n"),
    Edit(MORE, "", "CREATE INDEX IF NOT EXISTS ix_customers_email ON customers (email);\n"),
    Edit(MORE, "", "ALTER TABLE customers ALTER email TYPE varchar, ALTER email SET NOT NULL;\n"),
    Edit(MORE, "", "ALTER TABLE order_lines RENAME TO x;\nALTER TABLE x RENAME TO order_lines;\n"),
    Edit(MORE, "", "-- \\echo is psql's, and COMMIT; too\nSELECT '\\echo', 'COMMIT;', '%', ':x';\n"),
    Edit(MORE, "", "CREATE INDEX t ON customers (role);\nDROP INDEX t;\n"),
    Edit(MORE, "", "INSERT INTO customers (id, email) SELECT '1', 'x' WHERE NOT EXISTS (SELECT FROM customers);\n"),
    Edit(MORE, "", "UPDATE customers SET role = 'x' WHERE false;\n"),
    Edit(MORE, "", "CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1 AS a;\n"),
]


def test_near_misses_are_not_found(project: CheckedProject, private: str) -> None:
    """Statements that look alike and change nothing, all in one module, give no finding."""
    for edit in NEAR_MISSES:
        edit_module(project, edit)
    report = check_project(project, private)
    assert report.findings == []
    assert MORE in report.notes[1]


def test_a_difference_has_both_places_both_definitions_and_a_remedy(project: CheckedProject, private: str) -> None:
    """The models' place first, then the module's; the lines that differ with minus and plus; what to run."""
    edit = Edit("02-init-customers.sql", "    full_name  varchar,", "    full_name  varchar(80) NOT NULL,")
    path = edit_module(project, edit)
    finding = next(finding for finding in check_project(project, private).findings if finding.code == "C103")
    line = path.read_text(encoding="utf-8")[: path.read_text(encoding="utf-8").index("    full_name ")].count("\n") + 1
    (module,) = finding.others
    assert (module.path, module.line, module.column, module.label) == (str(path), line, 5, "in the modules")
    assert (Path(finding.place.path).name, finding.place.label) == ("customers.py", "in the models")
    assert finding.detail == (
        "- in the models, + in the modules:",
        "  - type character varying",
        "  + type character varying(80)",
        "  + not null",
        "    comment 'Name shown to other people.'",
    )
    assert finding.remedy == "move edits of generated files into the models, then run `python -m infra generate`"


def test_what_hand_written_modules_create_is_theirs(project: CheckedProject, private: str) -> None:
    """Tables, views, functions, triggers, grants and rows of hand-written modules need no declaration in the models."""
    edit_module(
        project,
        Edit(
            MORE,
            "",
            "CREATE TABLE extra (a integer);\n"
            "CREATE VIEW names AS SELECT full_name FROM customers;\n"
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n"
            "CREATE TRIGGER t BEFORE INSERT ON customers FOR EACH ROW EXECUTE FUNCTION f();\n"
            "CREATE INDEX upper_names ON customers (upper(full_name));\n"
            "ALTER TABLE customers ENABLE ROW LEVEL SECURITY, ADD COLUMN more text;\n"
            "CREATE POLICY p ON customers USING (true);\n"
            "GRANT SELECT ON names TO PUBLIC;\n",
        ),
    )
    assert check_project(project, private).findings == []


def test_a_module_names_the_roles_of_its_database(project: CheckedProject, private: str) -> None:
    """`current_database() || '_app'` and its like exist wherever modules run, in psql too; lint allows it."""
    text = (
        "-- Audit: a schema that the application may only write to, and a policy for its role.\n"
        "CREATE SCHEMA audit;\n"
        "CREATE TABLE audit.entries (at timestamptz NOT NULL, what text NOT NULL);\n"
        "DO $$\nBEGIN\n"
        "    EXECUTE format('GRANT INSERT ON audit.entries TO %I', current_database() || '_app');\n"
        "    EXECUTE format('REVOKE ALL ON SCHEMA audit FROM %I', current_database() || '_readonly');\n"
        "    EXECUTE format('ALTER SCHEMA audit OWNER TO %I', current_database() || '_owner');\n"
        "    EXECUTE format('CREATE POLICY own ON customers TO %I USING (true)', current_database() || '_app');\n"
        "END\n$$;\n"
    )
    path = project.directory / MORE
    path.write_text(text, encoding="utf-8")
    assert check_project(project, private).findings == []
    assert lint_files([path]) == []


def test_a_hand_written_module_may_not_drop_what_the_models_declare(project: CheckedProject, private: str) -> None:
    """A table that a later module drops by hand is missing, with its parts."""
    edit_module(project, Edit(MORE, "", "DROP TABLE addresses;\n"))
    (finding,) = check_project(project, private).findings
    assert (finding.code, finding.message) == ("C102", "table public.addresses is only in the models")


def test_without_models_there_is_nothing_to_compare_with(project: CheckedProject, private: str) -> None:
    """A folder whose settings name no models is checked for everything else, and says so."""
    edit_module(project, Edit(LAST, "", "CREATE TABLE extra (a integer);\n"))
    report = check_project(replace(project, models=None), private)
    assert report.findings == []
    assert report.notes[1].startswith("not compared with models: the settings of the folder name none")


def find_nothing(_name: object) -> None:
    """Return None, as a search without a result does."""


def test_what_was_skipped_is_noted(project: CheckedProject, private: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that runs statement by statement, a missing psql and a missing Alembic: each has its note."""
    text = "-- platform-postgres: statement by statement\nDROP INDEX CONCURRENTLY ix_order_lines_sku;\n"
    path = project.directory / MORE
    path.write_text(f"{text}CREATE INDEX CONCURRENTLY ix_order_lines_sku ON order_lines (sku);\n", encoding="utf-8")
    for search in ("infra.server.scratch.scratch_server.find_psql", "infra.check.alembic_comparison.find_spec"):
        monkeypatch.setattr(search, find_nothing)
    report = check_project(project, private)
    assert report.findings == []
    assert report.notes[2:] == [
        f"run statement by statement, so neither rolled back nor run a second time: {path}",
        "skipped: Alembic's comparison; Alembic is not installed (run `make development`)",
        "skipped: running the modules by psql; no psql is in the distribution or on PATH",
    ]


def test_a_difference_that_alembic_finds_too_is_reported_once(project: CheckedProject, private: str) -> None:
    """A missing table is one finding, with all of its parts."""
    edit_module(project, Edit("08-init-constraints.sql", "", "DROP TABLE addresses;\n"))
    (_, finding) = check_project(project, private).findings
    assert (finding.code, finding.message) == ("C102", "table public.addresses is only in the models")
    assert finding.detail[-1].count(", index public.ix_addresses_") == 2


def models_with(*items: SchemaItem) -> ImportedModels:
    """Return models of one table."""
    metadata = MetaData()
    table = Table("brand_new", metadata, Column("id", Integer, primary_key=True), *items)
    return ImportedModels(("shop",), (metadata,), {table: Declaration("shop", "shop.py", 1)})


def test_alembic_finds_what_the_models_declare_and_the_database_does_not_have(scratch_server: ScratchServer) -> None:
    """Alembic's comparison alone finds these differences, and leaves out those that are reported already."""
    with scratch_server.database() as scratch:
        with connect(by_hand(scratch.target), autocommit=True) as connection:
            for module in load_modules(SQL)[1:]:
                simple_query(connection, module.text)
        declared = Declarations(ModelPlaces(shop().models), {}, {}, {})

        def compare(reported: Sequence[Finding] = ()) -> list[Finding]:
            return alembic_findings(declared, operations(scratch, shop().models.metadata), (), reported)

        assert compare() == []
        with connect(by_hand(scratch.target), autocommit=True) as connection:
            connection.execute("ALTER TABLE customers ALTER email TYPE text, ALTER role SET NOT NULL")
            connection.execute("DROP TABLE order_lines; CREATE INDEX more ON customers (role)")
            connection.execute("ALTER TABLE products DROP tags")
        findings = compare()
        assert {finding.code for finding in findings} == {"C106"}
        assert {
            "Alembic would modify type: column public.customers.email",
            "Alembic would modify nullable: column public.customers.role",
            "Alembic would add table: table public.order_lines",
            "Alembic would remove index: index public.more",
            "Alembic would add column: column public.products.tags",
        } <= {finding.message for finding in findings}
        assert compare(findings) == []


def test_models_that_cannot_be_created_are_refused(scratch_server: ScratchServer) -> None:
    """Models that PostgreSQL refuses are an error with its message."""
    models = models_with(Column("wrong", Integer, server_default=text("no_such_function()")))
    with pytest.raises(
        ModelsError, match=r"shop: the models cannot be created: function no_such_function\(\) does not"
    ):
        create_models(scratch_server, models, [])


def test_a_role_that_may_not_create_databases_is_refused(project: CheckedProject, private: str) -> None:
    """It is refused before anything is created, with the remedy."""
    with connect(parse_dsn(private), autocommit=True) as connection:
        connection.execute("CREATE ROLE poor LOGIN CREATEDB PASSWORD 'poor'")
    poor = re.sub(r"user=\w+ password=[\w-]+", "user=poor password=poor", private)
    with pytest.raises(ServerError, match="--dsn: role poor may not create databases and a login for them"):
        check_project(project, poor)


def test_every_code_has_a_heading_in_the_docs() -> None:
    """docs/check.md has a heading for every code with its title, and no other."""
    page = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
    assert re.findall(r"^### (C\d+): (.*)$", page, re.MULTILINE) == [
        (code, rule.title) for code, rule in CHECK_CODES.items()
    ]
