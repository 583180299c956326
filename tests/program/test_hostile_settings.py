"""Whatever somebody has set for a server and for all roles, stacks of all kinds are compared and changed alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from psycopg import sql

from tests.database.postgres.connection.test_session_settings import ELSEWHERE, HOSTILE, UNSETTABLE, known
from tests.program.test_edits import COLUMN, CUSTOMERS, NARROW

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = [pytest.mark.every_kind, pytest.mark.full]

OF_THE_PLUGIN = frozenset({"idle_session_timeout", "idle_in_transaction_session_timeout", "statement_timeout"})
"""Limits of a millisecond that end the sessions of the postgresql plugin too, which sets nothing for them."""

ROWS = "SELECT carrier, name, terms, rates::text FROM public.shipping_methods ORDER BY 1, 2"


def set_everything(project: Project) -> None:
    """Set each parameter to a value that is not this program's, for the server and for all roles."""
    with project.connect("postgres") as connection:
        connection.autocommit = True
        for name, value in known(connection, HOSTILE).items():
            if name in {*UNSETTABLE, *ELSEWHERE, *OF_THE_PLUGIN} or "." in name:
                continue
            values = sql.SQL(", ").join(map(sql.Literal, value.split(", ")))
            for command in ("ALTER SYSTEM", "ALTER ROLE ALL"):
                connection.execute(sql.SQL(command + " SET {} = {}").format(sql.Identifier(name), values))
        connection.execute("SELECT pg_reload_conf()")


def test_no_setting_makes_a_difference_on_any_kind_of_server(project: Project) -> None:
    """Nothing is to be done, in a preview, a run and a refresh; an edit and its way back end where they began."""
    before, rows = project.fingerprint(), project.sql(ROWS)
    set_everything(project)
    for verb in ("preview", "up", "refresh"):
        done = project.verb(verb, "--expect-no-changes")
        assert done.status == 0, done.text
    for old, new in ((COLUMN, NARROW), (NARROW, COLUMN)):
        project.edit(CUSTOMERS, old, new)
        project.up()
    assert project.fingerprint() == before
    assert project.sql(ROWS) == rows
    assert project.verb("preview", "--expect-no-changes").status == 0
