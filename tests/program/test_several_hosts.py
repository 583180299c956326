"""A stack on a cluster of several hosts: after a switchover every verb finds the new primary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.database.failover.patroni_cluster import PatroniCluster, running_cluster

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


def switch_over(cluster: PatroniCluster) -> None:
    """Make another host the primary, and wait for the others to follow it."""
    cluster.switch_over()
    cluster.wait_until_complete()
