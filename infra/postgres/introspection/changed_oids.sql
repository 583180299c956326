-- The oids of what the current transaction changed; a few more do no harm, but none may be missing.
-- Whatever changes the definition of a relation locks it until the end of the transaction, also one that is dropped
-- (manual, 13.3.1); GRANT does not, but writes the relation's row. Other objects are found by their rows, whose xmin is
-- this transaction's id or, in subtransactions, a later one, and by the locks of statements that change or drop them.
-- COMMENT on a part of a relation locks only that part. CREATE INDEX locks its table in SHARE mode, which no statement
-- takes that changes the table's definition. The two largest catalogs are searched only if the server's counters say
-- that this transaction wrote to them (manual, 27.2.20), or if track_counts is off and there are no counters. In the same
-- way `further` says that further_oids.sql has to be run, which searches the catalogs of kinds that few modules create,
-- and `settings` that what the database sets, or its own row, was written. Left out are tables for long values, and the
-- ledger, which the first module's transaction creates.
WITH hidden AS MATERIALIZED (
    SELECT n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('pg_toast', 'sqlmodule')
), held AS MATERIALIZED (
    SELECT locktype, relation, classid, objid, mode
    FROM pg_catalog.pg_locks l
    WHERE l.pid = pg_catalog.pg_backend_pid() AND (
        l.classid IS DISTINCT FROM 'pg_catalog.pg_namespace'::pg_catalog.regclass
        OR l.objid NOT IN (SELECT hidden.oid FROM hidden)
    )
), written AS MATERIALIZED (
    SELECT
        current_setting('track_counts') = 'off'
        OR pg_catalog.pg_stat_get_xact_tuples_updated('pg_catalog.pg_attribute'::pg_catalog.regclass) > 0 AS attribute,
        current_setting('track_counts') = 'off'
        OR pg_catalog.pg_stat_get_xact_tuples_inserted('pg_catalog.pg_proc'::pg_catalog.regclass) > 0
        OR pg_catalog.pg_stat_get_xact_tuples_updated('pg_catalog.pg_proc'::pg_catalog.regclass) > 0 AS proc,
        current_setting('track_counts') = 'off' OR EXISTS (
            SELECT
            FROM unnest(ARRAY[
                'pg_collation', 'pg_conversion', 'pg_operator', 'pg_opfamily', 'pg_opclass', 'pg_amop', 'pg_amproc',
                'pg_ts_parser', 'pg_ts_template', 'pg_ts_dict', 'pg_ts_config', 'pg_cast', 'pg_language', 'pg_transform',
                'pg_am', 'pg_foreign_data_wrapper', 'pg_foreign_server', 'pg_user_mapping', 'pg_publication',
                'pg_publication_rel', 'pg_publication_namespace', 'pg_subscription', 'pg_largeobject',
                'pg_largeobject_metadata', 'pg_seclabel'
            ]) AS c (name)
            CROSS JOIN LATERAL (SELECT ('pg_catalog.' || c.name)::pg_catalog.regclass) AS r (oid)
            WHERE pg_catalog.pg_stat_get_xact_tuples_inserted(r.oid) > 0
                OR pg_catalog.pg_stat_get_xact_tuples_updated(r.oid) > 0
                OR pg_catalog.pg_stat_get_xact_tuples_deleted(r.oid) > 0
                OR r.oid IN (SELECT h.classid FROM held h WHERE h.locktype = 'object' AND h.mode <> 'AccessShareLock')
        ) OR EXISTS (
            SELECT FROM held h
            WHERE h.locktype = 'object' AND h.mode <> 'AccessShareLock'
              AND h.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
        ) AS further
)
SELECT changed.kind, changed.oid
FROM (
    SELECT 'relation', held.relation::bigint
    FROM held
    WHERE held.locktype = 'relation' AND held.relation >= 16384
      AND held.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareLock')
    UNION
    SELECT 'relation', CASE held.classid
            WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass
                THEN (SELECT c.conrelid FROM pg_catalog.pg_constraint c WHERE c.oid = held.objid)
            WHEN 'pg_catalog.pg_trigger'::pg_catalog.regclass
                THEN (SELECT t.tgrelid FROM pg_catalog.pg_trigger t WHERE t.oid = held.objid)
            WHEN 'pg_catalog.pg_policy'::pg_catalog.regclass
                THEN (SELECT p.polrelid FROM pg_catalog.pg_policy p WHERE p.oid = held.objid)
            WHEN 'pg_catalog.pg_rewrite'::pg_catalog.regclass
                THEN (SELECT r.ev_class FROM pg_catalog.pg_rewrite r WHERE r.oid = held.objid)
        END::bigint
    FROM held
    WHERE held.locktype = 'object' AND held.mode <> 'AccessShareLock' AND held.classid IN (
        'pg_catalog.pg_constraint'::pg_catalog.regclass, 'pg_catalog.pg_trigger'::pg_catalog.regclass,
        'pg_catalog.pg_policy'::pg_catalog.regclass, 'pg_catalog.pg_rewrite'::pg_catalog.regclass
    )
    UNION
    SELECT 'relation', c.oid::bigint FROM pg_catalog.pg_class c WHERE age(c.xmin) <= 0
    UNION
    SELECT 'relation', a.attrelid::bigint
    FROM pg_catalog.pg_attribute a
    WHERE (SELECT written.attribute FROM written) AND age(a.xmin) <= 0
    UNION
    SELECT CASE held.classid WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass THEN 'constraint' ELSE 'object' END,
        held.objid::bigint
    FROM held
    WHERE held.locktype = 'object' AND held.mode <> 'AccessShareLock' AND held.objid >= 16384
    UNION
    SELECT 'object', n.oid::bigint FROM pg_catalog.pg_namespace n
    WHERE age(n.xmin) <= 0 AND n.oid NOT IN (SELECT hidden.oid FROM hidden)
    UNION
    SELECT 'object', e.oid::bigint FROM pg_catalog.pg_extension e WHERE age(e.xmin) <= 0
    UNION
    SELECT 'object', t.oid::bigint
    FROM pg_catalog.pg_type t
    WHERE age(t.xmin) <= 0 AND (
        t.typtype IN ('d', 'e', 'r')
        OR t.typtype = 'c' AND (SELECT c.relkind FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid) = 'c'
    )
    UNION
    SELECT 'further', t.oid::bigint
    FROM pg_catalog.pg_type t
    WHERE age(t.xmin) <= 0 AND t.typtype IN ('b', 'p') AND t.typcategory <> 'A'
    UNION
    SELECT 'further', 1 FROM written WHERE written.further
    UNION
    SELECT 'object', c.contypid::bigint FROM pg_catalog.pg_constraint c WHERE c.contypid > 0 AND age(c.xmin) <= 0
    UNION
    SELECT 'object', e.enumtypid::bigint FROM pg_catalog.pg_enum e WHERE age(e.xmin) <= 0
    UNION
    SELECT 'object', p.oid::bigint
    FROM pg_catalog.pg_proc p
    WHERE (SELECT written.proc FROM written) AND age(p.xmin) <= 0
    UNION
    SELECT 'object', s.oid::bigint FROM pg_catalog.pg_statistic_ext s WHERE age(s.xmin) <= 0
    UNION
    SELECT 'object', e.oid::bigint FROM pg_catalog.pg_event_trigger e WHERE age(e.xmin) <= 0
    UNION
    SELECT 'object', d.oid::bigint FROM pg_catalog.pg_default_acl d WHERE age(d.xmin) <= 0
    UNION
    SELECT 'settings', 1
    WHERE current_setting('track_counts') = 'off'
        OR pg_catalog.pg_stat_get_xact_tuples_inserted('pg_catalog.pg_db_role_setting'::pg_catalog.regclass) > 0
        OR pg_catalog.pg_stat_get_xact_tuples_updated('pg_catalog.pg_db_role_setting'::pg_catalog.regclass) > 0
        OR pg_catalog.pg_stat_get_xact_tuples_deleted('pg_catalog.pg_db_role_setting'::pg_catalog.regclass) > 0
        OR EXISTS (
            SELECT FROM pg_catalog.pg_database d
            WHERE d.datname = pg_catalog.current_database() AND age(d.xmin) <= 0
        )
) AS changed (kind, oid)
LEFT JOIN pg_catalog.pg_class c ON changed.kind = 'relation' AND c.oid = changed.oid
WHERE coalesce(c.relnamespace, 0) NOT IN (SELECT hidden.oid FROM hidden)
