-- Whether a database contains nothing that a module could have created: no user object except the schema public, the
-- hidden schemas, and extensions with their members. Oids below 16384 are assigned by initdb (manual, 5.10 and 51).
WITH member AS MATERIALIZED (
    SELECT d.classid, d.objid FROM pg_catalog.pg_depend d WHERE d.deptype = 'e'
), skipped_schema AS MATERIALIZED (
    SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname LIKE 'pg\_%%' OR n.nspname = ANY (%(hidden)s::text[])
)
SELECT NOT EXISTS (
    SELECT FROM (
        SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS classid, c.oid AS objid, c.relnamespace AS schema
        FROM pg_catalog.pg_class c
        UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, t.typnamespace
        FROM pg_catalog.pg_type t WHERE t.typtype IN ('e', 'd', 'r')
        UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, p.pronamespace FROM pg_catalog.pg_proc p
        UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid, n.oid FROM pg_catalog.pg_namespace n
        UNION ALL SELECT 'pg_catalog.pg_event_trigger'::pg_catalog.regclass, e.oid, 0 FROM pg_catalog.pg_event_trigger e
    ) AS o
    WHERE o.objid >= 16384 AND o.schema NOT IN (SELECT s.oid FROM skipped_schema s)
      AND NOT EXISTS (SELECT FROM member m WHERE m.classid = o.classid AND m.objid = o.objid)
)
