"""What a server has outside its databases, and what its databases are: a line for each fact, with names and no oids."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.postgres.introspection.cluster_queries import CLUSTER_QUERIES

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[object, ...]]


class ClusterFact(NamedTuple):
    """One fact, and the databases and roles that it is about."""

    text: str
    names: frozenset[str]


def cluster_facts(connection: Connection) -> frozenset[ClusterFact]:
    """Return the facts of a server: roles, memberships, settings, databases, privileges, comments, tablespaces, slots.

    Passwords are not among them: only superusers see even their verifiers. Two servers with equal facts have equal
    shared catalogs, but for oids (PostgreSQL manual, 53, "system-wide" catalogs).
    """
    version = connection.info.server_version
    found: set[ClusterFact] = set()
    for query in CLUSTER_QUERIES:
        if version >= query.since:
            for text, names in connection.execute(query.text).fetchall():
                found.add(ClusterFact(f"{query.subject} {text}", frozenset(map(str, names))))  # type: ignore[call-overload]
    return frozenset(found)
