"""An owner pretends that its database is a clone of the environments' template, which an administrator would finish."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.errors import InfraError
from infra.modules.template_name import templates_stack
from infra.postgres.connection.connect import connect
from infra.postgres.groups.environment_template import finish_clone_of_template
from tests.database.postgres.databases import OWNER
from tests.security.test_hostile_ledger import ACCESS, admin, risen, set_trap

if TYPE_CHECKING:
    from infra.postgres.connection.target import Target
    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]
__all__ = ["admin"]

STACK = templates_stack("shop")
OTHERS = """
SELECT 'database', datname::text, pg_get_userbyid(datdba)::text FROM pg_database WHERE datname <> current_database()
UNION ALL SELECT 'member', roleid::regrole::text, member::regrole::text FROM pg_auth_members
UNION ALL SELECT 'superuser', rolname::text, '' FROM pg_roles WHERE rolsuper
"""


@pytest.mark.parametrize("trap", ["a trigger", "a rule", "statistics", "a check", "a search path", "a partition"])
def test_a_pretended_clone_gets_no_right_of_the_administrator(world: World, admin: Target, trap: str) -> None:
    """The ledger names the template's stack, and has a trap; its schema belongs to the database's owner, whoever is."""
    pretend(world)
    set_trap(world, trap)
    finish(world)
    assert risen(admin) == []


def test_a_pretended_clone_without_a_trap_is_finished(world: World, admin: Target) -> None:
    """So that the others show something."""
    pretend(world)
    assert finish_clone_of_template(world.session, ACCESS, STACK)
    assert risen(admin) == []


def test_a_pretended_clone_gets_nothing_of_another_owner(world: World, admin: Target) -> None:
    """What belongs to the owner of the ledger's schema is passed on: that cannot be a role of others."""
    pretend(world)
    world.sql("ALTER SCHEMA sqlmodule OWNER TO pg_database_owner")
    with connect(admin, autocommit=True) as connection:
        before = connection.execute(OTHERS).fetchall()
        finish(world)
        assert connection.execute(OTHERS).fetchall() == before
    for role in ("postgres", "world_readonly"):
        with pytest.raises(psycopg.Error):
            world.sql(f"ALTER SCHEMA sqlmodule OWNER TO {role}")


def pretend(world: World) -> None:
    """Write into the ledger, as its owner, what a clone has that is not finished."""
    world.sql(f"SET ROLE {OWNER}; UPDATE sqlmodule.identity SET stack = '{STACK}'")


def finish(world: World) -> None:
    """Do as `up` does with a clone; a refusal is as good."""
    with suppress(psycopg.Error, InfraError):
        assert finish_clone_of_template(world.session, ACCESS, STACK)
