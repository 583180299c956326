-- The queries that may return rows for these objects, by the names of their files; too many do no harm. Members of
-- extensions are left out.
WITH present AS (
    SELECT 'schema' AS kind FROM pg_catalog.pg_namespace n
    WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
      AND n.oid = ANY (%(oids)s::oid[])  -- narrow
    UNION
    SELECT 'function' FROM pg_catalog.pg_proc p
    WHERE p.oid = ANY (%(oids)s::oid[])  -- narrow
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
      )
    UNION
    SELECT 'type' FROM pg_catalog.pg_type t
    WHERE t.oid = ANY (%(oids)s::oid[])  -- narrow
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e'
      )
    UNION
    SELECT 'event_trigger' FROM pg_catalog.pg_event_trigger e
    WHERE e.oid = ANY (%(oids)s::oid[])  -- narrow
    UNION
    SELECT 'statistics' FROM pg_catalog.pg_statistic_ext s
    WHERE s.oid = ANY (%(oids)s::oid[])  -- narrow
    UNION
    SELECT 'extension' FROM pg_catalog.pg_extension e
    WHERE e.oid = ANY (%(oids)s::oid[])  -- narrow
    UNION
    SELECT 'privilege' FROM pg_catalog.pg_default_acl d
    WHERE d.oid = ANY (%(oids)s::oid[])  -- narrow
)
SELECT 'query', k.kind, '' FROM (
    SELECT kind FROM present
    UNION
    SELECT 'owner' FROM present WHERE kind NOT IN ('extension', 'privilege')
    UNION
    SELECT 'privilege' FROM present WHERE kind IN ('schema', 'function', 'type')
) AS k
