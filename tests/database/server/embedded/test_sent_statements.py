"""What an application sends is read from pg_stat_statements, by its own role, and without values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.check.sent_statements import has_no_value, sent_statements
from infra.postgres.connection.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable

    from infra.server.embedded.cluster import ClusterSpec, Running


def test_what_a_role_sends_is_read_without_values(
    spec: ClusterSpec, start_server: Callable[[ClusterSpec], Running]
) -> None:
    """Statements of other roles, utility statements and values are not; without the extension there is nothing."""
    loaded = replace(spec, settings={"shared_preload_libraries": "pg_stat_statements"})
    running = start_server(loaded)
    admin = loaded.target(running.port)
    app = replace(admin, user="app", password="Pw-app")
    with connect(admin, autocommit=True) as connection:
        connection.execute("CREATE ROLE app LOGIN PASSWORD 'Pw-app'; CREATE TABLE public.people (id int, name text)")
        connection.execute("GRANT ALL ON public.people TO app")
        assert sent_statements(app) == ()
        connection.execute("CREATE SCHEMA stats; CREATE EXTENSION pg_stat_statements SCHEMA stats")
        assert sent_statements(app) == ()  # it may not look into the schema
        connection.execute("GRANT USAGE ON SCHEMA stats TO PUBLIC")
        connection.execute("SELECT name FROM public.people WHERE name = 'of the administrator'")
    with connect(app, autocommit=True) as connection:
        connection.execute("INSERT INTO public.people VALUES (1, 'Secret of Ada')")
        connection.execute("SELECT name FROM public.people WHERE name = 'Secret of Ada' AND id = 7")
        connection.execute("SET work_mem = '5MB'; DO 'BEGIN PERFORM 1; END'")
    found = sent_statements(app)
    assert {
        "INSERT INTO public.people VALUES ($1, $2)",
        "SELECT name FROM public.people WHERE name = $1 AND id = $2",
    } <= set(found)
    assert not [text for text in found if "Secret" in text or "SET" in text or "DO " in text]


@pytest.mark.parametrize(
    "text",
    [
        "ALTER ROLE app PASSWORD 'x'",
        "SELECT 'x'",
        "SELECT $1; SELECT $2",
        "SELECT a ~ E'x' FROM t",
        "",
    ],
)
def test_what_may_have_a_value_is_left_out(text: str) -> None:
    """Only single statements that read or write rows, with a parameter for each string."""
    assert not has_no_value(text)
    assert has_no_value("WITH t AS (SELECT id FROM a WHERE n = $1 LIMIT 5) INSERT INTO b SELECT id FROM t")
