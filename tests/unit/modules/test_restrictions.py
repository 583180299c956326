"""Which modules can be run: for every restriction, statements that it refuses, and ones that only look alike."""

from __future__ import annotations

import pytest

from infra.errors import ModuleError
from infra.modules.module import Module, load_modules
from infra.modules.restrictions import MOST_SHOWN, RESTRICTIONS, find_restricted
from infra.modules.statements import parse
from tests.fixture_schema import SQL

# Each rule: statements that it refuses, and near misses that a module may hold.
CASES: dict[str, tuple[list[str], list[str]]] = {
    "transaction_stmt": (
        [
            "BEGIN",
            "START TRANSACTION",
            "COMMIT",
            "END",
            "ROLLBACK",
            "ABORT",
            "SAVEPOINT a",
            "RELEASE a",
            "ROLLBACK TO a",
            "PREPARE TRANSACTION 'x'",
            "COMMIT PREPARED 'x'",
        ],
        [
            "DO $$ BEGIN PERFORM 1; END $$",
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END",
            'CREATE TABLE "begin" (commit int)',
            "SELECT 'COMMIT;'",
            "PREPARE p AS SELECT 1",
            "SET CONSTRAINTS ALL DEFERRED",
        ],
    ),
    "createdb_stmt": (["CREATE DATABASE d"], ["CREATE SCHEMA database", "COMMENT ON DATABASE d IS 'x'"]),
    "dropdb_stmt": (["DROP DATABASE d", "DROP DATABASE IF EXISTS d WITH (FORCE)"], ["DROP SCHEMA database"]),
    "alter_database_stmt": (
        [
            "ALTER DATABASE d SET TABLESPACE s",
            "ALTER DATABASE d CONNECTION LIMIT 3",
            "ALTER DATABASE d IS_TEMPLATE true",
        ],
        ["ALTER DATABASE d SET work_mem = '1MB'"],
    ),
    "create_table_space_stmt": (["CREATE TABLESPACE s LOCATION '/x'"], ["CREATE TABLE tablespace (a int)"]),
    "drop_table_space_stmt": (["DROP TABLESPACE s"], ["DROP TABLE tablespace"]),
    "create_subscription_stmt": (
        ["CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p"],
        ["CREATE PUBLICATION p FOR ALL TABLES"],
    ),
    "alter_subscription_stmt": (
        ["ALTER SUBSCRIPTION s REFRESH PUBLICATION"],
        ["ALTER PUBLICATION p ADD TABLE t"],
    ),
    "drop_subscription_stmt": (["DROP SUBSCRIPTION s"], ["DROP PUBLICATION p"]),
    "alter_system_stmt": (["ALTER SYSTEM SET work_mem = '1MB'", "ALTER SYSTEM RESET ALL"], ["SET work_mem = '1MB'"]),
    "vacuum_stmt": (["VACUUM", "VACUUM ANALYZE t", "VACUUM (FULL) t"], ["ANALYZE", "ANALYZE t (a)"]),
    "discard_stmt": (["DISCARD ALL", "DISCARD TEMP"], ["DEALLOCATE ALL", "RESET ALL"]),
    "index_stmt": (
        ["CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE UNIQUE INDEX CONCURRENTLY ON t (a)"],
        ["CREATE INDEX i ON t (a)", "CREATE INDEX concurrent ON t (a)", "REFRESH MATERIALIZED VIEW CONCURRENTLY v"],
    ),
    "drop_stmt": (["DROP INDEX CONCURRENTLY i"], ["DROP INDEX i", "DROP TABLE IF EXISTS t CASCADE"]),
    "alter_table_stmt": (
        ["ALTER TABLE p DETACH PARTITION c CONCURRENTLY"],
        [
            "ALTER TABLE p DETACH PARTITION c",
            "ALTER TABLE p DETACH PARTITION c FINALIZE",
            'ALTER TABLE t ADD COLUMN "concurrently" int, DROP COLUMN a',
        ],
    ),
    "grant_stmt": (
        [
            "GRANT ALL ON SCHEMA public TO PUBLIC",
            "REVOKE CREATE ON SCHEMA a, PUBLIC FROM x",
            "GRANT CONNECT ON DATABASE d TO x",
        ],
        ["GRANT USAGE ON SCHEMA a TO x", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO x", "GRANT a TO b"],
    ),
    "alter_default_privileges_stmt": (
        [
            "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x",
            "ALTER DEFAULT PRIVILEGES REVOKE ALL ON SCHEMAS FROM x",
        ],
        [
            "ALTER DEFAULT PRIVILEGES IN SCHEMA a GRANT SELECT ON TABLES TO x",
            "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        ],
    ),
    "reindex_stmt": (
        ["REINDEX TABLE t", "REINDEX TABLE CONCURRENTLY t", "REINDEX (VERBOSE) DATABASE d"],
        ["ALTER INDEX i RENAME TO j"],
    ),
    "cluster_stmt": (["CLUSTER", "CLUSTER (VERBOSE)"], ["CLUSTER t USING i", "CLUSTER t"]),
    "copy_stmt": (
        ["COPY t FROM PROGRAM 'curl x'", "COPY t TO PROGRAM 'sh'", "COPY t FROM stdin", "COPY (SELECT 1) TO STDOUT"],
        ["COPY t FROM '/var/lib/x.csv'", "COPY t TO '/x' (FORMAT csv)"],
    ),
    "variable_set_stmt": (
        [
            "SET ROLE x",
            "SET LOCAL ROLE NONE",
            "RESET ROLE",
            "SET role = 'x'",
            'SET "ROLE" TO x',
            "SET SESSION AUTHORIZATION x",
            "RESET SESSION AUTHORIZATION",
        ],
        [
            "SET search_path = x",
            "SET LOCAL roles.role = x",
            "SELECT 'SET ROLE x'",
            "GRANT a TO b",
            "ALTER ROLE a SET b = 1",
        ],
    ),
}


def module(text: str) -> Module:
    return Module(3, "03-x", "sql/03-x.sql", text)


def messages(text: str) -> list[str]:
    return [str(problem) for problem in find_restricted(module(text))]


def test_every_rule_has_cases() -> None:
    """Every rule has a statement that it refuses and one that it accepts."""
    assert CASES.keys() == RESTRICTIONS.keys()
    assert all(refused and accepted for refused, accepted in CASES.values())


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, cases in CASES.items() for text in cases[0]])
def test_refused(kind: str, text: str) -> None:
    """A refused statement is one problem, at its first word, with the rule's words and remedy, in any company."""
    rule = RESTRICTIONS[kind]
    assert [statement.kind for statement in parse(text, "x.sql")] == [kind]
    assert messages(f"-- ä\nSELECT 1;\n  /* b */ {text};\nSELECT 2;") == [
        f"sql/03-x.sql:3:11: {rule.what}; {rule.remedy}"
    ]


