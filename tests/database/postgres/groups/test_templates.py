"""Clones: new databases of a group are copies of a template, equal to one in which the modules ran."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.modules.decision import Step
from infra.modules.module import load_modules
from infra.postgres.access_drift import access_drift
from infra.postgres.apply import runner
from infra.postgres.apply.plan_cache import PlanInProgress, cache
from infra.postgres.apply.planning import look
from infra.postgres.connection.connect import connect
from infra.postgres.groups import clones_of_templates
from infra.postgres.groups.inserted_rows import inserted_rows
from infra.postgres.groups.modules import read_completeness
from infra.postgres.groups.provisioning import drop_database, ensure_database
from infra.postgres.groups.roles import ensure_roles
from infra.postgres.groups.templates import usable_template
from infra.postgres.introspection.reader import read_catalog
from tests.database.postgres.groups.test_groups import (
    NAMES,
    Tenants,
    tenants,  # noqa: F401 # pyright: ignore[reportUnusedImport] (a fixture)
)

if TYPE_CHECKING:
    from pathlib import Path

    from infra.modules.module import Module

pytest_plugins = ["tests.database.scratch_server"]

MODULES = {
    "01-first": """
CREATE SCHEMA "Sales";
CREATE TYPE "Sales".state AS ENUM ('open', 'paid');
CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, note text);
CREATE TABLE "Sales".orders (id serial PRIMARY KEY, customer bigint NOT NULL, state "Sales".state DEFAULT 'open');
COMMENT ON TABLE customers IS 'Who buys.';
""",
    "02-second": """
CREATE FUNCTION open_orders() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM "Sales".orders';
REVOKE EXECUTE ON FUNCTION open_orders() FROM PUBLIC;
CREATE VIEW totals AS SELECT name, open_orders() FROM customers;
CREATE MATERIALIZED VIEW names AS SELECT name FROM customers;
ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY everybody ON customers USING (true);
""",
    "03-last": """
