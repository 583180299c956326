"""Roles and databases get other names, and keep their rows and privileges."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.program.kinds import PLAIN

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

UNCHANGED = re.compile(r"Resources:\n +\d+ unchanged\n")
ROLES = "SELECT rolname::text FROM pg_roles WHERE rolname ~ '^app|web' ORDER BY 1"
OWNERS = "SELECT DISTINCT tableowner::text FROM pg_tables WHERE schemaname = 'public'"

PRIVILEGES = """
SELECT privilege_type FROM information_schema.table_privileges WHERE grantee = 'web' AND table_name = 'extra'
"""


@pytest.mark.parametrize("kind", [PLAIN], indirect=True)
def test_roles_are_renamed_with_what_they_own_and_may_do(bare: Project) -> None:
    """The preview says so; afterwards the old names are gone, the stack's too, but no row or privilege.

    A further role that inherits from a renamed one still does, and is dropped when it is taken out of the settings. A
    database of another name would be another one: the preview refuses to drop the rows of the one that it replaces.
    """
    bare.configure(roles={"etl": {"inherits": "app"}})
    bare.up()
    bare.sql("INSERT INTO customers VALUES ('kept', 'x@y'); SET ROLE app_db_owner; CREATE TABLE extra (id integer)")
    bare.admin("REVOKE ALL ON extra FROM app_db_app; GRANT TRUNCATE ON extra TO app_db_app, app_db_etl")
    names = {"name": "app_db", "owner": "app_boss", "migrator": "app_mover", "app": "web"}
    bare.configure(databases=[names], modules={"unmanaged": ["table public.extra"]})
    text = bare.preview()
    assert "role app_db_app is renamed to web, and keeps what it owns and may do" in text
    bare.up()
    assert bare.admin(ROLES) == [("app_boss",), ("app_db_etl",), ("app_db_readonly",), ("app_mover",), ("web",)]
    assert bare.admin(OWNERS) == [("app_boss",)]
    for role in ("app", "etl"):
        assert bare.sql("SELECT id FROM customers", role=role) == [("kept",)]
    assert bare.admin(PRIVILEGES) == [("TRUNCATE",)]
    assert UNCHANGED.search(bare.up())
    for verb in ("preview", "refresh"):
        assert bare.verb(verb, "--expect-no-changes").status == 0
    bare.configure(databases=[{**names, "app": "app_db_readonly", "readonly": "web"}])
    assert "role app_db_readonly was another one of its roles in the last run" in bare.refused("preview")
    bare.configure(databases=[{**names, "app": "boss"}])
    assert "has role boss already, so that role web cannot be renamed to it" in bare.refused("preview")
    bare.configure(databases=[{**names, "name": "app_new"}])
    text = bare.refused("preview")
    assert "database app_db: would be dropped with its rows, and none of them is moved to app_new" in text
    bare.configure(databases=[{**names, "name": "app_new"}], drop_databases=["app_db"])
    bare.preview()
    bare.configure(databases=[names], roles=None, drop_databases=None)
    bare.pulumi("stack", "rename", "renamed", "--stack", bare.stack)
    bare.stack = "renamed"
    bare.up()
    assert bare.admin("SELECT stack FROM sqlmodule.identity")[0][0].endswith("renamed")
    assert ("app_db_etl",) not in bare.admin(ROLES)
    assert UNCHANGED.search(bare.up())
    bare.destroy()
    assert bare.home.traces(bare) == []
