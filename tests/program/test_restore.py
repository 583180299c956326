"""Backups and foreign ledgers on every kind of server: one command, and the stack has nothing to do afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from infra.postgres.introspection.cluster_catalog import cluster_facts
from tests.program.test_random_kills import IN_A_DATABASE

if TYPE_CHECKING:
    from infra.postgres.introspection.cluster_catalog import ClusterFact
    from tests.program.project import Project

pytestmark = [pytest.mark.every_kind, pytest.mark.full]

BY_HAND = """
COMMENT ON DATABASE app_db IS 'the shop''s'; COMMENT ON ROLE app_db_app IS 'the shop';
GRANT SELECT ON customers TO app_db_etl
"""
DEFAULTS = """
SELECT pg_get_userbyid(defaclrole)::text, defaclnamespace::regnamespace::text, defaclobjtype::text, acl::text
FROM pg_default_acl, unnest(defaclacl) AS acl ORDER BY 1, 2, 3, 4
"""
PRIVILEGES = """
SELECT c.oid::regclass::text, pg_get_userbyid(x.grantee)::text, x.privilege_type FROM pg_class c, aclexplode(c.relacl) x
WHERE c.oid >= 16384 AND x.grantee <> c.relowner
UNION ALL SELECT 'schema ' || nspname, pg_get_userbyid(x.grantee)::text, x.privilege_type
FROM pg_namespace, aclexplode(nspacl) x WHERE x.grantee <> nspowner ORDER BY 1, 2, 3
"""


def facts(project: Project) -> frozenset[ClusterFact]:
    """Return every fact about the server itself, as a superuser sees it; what is in a database is looked at there."""
    with psycopg.connect(**project.home.way(project), dbname="postgres") as connection:
        return frozenset(fact for fact in cluster_facts(connection) if not fact.text.startswith(IN_A_DATABASE))


def commanded(project: Project, *arguments: str) -> str:
    """Run a command of `python -m infra` on the stack, which must succeed, and return what it said."""
    done = project.run_python("-m", "infra", *arguments, "--stack", project.stack)
    assert done.status == 0, done.text
    return done.text


def is_in_order(project: Project) -> bool:
    """Return whether neither a preview nor a refresh finds anything to do."""
    for verb in ("preview", "refresh"):
        done = project.verb(verb, "--expect-no-changes", "--diff")
        assert done.status == 0, done.text
    return True


def test_a_restore_brings_a_database_back_and_leaves_the_server_as_it_was(project: Project) -> None:
    """Settings, comments and members of roles, default privileges, grants, rows: all as before; nothing is to do."""
    project.configure(roles={"etl": {"inherits": "readonly"}}, modules={"unmanaged": ["privileges * to app_db_etl"]})
    project.up()
    project.admin(BY_HAND)
    project.sql("INSERT INTO customers VALUES ('kept', 'x@y')")
    looks = (DEFAULTS, PRIVILEGES, "SELECT id, email FROM customers")
    before, server = [project.admin(look) for look in looks], facts(project)
    assert before[0]
    text = commanded(project, "backup", "--into", str(project.folder / "backups"))
    assert "proved by a restore" in text or "NOT PROVED" in text, text
    (backup,) = (project.folder / "backups" / project.stack).iterdir()
    project.sql("DELETE FROM customers; SET ROLE app_db_owner; DROP TABLE shipping_methods CASCADE")
    project.admin("REVOKE SELECT ON customers FROM app_db_app")
    commanded(project, "restore", str(backup), "--yes")
    for look, rows in zip(looks, before, strict=True):
        assert set(project.admin(look)) ^ set(rows) == set()
    assert facts(project) == server
    assert is_in_order(project)


def test_a_ledger_of_another_stack_is_accepted_by_one_command(project: Project) -> None:
    """A preview says whose it is, and neither it nor `up` changes anything before `accept`."""
    project.up()
    project.sql("SET ROLE app_db_owner; UPDATE sqlmodule.identity SET stack = 'platform-postgres/other'")
    for verb in ("preview", "up"):
        assert "belongs to somebody else" in project.refused(verb)
    project.env["DSN"] = project.outputs()["dsn"]["app_db"]["migrator"]  # as `make accept` does
    assert "its ledger was of stack platform-postgres/other" in commanded(project, "accept")
    assert is_in_order(project)