CREATE INDEX customers_name_idx ON customers (name);
ALTER TABLE "Sales".orders ADD CONSTRAINT orders_customer_fkey FOREIGN KEY (customer) REFERENCES customers;
""",
}
ROWS = "SELECT module, text_digest, statements_digest, outcome, stack, objects FROM sqlmodule.ledger ORDER BY module"


def written(group: Tenants, texts: dict[str, str]) -> list[Module]:
    """Write modules, and return them."""
    for name, text in texts.items():
        (group.directory / f"{name}.sql").write_text(text, encoding="utf-8")
    return load_modules(group.directory)


def contents(group: Tenants, database: str) -> str:
    """Return the catalog and the ledger of a database, with the same names for the roles of each."""
    with connect(group.spec.admin.on(database), autocommit=True) as connection:
        objects = {str(identity): text for identity, text in read_catalog(connection).objects.items()}
        rows = connection.execute(ROWS).fetchall()
    for row in rows:
        row[-1].sort(key=json.dumps)
    text = json.dumps([sorted(objects.items()), rows], indent=1)
    return text.replace(group.spec.role(database, ""), "role_")


def test_a_clone_is_equal_to_a_database_in_which_the_modules_ran(tenants: Tenants) -> None:  # noqa: F811
    """Catalog, owners, privileges and ledger are the same; nothing is left to do. Nobody connects to the template."""
    group, modules = tenants, written(tenants, MODULES)
    group.create(["initech"])
    for module in modules:
        assert group.apply(module.name, ["initech"])["initech"].result is Step.APPLY
    ensure_roles(group.spec, NAMES)
    template = usable_template(group.spec, modules, ["pgcrypto"], new=3)
    assert template == usable_template(group.spec, modules, ["pgcrypto"], new=1) != ""
    for name in ("acme", "globex"):
        assert ensure_database(group.spec, name, ["pgcrypto"], template, modules) == "cloned"
        assert {group.apply(module.name, [name])[name].result for module in modules} == {Step.UNCHANGED}
        assert not cache.has_looked(group.spec.session(name, print).key)  # nobody has visited it
        assert contents(group, name) == contents(group, "initech")
        assert access_drift(group.spec.admin.on(name), group.spec.access(name)) == []
        session = group.spec.session(name, print)
        cache.clear()
        looked = look(session, recorded=True, explain=False)
        assert isinstance(looked, PlanInProgress)
        assert looked.plan.is_unchanged
        assert not looked.status.catalog.objects  # it was not read
        cache.clear()
        assert [group.apply(module.name, [name])[name].result for module in modules] == [Step.UNCHANGED] * 3
        assert read_completeness(session) == read_completeness(group.spec.session("initech", print))
    group.sql("acme", "INSERT INTO customers (name) VALUES ('Ada')", "app")
    assert group.sql("acme", "SELECT name, open_orders FROM totals") == [("Ada", 0)]
    assert group.sql("globex", "SELECT count(*) FROM customers", "readonly") == [(0,)]
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        connect(group.spec.admin.on(template))


def test_a_clone_has_the_rows_of_the_seed(tenants: Tenants, tmp_path: Path) -> None:  # noqa: F811
    """As a database has them in which the modules and the seed ran; another seed has another template."""
    seed = tmp_path / "seed.sql"
    seed.write_text("COPY customers (name) FROM stdin;\nAda\nBob\n\\.\n")
    spec = tenants.spec = replace(tenants.spec, template=replace(tenants.spec.template, seed=str(seed)))
    table = "CREATE TABLE customers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text);"
    modules = written(tenants, {"01-first": table})
    tenants.create(["initech"])
    tenants.apply("01", ["initech"])
    assert runner.insert_seed(spec.session("initech", print))
    ensure_roles(spec, NAMES)
    template = usable_template(spec, modules, ["pgcrypto"], new=6)
    assert ensure_database(spec, "acme", ["pgcrypto"], template, modules) == "cloned"
    assert contents(tenants, "acme") == contents(tenants, "initech")
    cache.clear()
    assert not runner.insert_seed(spec.session("acme", print))
    assert tenants.sql("acme", "INSERT INTO customers (name) VALUES ('Eve') RETURNING id", "app") == [(3,)]
    assert tenants.sql("acme", "SELECT name FROM customers ORDER BY id", "readonly") == [("Ada",), ("Bob",), ("Eve",)]
    seed.write_text("INSERT INTO customers (name) VALUES ('Cy');\n")
    assert usable_template(spec, modules, ["pgcrypto"], new=6) not in {template, ""}
    seed.write_text("INSERT INTO customers (name) VALUES (random()::text);\n")
    assert usable_template(spec, modules, ["pgcrypto"], new=6) == ""


def test_a_template_is_dropped_when_it_is_not_needed_any_more(tenants: Tenants) -> None:  # noqa: F811
    """Other modules make it useless; its role goes with it, also those of one whose making was cut short."""
    modules = written(tenants, MODULES)
    found = """
        SELECT (SELECT count(*) FROM pg_database WHERE datname ~ '_template_'),
            (SELECT count(*) FROM pg_roles WHERE rolname ~ '_template_')
    """
    assert usable_template(tenants.spec, modules, [], new=3)
    assert tenants.sql("postgres", found) == [(1, 1)]
    assert usable_template(tenants.spec, modules[:2], [], new=1) == ""
    assert tenants.sql("postgres", found) == [(0, 0)]


@pytest.mark.parametrize(
    ("text", "rows", "is_cloned"),
    [
        ("CREATE TABLE a (id integer); INSERT INTO a VALUES (1)", False, False),
        ("CREATE TABLE a (id integer); INSERT INTO a VALUES (1)", True, True),
        ("CREATE TABLE a (id integer); GRANT SELECT ON a TO PUBLIC", False, True),
        ("CREATE TABLE a (id integer); GRANT SELECT ON a TO {role}", False, False),
        ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC", False, False),
        ("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 65', current_database()); END $$", False, False),
        ("SELECT lo_from_bytea(0, 'a')", True, False),
        ("SELECT 1 / 0", False, False),
    ],
)
def test_what_a_clone_would_get_wrong_is_not_cloned(
    tenants: Tenants,  # noqa: F811
    text: str,
    is_cloned: bool,  # noqa: FBT001
    rows: bool,  # noqa: FBT001
) -> None:
    """No large object, grant to a named role, default privilege, parameter, failure; rows where a setting says so."""
    ensure_roles(tenants.spec, NAMES)
    modules = written(tenants, {"01-a": text.replace("{role}", tenants.spec.role("acme", "app"))})
    assert bool(usable_template(tenants.spec, modules, [], new=3, rows=rows)) is is_cloned


ROWS_OF_MODULES = {
    "a constant": "'a'",
    "an identity": "DEFAULT",
    "the time": "now()",
    "the time in JSON": "to_jsonb(now())",
    "another time": "clock_timestamp()",
    "a random number": "gen_random_uuid()",
    "a name": "current_database()",
    "a role": "current_user",
}
TYPES = {"an identity": "bigint GENERATED ALWAYS AS IDENTITY", "the time in JSON": "jsonb"}


@pytest.mark.parametrize("tenants", ["own"], indirect=True)
def test_rows_differ_between_databases_by_more_than_the_time(tenants: Tenants) -> None:  # noqa: F811
    """Rows are equal but for the time at which their module began; a random number or a name tells them apart."""
    tables = (
        f'CREATE TABLE "{name}" (value {TYPES.get(name, "text")}); INSERT INTO "{name}" VALUES ({value});'
        for name, value in ROWS_OF_MODULES.items()
    )
    written(tenants, {"01-a": "\n".join([*tables, "CREATE TABLE without_rows (value integer);"])})
    tenants.create(NAMES[:2])
    tenants.apply("01", NAMES[:2])
    first, second = (inserted_rows(tenants.spec.session(name, print)) for name in NAMES[:2])
    assert [name.removeprefix("public.") for name in first] == list(ROWS_OF_MODULES)
    assert {name for name in first if first[name] == second[name]} == {
        f"public.{name}" for name in ("a constant", "an identity", "the time", "the time in JSON")
    }


@pytest.mark.parametrize("tenants", ["own"], indirect=True)
@pytest.mark.parametrize(("value", "is_cloned"), [("now()", True), ("clock_timestamp()", False)])
def test_rows_are_cloned_that_a_second_run_inserts_too(
    tenants: Tenants,  # noqa: F811
    value: str,
    is_cloned: bool,  # noqa: FBT001
) -> None:
    """Where many databases are new, the modules run twice, and nothing is left of the second run."""
    modules = written(tenants, {"01-a": f"CREATE TABLE a (value timestamptz); INSERT INTO a VALUES ({value})"})
    template = usable_template(tenants.spec, modules, [], new=6)
    assert bool(template) is is_cloned
    query = "SELECT count(*) FROM pg_database WHERE datname ~ '_template_'"
    assert tenants.sql("postgres", query) == [(int(is_cloned),)]
    if is_cloned:
        ensure_roles(tenants.spec, ["acme"])
        ensure_database(tenants.spec, "acme", [], template, modules)
        assert tenants.sql("acme", "SELECT count(*) FROM a", "readonly") == [(1,)]


def test_a_clone_that_was_cut_short_is_finished(tenants: Tenants, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """The next run finds it with the template's ledger, and makes it its own."""
    modules = written(tenants, MODULES)
    ensure_roles(tenants.spec, NAMES)
    template = usable_template(tenants.spec, modules, [], new=3)

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(clones_of_templates, "finish_clone", fail)
        with pytest.raises(KeyboardInterrupt):
            ensure_database(tenants.spec, "acme", [], template, modules)
    assert ensure_database(tenants.spec, "acme", [], template, modules) == "cloned"
    ensure_database(tenants.spec, "globex", [], template, modules)
    assert contents(tenants, "acme") == contents(tenants, "globex")
    drop_database(tenants.spec, "acme")