@pytest.mark.parametrize("text", [text for cases in CASES.values() for text in cases[1]])
def test_near_misses_are_accepted(text: str) -> None:
    """A statement that only looks like a refused one is accepted."""
    assert messages(f"{text};") == []


def test_a_problem_is_said_with_place_and_remedy() -> None:
    """A message has the place, what is wrong, and what to do instead; several are in the order of the text."""
    assert messages("BEGIN;\nSELECT 1;\n\tVACUUM t;\nCREATE INDEX CONCURRENTLY i ON t (a); COMMIT;\n") == [
        "sql/03-x.sql:1:1: controls the transaction; remove it: a module is one transaction already",
        "sql/03-x.sql:3:2: VACUUM cannot run inside a transaction; remove it: new tables need none",
        (
            "sql/03-x.sql:4:1: CREATE INDEX CONCURRENTLY cannot run inside a transaction; "
            "leave out CONCURRENTLY, or begin the module with `-- platform-postgres: statement by statement`"
        ),
        "sql/03-x.sql:4:39: controls the transaction; remove it: a module is one transaction already",
    ]


@pytest.mark.parametrize("text", ["", "\n \t\n", "-- nothing yet\n", "/* nothing /* yet */ */", ";", "-- a\n;\n;"])
def test_a_module_without_a_statement_is_refused(text: str) -> None:
    """An empty file, comments alone and semicolons alone would be applied without doing anything."""
    assert messages(text) == ["sql/03-x.sql: holds no statement; write one, or remove the file"]


def test_a_syntax_error_is_the_one_problem() -> None:
    """A module that cannot be parsed is refused with PostgreSQL's message, and nothing else is reported."""
    (problem,) = find_restricted(module("BEGIN;\nSELCT 1;\n"))
    assert isinstance(problem, ModuleError)
    assert str(problem) == 'sql/03-x.sql:2:1: syntax error at or near "SELCT" [42601]\n  SELCT 1;\n  ^'


@pytest.mark.parametrize("text", ["\\set x 1\n", "SELECT 1 \\g\n", "SELECT :x;", "INSERT INTO t VALUES (:'x');"])
def test_what_only_psql_understands_is_refused_with_a_hint(text: str) -> None:
    """Commands and variables of psql are refused, since a module runs in every client."""
    (message,) = messages(text)
    assert message.startswith("sql/03-x.sql:1:")
    assert "\n  hint: " in message
    assert "psql" in message


def test_what_any_client_would_send_unchanged_is_accepted() -> None:
    """Per cent signs, backslashes, colons and dollar signs in text are only text."""
    assert messages("SELECT '100%', '%s', ':x', '\\i', $_$:x %(y)s$_$; INSERT INTO t VALUES ('{\"a\": 1}');") == []


def test_of_many_problems_the_first_are_said() -> None:
    """Of thousands of problems the first are reported with their places, and the number of the others."""
    text = "INSERT INTO t VALUES (1);\nCOMMIT;\n" * 5_000
    reported = messages(text)
    assert len(reported) == MOST_SHOWN + 1
    assert reported[-2] == "sql/03-x.sql:40:1: controls the transaction; remove it: a module is one transaction already"
    assert reported[-1] == "sql/03-x.sql: 4980 more statements are refused"
    assert len(messages("COMMIT;" * MOST_SHOWN)) == MOST_SHOWN


def test_generated_modules_are_accepted() -> None:
    """No statement that is generated from models is refused."""
    assert [str(problem) for module in load_modules(SQL) for problem in find_restricted(module)] == []
