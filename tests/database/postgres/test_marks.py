"""The marks of environments on a server, and the facts of its catalog that a teardown must leave as they were."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from infra.postgres.connection.connect import connect
from infra.postgres.introspection.cluster_catalog import cluster_facts
from infra.postgres.marks import ChangedMarkError, Mark, MarkedObjects, drop_marked, parse_mark, read_marks, write_marks

if TYPE_CHECKING:
    from collections.abc import Generator

    import psycopg

    from infra.postgres.connection.target import Target
    from infra.postgres.introspection.cluster_catalog import ClusterFact

pytest_plugins = ["tests.database.scratch_server"]

EXPIRES = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
MARK = Mark("shop", "pr-1", EXPIRES)
OBJECTS = ("CREATE ROLE pr_owner", "CREATE ROLE pr_app LOGIN", "CREATE DATABASE pr OWNER pr_owner")


@pytest.fixture
def admin(template: Target) -> Generator[psycopg.Connection[tuple[object, ...]]]:
    """Yield a superuser's session on a server with a database and two roles, which are dropped again."""
    with connect(template, autocommit=True) as connection:
        for statement in OBJECTS:
            connection.execute(statement.encode())
        yield connection
        connection.execute(b"DROP DATABASE IF EXISTS pr WITH (FORCE)")
        connection.execute(b"DROP ROLE IF EXISTS pr_app, pr_owner, pr_new")


def own(connection: psycopg.Connection[tuple[object, ...]]) -> list[MarkedObjects]:
    return [found for found in read_marks(connection) if found.mark.project == "shop"]


def test_a_mark_is_read_as_it_was_written(admin: psycopg.Connection[tuple[object, ...]], template: Target) -> None:
    """From any database; a later one replaces it, and taking it off leaves nothing."""
    for mark in (MARK, replace(MARK, expires=EXPIRES + timedelta(days=1))):
        write_marks(template, ["pr"], ["pr_app", "pr_owner"], mark)
        assert own(admin) == [MarkedObjects(mark, ("pr",), ("pr_app", "pr_owner"))]
    write_marks(template, ["pr"], ["pr_app", "pr_owner"], None)
    assert own(admin) == []


def test_comments_of_other_people_stay(admin: psycopg.Connection[tuple[object, ...]], template: Target) -> None:
    """The database is found by its owner's mark."""
    admin.execute(b"COMMENT ON DATABASE pr IS 'the shop of Joe'")
    write_marks(template, ["pr"], ["pr_owner"], MARK)
    assert own(admin) == [MarkedObjects(MARK, ("pr",), ("pr_owner",))]
    write_marks(template, ["pr"], ["pr_owner"], None)
    comment = admin.execute(b"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = 'pr'")
    assert comment.fetchone() == ("the shop of Joe",)


def test_a_comment_that_a_dump_has_brought_is_no_mark(
    admin: psycopg.Connection[tuple[object, ...]], template: Target
) -> None:
    """A database whose owner is nobody's environment is never found, whatever stands in its comment."""
    write_marks(template, ["pr"], [], MARK)
    assert own(admin) == []


def test_what_is_missing_is_passed_over(admin: psycopg.Connection[tuple[object, ...]], template: Target) -> None:
    """A database that somebody dropped has no mark."""
    admin.execute(b"DROP DATABASE pr")
    write_marks(template, ["pr"], ["pr_owner", "pr_none"], MARK)
    assert own(admin) == [MarkedObjects(MARK, (), ("pr_owner",))]


def test_marked_objects_are_dropped_in_use_or_not(
    admin: psycopg.Connection[tuple[object, ...]], template: Target
) -> None:
    """Sessions on the database end; facts of the server are as they were before there was anything."""
    write_marks(template, ["pr"], ["pr_app", "pr_owner"], MARK)
    (found,) = own(admin)
    with connect(template.on("pr")):
        drop_marked(admin, found)
    assert own(admin) == []
    assert not [fact for fact in cluster_facts(admin) if fact.names & {"pr", "pr_owner", "pr_app"}]