def test_a_module_gets_no_right_where_a_clone_becomes_its_owners(tenants: Tenants) -> None:  # noqa: F811
    """What it put behind the ledger runs with the rights of the migrator, who writes the clone's ledger."""
    trap = """
DO $do$ BEGIN EXECUTE $$
    CREATE FUNCTION trap() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN
        BEGIN RESET ROLE; CREATE ROLE risen; EXCEPTION WHEN OTHERS THEN NULL; END;
        RETURN NEW;
    END $f$;
    CREATE TRIGGER t BEFORE UPDATE ON sqlmodule.identity FOR EACH ROW EXECUTE FUNCTION trap();
    CREATE TRIGGER t BEFORE INSERT OR UPDATE ON sqlmodule.event FOR EACH ROW EXECUTE FUNCTION trap();
$$; END $do$;
"""
    modules = written(tenants, {**MODULES, "04-trap": trap})
    ensure_roles(tenants.spec, NAMES)
    template = usable_template(tenants.spec, modules, [], new=3)
    assert template
    assert ensure_database(tenants.spec, "acme", [], template, modules) == "cloned"
    with connect(tenants.spec.admin, autocommit=True) as connection:
        risen = connection.execute("SELECT FROM pg_roles WHERE rolname = 'risen'").rowcount
        connection.execute("DROP ROLE IF EXISTS risen")
    assert risen == 0
