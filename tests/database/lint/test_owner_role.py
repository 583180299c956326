"""What PostgreSQL refuses the owner role of a database is found by lint, before `up`."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from tests.unit.lint.texts import lint_texts

pytest_plugins = ["tests.database.scratch_server"]

OWNER = "owner_of_lint"
T = "CREATE TABLE t (a int PRIMARY KEY, b text);\n"
FUNCTION = "CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql AS 'SELECT $1 > 0';\n"
PARSER = "START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype"

REFUSED = [
    "COMMENT ON EXTENSION plpgsql IS 'x';",
    "COMMENT ON LANGUAGE plpgsql IS 'x';",
    "COMMENT ON DATABASE postgres IS 'x';",
    "COMMENT ON TABLESPACE pg_default IS 'x';",
    "COMMENT ON ACCESS METHOD heap IS 'x';",
    "ALTER EXTENSION plpgsql UPDATE;",
    "ALTER TABLESPACE pg_default SET (seq_page_cost = 1);",
    "CREATE PUBLICATION p FOR ALL TABLES;",
    "CREATE PUBLICATION p FOR TABLES IN SCHEMA public;",
    T + "CREATE PUBLICATION p FOR TABLE t;\nALTER PUBLICATION p ADD TABLES IN SCHEMA public;",
    "CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'now';",
    "CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql LEAKPROOF AS 'SELECT $1 > 0';",
    "CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql SUPPORT generate_series_int4_support AS 'SELECT $1 > 0';",
    FUNCTION + "ALTER FUNCTION f(int) LEAKPROOF;",
    "CREATE TEXT SEARCH TEMPLATE s (LEXIZE = dsimple_lexize);",
    f"CREATE TEXT SEARCH PARSER s ({PARSER});",
    "CREATE TYPE c AS (a int);\nCREATE CAST (c AS int) WITHOUT FUNCTION;",
    T + "CREATE TABLE u (a int REFERENCES t);\nALTER TABLE u DISABLE TRIGGER ALL;",
    "REVOKE ALL ON FUNCTION pg_catalog.pg_stat_file(text) FROM PUBLIC;",
    "CREATE OPERATOR FAMILY f USING btree;",
    "CREATE FOREIGN DATA WRAPPER w;",
    "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION suppress_redundant_updates_trigger();",
    "LOAD 'auto_explain';",
    "CREATE TYPE shell;",
    "CREATE TRANSFORM FOR int LANGUAGE sql (FROM SQL WITH FUNCTION varchar_support(internal));",
    "CREATE LANGUAGE l HANDLER plpgsql_call_handler;",
    "CREATE SERVER s FOREIGN DATA WRAPPER given;",
    "GRANT USAGE ON FOREIGN DATA WRAPPER given TO CURRENT_USER;",
    "GRANT CREATE ON TABLESPACE pg_default TO CURRENT_USER;",
    "GRANT SET ON PARAMETER log_statement TO CURRENT_USER;",
]
"""Statements that the owner role of a database may not execute, after others that it may."""


def execute_as_owner(connection: psycopg.Connection, text: str) -> None:
    """Execute statements as the owner role, in a transaction."""
    with connection.transaction():
        connection.execute(f"SET LOCAL ROLE {OWNER}".encode())
        connection.execute(text.encode())


def test_what_the_owner_role_may_not_is_found(database: str) -> None:
    """Each statement is refused by the server for want of privileges, and is the one that M416 finds."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {OWNER}".encode())
        try:
            connection.execute("CREATE FOREIGN DATA WRAPPER given")
            connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(sql.Identifier(OWNER)))
            for text in REFUSED:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    execute_as_owner(connection, text)
                found = [finding.place.line for finding in lint_texts([text]) if finding.code == "M416"]
                assert found == [len(text.splitlines())], text
        finally:
            connection.execute(f"DROP OWNED BY {OWNER} CASCADE; DROP ROLE {OWNER}".encode())
