-- Whether a database contains nothing that a module could have created: no user object except the schema public, the
-- hidden schemas, and extensions with their members. Oids below 16384 are assigned by initdb (manual, 5.10 and 51).
-- What is in a schema depends on it, or on what is in one (manual, 51.18): far fewer catalogs to open in a new session.
WITH schema AS MATERIALIZED (
    SELECT n.oid FROM pg_catalog.pg_namespace n
    WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
)
SELECT NOT EXISTS (
    SELECT FROM (
        SELECT d.classid, d.objid
        FROM pg_catalog.pg_depend d
        WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
          AND d.refobjid = ANY (ARRAY(SELECT s.oid FROM schema s))
          AND d.classid NOT IN (
              'pg_catalog.pg_extension'::pg_catalog.regclass, 'pg_catalog.pg_default_acl'::pg_catalog.regclass
          )
        UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, s.oid FROM schema s
        UNION ALL SELECT 'pg_catalog.pg_event_trigger'::pg_catalog.regclass, e.oid FROM pg_catalog.pg_event_trigger e
        UNION ALL SELECT 'pg_catalog.pg_cast'::pg_catalog.regclass, c.oid FROM pg_catalog.pg_cast c
        UNION ALL SELECT 'pg_catalog.pg_language'::pg_catalog.regclass, l.oid FROM pg_catalog.pg_language l
        UNION ALL SELECT 'pg_catalog.pg_transform'::pg_catalog.regclass, t.oid FROM pg_catalog.pg_transform t
        UNION ALL SELECT 'pg_catalog.pg_am'::pg_catalog.regclass, m.oid FROM pg_catalog.pg_am m
        UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, w.oid
        FROM pg_catalog.pg_foreign_data_wrapper w
        UNION ALL SELECT 'pg_catalog.pg_publication'::pg_catalog.regclass, p.oid FROM pg_catalog.pg_publication p
        UNION ALL SELECT 'pg_catalog.pg_subscription'::pg_catalog.regclass, s.oid
        FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
        WHERE d.datname = pg_catalog.current_database()
    ) AS o (classid, objid)
    WHERE o.objid >= 16384 AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend m WHERE m.classid = o.classid AND m.objid = o.objid AND m.deptype = 'e'
    )
)
