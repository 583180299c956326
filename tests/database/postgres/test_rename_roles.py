"""Roles with other names in the settings: renamed with all that they own and may do, in the ledger too."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from infra.modules.decision import Step
from infra.postgres.connection.connect import connect
from infra.postgres.connection.scram import verifier
from infra.postgres.rename_roles import rename_roles

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.database.postgres.databases import World

pytest_plugins = ["tests.database.scratch_server"]

OLD, NEW = ("old_owner", "old_migrator", "old app"), ("new_owner", "new_migrator", "new-app")
NAMES = dict(zip(OLD, NEW, strict=True))
CREATED = (
    "CREATE ROLE {owner}",
    "CREATE ROLE {migrator} LOGIN IN ROLE {owner}",
    'CREATE ROLE "{app}" LOGIN',
    "ALTER DATABASE {database} OWNER TO {owner}",
)
MODULE = """
CREATE TABLE item (id integer PRIMARY KEY, who text);
INSERT INTO item VALUES (1, 'a');
GRANT SELECT ON item TO "old app";
ALTER TABLE item ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON item TO "old app" USING (who = current_user);
CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
"""
PRIVILEGES = "SELECT relacl::text[], relowner::regrole::text FROM pg_class WHERE relname = 'item'"


def create(world: World, names: tuple[str, ...]) -> None:
    """Create the roles of these names, as the stack declares them, with the database's owner."""
    owner, migrator, app = names
    database = world.session.target.database
    for statement in CREATED:
        world.sql(statement.format(owner=owner, migrator=migrator, app=app, database=database), owner=False)


def use(world: World, names: tuple[str, ...]) -> World:
    """Return the world with its modules run by other roles."""
    return world.set(owner=names[0], target=replace(world.session.target, user=names[1]))


@pytest.fixture
def renamed(world: World) -> Generator[World]:
    """Yield a world whose module was applied under the old names, and in which roles of the new names were created."""
    create(world, OLD)
    world.write(m01_a=MODULE)
    use(world, OLD).up()
    world.sql('ALTER DEFAULT PRIVILEGES FOR ROLE old_owner GRANT SELECT ON TABLES TO "old app"', owner=False)
    create(world, NEW)
    yield world
    for role in (*OLD, *NEW):
        world.sql(f'REASSIGN OWNED BY "{role}" TO postgres; DROP OWNED BY "{role}"; DROP ROLE "{role}"', owner=False)


def rename(world: World) -> set[str]:
    """Carry out the new names as the administrator."""
    return rename_roles(world.session.admin, NAMES, owner="new_owner", verifiers={"new-app": verifier("secret")})


def test_a_renamed_role_keeps_what_it_owns_and_may_do(renamed: World) -> None:
    """The ledger has the new names too: nothing drifted, and nothing is run; doing it twice changes nothing."""
    world = renamed
    assert rename(world) == set(NEW)
    assert rename(world) == set(NEW)
    use(world, NEW)
    ((acl, owner),) = world.sql(PRIVILEGES, owner=False)
    assert owner == "new_owner"
    assert any(entry.startswith('"new-app"=r/') for entry in acl)
    assert world.sql("SELECT rolpassword IS NOT NULL FROM pg_authid WHERE rolname = 'new-app'", owner=False) == [
        (True,)
    ]
    assert world.drift() == {}
    assert world.up() == [Step.UNCHANGED]
    assert world.sql("SELECT id FROM item", owner=False) == [(1,)]


def test_members_of_a_renamed_role_stay_members(renamed: World) -> None:
    """Pulumi made a role that keeps its name a member of the role that it created; that one is dropped."""
    renamed.sql("CREATE ROLE guest IN ROLE new_owner", owner=False)
    try:
        rename(renamed)
        roles = "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = 'guest'::regrole ORDER BY roleid"
        assert renamed.sql(roles, owner=False)[0] == ("new_owner",)
    finally:
        renamed.sql("DROP ROLE guest", owner=False)


def test_what_was_created_in_between_can_be_dropped(renamed: World) -> None:
    """The roles that have the old names now own nothing and may do nothing."""
    rename(renamed)
    roles = "SELECT count(*) FROM pg_roles WHERE rolname = ANY (%s)"
    with connect(renamed.session.admin, autocommit=True) as connection:
        for role in reversed(OLD):
            connection.execute(f'DROP ROLE "{role}"'.encode())
        assert connection.execute(roles, (list(OLD),)).fetchone() == (0,)
        assert connection.execute(roles, (list(NEW),)).fetchone() == (len(NEW),)
        for role in OLD:  # for the end of the test
            connection.execute(f'CREATE ROLE "{role}"'.encode())


def test_a_drift_of_before_is_a_drift_afterwards(renamed: World) -> None:
    """What somebody changed is not taken for what the module did."""
    world = renamed
    world.sql('GRANT INSERT ON item TO "old app"', owner=False)
    rename(world)
    use(world, NEW)
    assert world.drift() == {"01-a": ['privileges table public.item to "new-app" is different']}
