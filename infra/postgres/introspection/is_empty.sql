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
        FROM pg_catalog.pg_type t WHERE t.typtype IN ('e', 'd', 'r', 'b', 'p') AND t.typcategory <> 'A'
        UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, p.pronamespace FROM pg_catalog.pg_proc p
        UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, n.oid, n.oid FROM pg_catalog.pg_namespace n
        UNION ALL SELECT 'pg_catalog.pg_event_trigger'::pg_catalog.regclass, e.oid, 0 FROM pg_catalog.pg_event_trigger e
        UNION ALL SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, c.oid, c.collnamespace
        FROM pg_catalog.pg_collation c
        UNION ALL SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, c.oid, c.connamespace
        FROM pg_catalog.pg_conversion c
        UNION ALL SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, o.oid, o.oprnamespace FROM pg_catalog.pg_operator o
        UNION ALL SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, f.oid, f.opfnamespace FROM pg_catalog.pg_opfamily f
        UNION ALL SELECT 'pg_catalog.pg_ts_parser'::pg_catalog.regclass, p.oid, p.prsnamespace
        FROM pg_catalog.pg_ts_parser p
        UNION ALL SELECT 'pg_catalog.pg_ts_template'::pg_catalog.regclass, t.oid, t.tmplnamespace
        FROM pg_catalog.pg_ts_template t
        UNION ALL SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, d.oid, d.dictnamespace FROM pg_catalog.pg_ts_dict d
        UNION ALL SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, c.oid, c.cfgnamespace
        FROM pg_catalog.pg_ts_config c
        UNION ALL SELECT 'pg_catalog.pg_cast'::pg_catalog.regclass, c.oid, 0 FROM pg_catalog.pg_cast c
        UNION ALL SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, l.oid, 0 FROM pg_catalog.pg_language l
        UNION ALL SELECT 'pg_catalog.pg_transform'::pg_catalog.regclass, t.oid, 0 FROM pg_catalog.pg_transform t
        UNION ALL SELECT 'pg_catalog.pg_am'::pg_catalog.regclass, m.oid, 0 FROM pg_catalog.pg_am m
        UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, w.oid, 0
        FROM pg_catalog.pg_foreign_data_wrapper w
        UNION ALL SELECT 'pg_catalog.pg_publication'::pg_catalog.regclass, p.oid, 0 FROM pg_catalog.pg_publication p
        UNION ALL SELECT 'pg_catalog.pg_subscription'::pg_catalog.regclass, s.oid, 0
        FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
        WHERE d.datname = pg_catalog.current_database()
    ) AS o
    WHERE o.objid >= 16384 AND o.schema NOT IN (SELECT s.oid FROM skipped_schema s)
      AND NOT EXISTS (SELECT FROM member m WHERE m.classid = o.classid AND m.objid = o.objid)
)