def test_what_was_marked_anew_is_not_dropped(admin: psycopg.Connection[tuple[object, ...]], template: Target) -> None:
    """Somebody has brought the environment up between the look and the removal."""
    write_marks(template, ["pr"], ["pr_app", "pr_owner"], MARK)
    (found,) = own(admin)
    write_marks(template, ["pr"], ["pr_app", "pr_owner"], replace(MARK, expires=EXPIRES + timedelta(days=1)))
    with pytest.raises(ChangedMarkError):
        drop_marked(admin, found)
    assert own(admin)


CHANGES: list[tuple[str, str]] = [
    ("role", "ALTER ROLE pr_app CONNECTION LIMIT 3"),
    ("role", "CREATE ROLE pr_new"),
    ("membership", "GRANT pr_owner TO pr_app"),
    ("setting", "ALTER ROLE pr_app SET work_mem = '1MB'"),
    ("setting", "ALTER DATABASE pr SET work_mem = '1MB'"),
    ("setting", "ALTER ROLE pr_app IN DATABASE pr SET work_mem = '1MB'"),
    ("database", "GRANT TEMPORARY ON DATABASE pr TO pr_app"),
    ("database", "ALTER DATABASE pr CONNECTION LIMIT 7"),
    ("database", "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC"),
    ("comment", "COMMENT ON ROLE pr_app IS 'x'"),
    ("comment", "COMMENT ON DATABASE pr IS 'x'"),
    ("database", "GRANT CREATE ON DATABASE pr TO pr_app"),
    ("objects in a database", "GRANT SELECT ON pg_class TO pr_app"),
    ("privilege on a parameter", "GRANT SET ON PARAMETER log_statement TO pr_app"),
    ("replication origin", "SELECT pg_replication_origin_create('pr_origin')"),
]
UNDONE = {
    "GRANT SELECT ON pg_class TO pr_app": "REVOKE SELECT ON pg_class FROM pr_app",
    "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC": "GRANT CONNECT ON DATABASE postgres TO PUBLIC",
    "GRANT SET ON PARAMETER log_statement TO pr_app": "REVOKE SET ON PARAMETER log_statement FROM pr_app",
    "SELECT pg_replication_origin_create('pr_origin')": "SELECT pg_replication_origin_drop('pr_origin')",
}


@pytest.mark.parametrize(("subject", "statement"), CHANGES)
def test_every_change_outside_the_databases_is_a_fact(
    admin: psycopg.Connection[tuple[object, ...]], subject: str, statement: str
) -> None:
    """Roles, memberships, settings, databases, comments, privileges and origins; undone, it is gone without a trace."""
    before = cluster_facts(admin)
    admin.execute(statement.encode())
    try:
        changed = cluster_facts(admin) ^ before
        assert any(fact.text.startswith(subject) for fact in changed)
    finally:
        if statement in UNDONE:
            admin.execute(UNDONE[statement].encode())
    if statement in UNDONE:
        assert cluster_facts(admin) == before


@pytest.mark.parametrize(
    "comment",
    [
        None,
        "",
        "platform-postgres",
        "platform-postgres environment a/b, expires soon",
        f"{MARK} or so",
        "x" + str(MARK),
    ],
)
def test_other_comments_are_no_marks(comment: str | None) -> None:
    """Nothing is dropped for a comment that only looks like one."""
    assert parse_mark(comment) is None


def test_facts_do_not_depend_on_the_order_of_grants(admin: psycopg.Connection[tuple[object, ...]]) -> None:
    """A run that was killed, and continued, grants in another order; a privilege more is another fact."""
    facts: list[frozenset[ClusterFact]] = []
    for roles in (("pr_app", "pg_monitor"), ("pg_monitor", "pr_app"), ("pg_monitor",)):
        admin.execute(b"REVOKE ALL ON DATABASE pr FROM pr_app, pg_monitor")
        admin.execute(b"ALTER DATABASE pr RESET ALL")
        for role in roles:
            admin.execute(f"GRANT CONNECT ON DATABASE pr TO {role}".encode())
            setting = {"pr_app": "work_mem = '8MB'", "pg_monitor": "geqo = off"}[role]
            admin.execute(f"ALTER DATABASE pr SET {setting}".encode())
        facts.append(cluster_facts(admin))
    assert facts[0] == facts[1] != facts[2]
