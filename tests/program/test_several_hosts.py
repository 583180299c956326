"""A stack on a cluster of several hosts: after a switchover every verb finds the new primary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.database.failover.patroni_cluster import PatroniCluster, running_cluster
from tests.program.test_killed import wait_until

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.program.project import Project

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def cluster() -> Generator[PatroniCluster]:
    """Yield a cluster whose nodes all run."""
    with running_cluster() as cluster:
        yield cluster


def test_after_a_switchover_every_verb_finds_the_primary(bare: Project, cluster: PatroniCluster) -> None:
    """A preview names it, a refresh writes it down, `up` and `destroy` go on there: the toolchain's very commands."""
    dsn = f"host={cluster.hosts} port={cluster.port_list} user=postgres dbname=postgres"
    server = {"kind": "external", "dsn": dsn, "password_variable": "ADMIN_PASSWORD"}
    bare.configure(server=server, databases=["ext_db"], extensions=["pgcrypto", "pg_trgm"])
    bare.edit("sql/01-init-extensions.sql", 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp";\n', "")
    bare.env["ADMIN_PASSWORD"] = cluster.password
    bare.up()
    outputs = bare.outputs()
    assert (outputs["host"], outputs["port"]) == (cluster.hosts, cluster.port_list)
    switch_over(cluster)
    assert "cannot set transaction read-write mode during recovery" in bare.refused("refresh")
    assert bare.verb("refresh", "--run-program").status == 0
    assert bare.verb("preview", "--expect-no-changes").status == 0
    switch_over(cluster)
    bare.edit("sql/02-init-customers.sql", "    full_name  varchar,\n", "    full_name  varchar(2000),\n")
    bare.up()
    assert bare.verb("preview", "--expect-no-changes").status == 0
    assert bare.outputs()["port"] == cluster.port_list
    switch_over(cluster)
    done = bare.verb("refresh", "--run-program", "--target", "**::server", "--target", "**::admin")
    assert done.status == 0, done.text
    bare.destroy()


def test_a_switchover_in_a_run_needs_one_more_run_at_most(bare: Project, cluster: PatroniCluster) -> None:
    """Roles and databases are the plugin's, which repeats nothing; `up` waits for the primary before it begins."""
    dsn = f"host={cluster.hosts} port={cluster.port_list} user=postgres dbname=postgres"
    databases = [f"in_between_{number}" for number in range(4)]
    bare.configure(
        server={"kind": "external", "dsn": dsn, "password_variable": "ADMIN_PASSWORD"},
        databases=databases,
        extensions=[],
        modules={"directory": "few"},
    )
    (bare.folder / "few").mkdir()
    bare.add("few/01-a.sql", "-- A table.\nCREATE TABLE a (id int);\n")
    bare.env["ADMIN_PASSWORD"] = cluster.password
    process = bare.start(*bare.line("up"))
    wait_until(lambda: has_role(cluster), "no role is there")
    cluster.switch_over()
    text, _ = process.communicate(timeout=300)
    bare.up()
    assert bare.verb("preview", "--expect-no-changes").status == 0, text
    for database in databases:
        assert bare.sql("SELECT count(*) FROM a", database=database) == [(0,)]
    bare.destroy()


def test_a_run_that_finds_no_primary_waits_for_one(bare: Project, cluster: PatroniCluster) -> None:
    """Both hosts of the address are standbys, and one of them becomes the primary meanwhile."""
    cluster.wait_until_complete()
    leader = cluster.leader()
    others = [str(port) for number, port in enumerate(cluster.ports) if number != leader]
    dsn = f"host=127.0.0.1,127.0.0.1 port={','.join(others)} user=postgres dbname=postgres"
    server = {"kind": "external", "dsn": dsn, "password_variable": "ADMIN_PASSWORD"}
    bare.configure(server=server, databases=["late_db"], extensions=[])
    bare.env["ADMIN_PASSWORD"] = cluster.password
    with bare.start(*bare.line("preview")) as process:
        lines = iter(process.stdout or ())
        assert any("no host accepts writes: waiting for a primary" in line for line in lines)
        cluster.switch_over()
        text = "".join(lines)
    assert process.returncode == 0, text


def has_role(cluster: PatroniCluster) -> bool:
    """Return whether the run has created its first role."""
    with psycopg.connect(
        host=cluster.hosts, port=cluster.port_list, user="postgres", password=cluster.password, dbname="postgres"
    ) as connection:
        return bool(connection.execute("SELECT FROM pg_roles WHERE rolname LIKE 'in_between%'").fetchall())


def switch_over(cluster: PatroniCluster) -> None:
    """Make another host the primary, and wait for the others to follow it."""
    cluster.switch_over()
    cluster.wait_until_complete()
