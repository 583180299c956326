"""The queries of cluster_catalog.py: each row is a fact, and the names of the databases and roles that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import LiteralString


class ClusterQuery(NamedTuple):
    """A query, what its rows are about, and the first version of PostgreSQL that has the catalog."""

    subject: str
    text: LiteralString
    since: int = 0


def _in_order(array: LiteralString) -> LiteralString:
    """Return SQL for an array's items sorted: in the catalog their order is that in which they were granted or set."""
    return f'(SELECT jsonb_agg(item::text ORDER BY item::text COLLATE "C") FROM unnest({array}) item)'


CLUSTER_QUERIES = (
    ClusterQuery(
        "role",
        """
        SELECT to_jsonb(r)::text, ARRAY[rolname::text] FROM (
            SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication,
                rolbypassrls, rolconnlimit, rolvaliduntil FROM pg_roles
        ) r
        """,
    ),
    ClusterQuery(
        "membership",
        """
        SELECT to_jsonb(m)::text, ARRAY[m.role, m.member] FROM (
            SELECT pg_get_userbyid(roleid)::text AS role, pg_get_userbyid(member)::text AS member,
                pg_get_userbyid(grantor)::text AS grantor, to_jsonb(a) - ARRAY['oid', 'roleid', 'member', 'grantor']
                    AS options
            FROM pg_auth_members a
        ) m
        """,
    ),
    ClusterQuery(
        "setting",
        f"""
        SELECT to_jsonb(s)::text, array_remove(ARRAY[s.role, s.database], NULL) FROM (
            SELECT CASE WHEN setrole <> 0 THEN pg_get_userbyid(setrole)::text END AS role,
                (SELECT datname::text FROM pg_database d WHERE d.oid = setdatabase) AS database,
                {_in_order("setconfig")} AS setconfig
            FROM pg_db_role_setting
        ) s
        """,
    ),
    ClusterQuery(
        "database",
        f"""
        SELECT (
                to_jsonb(d) - ARRAY['oid', 'datdba', 'dattablespace', 'datfrozenxid', 'datminmxid', 'datlastsysoid']
                || jsonb_build_object(
                    'owner', pg_get_userbyid(datdba), 'tablespace', spcname,
                    'datacl', {_in_order("coalesce(datacl, acldefault('d', datdba))")}
                )
            )::text, ARRAY[datname::text]
        FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace
        """,
    ),
    ClusterQuery(
        "tablespace",
        f"""
        SELECT (
                to_jsonb(t) - ARRAY['oid', 'spcowner']
                || jsonb_build_object('owner', pg_get_userbyid(spcowner), 'spcacl', {_in_order("spcacl")})
            )::text,
            ARRAY[pg_get_userbyid(spcowner)::text]
        FROM pg_tablespace t
        """,
    ),
    ClusterQuery(
        "comment",
        """
        SELECT to_jsonb(c)::text, ARRAY[c.name] FROM (
            SELECT 'database' AS kind, datname::text AS name, description
            FROM pg_shdescription JOIN pg_database d ON classoid = 'pg_database'::regclass AND objoid = d.oid
            UNION ALL
            SELECT 'role', rolname::text, description
            FROM pg_shdescription JOIN pg_roles r ON classoid = 'pg_authid'::regclass AND objoid = r.oid
            UNION ALL
            SELECT 'tablespace', spcname::text, description
            FROM pg_shdescription JOIN pg_tablespace t ON classoid = 'pg_tablespace'::regclass AND objoid = t.oid
        ) c
        """,
    ),
    ClusterQuery(
        "security label",
        """
        SELECT to_jsonb(s)::text, ARRAY[coalesce(d.datname, r.rolname)::text] FROM (
            SELECT objoid, provider, label FROM pg_shseclabel
        ) s LEFT JOIN pg_database d ON d.oid = objoid LEFT JOIN pg_roles r ON r.oid = objoid
        """,
    ),
    ClusterQuery(
        "objects in a database",  # what is outside of one has facts of its own
        """
        SELECT to_jsonb(d)::text, ARRAY[d.role, d.database] FROM (
            SELECT datname::text AS database, pg_get_userbyid(refobjid)::text AS role, classid::regclass::text AS kind,
                deptype, count(*)
            FROM pg_shdepend JOIN pg_database d ON d.oid = dbid
            WHERE refclassid = 'pg_authid'::regclass
            GROUP BY 1, 2, 3, 4
        ) d
        """,
    ),
    ClusterQuery(
        "replication slot",
        """
        SELECT to_jsonb(s)::text, array_remove(ARRAY[s.database], NULL) FROM (
            SELECT slot_name::text, plugin::text, slot_type, database::text, temporary
            FROM pg_replication_slots WHERE NOT temporary
        ) s
        """,
    ),
    ClusterQuery("replication origin", "SELECT roname, ARRAY[]::text[] FROM pg_replication_origin"),
    ClusterQuery(
        "privilege on a parameter",
        f"""
        SELECT (to_jsonb(p) - 'paracl')::text, ARRAY(
            SELECT pg_get_userbyid(a.grantee)::text FROM aclexplode(paracl) a WHERE a.grantee <> 0
        ) FROM (SELECT parname, paracl, {_in_order("paracl")} AS privileges FROM pg_parameter_acl) p
        """,
        since=150_000,
    ),
)
