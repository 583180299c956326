-- What the current transaction touched, by oid; a little more than that does no harm, anything less would.
-- Whatever changes a relation's definition locks it until the end of the transaction, dropped ones included (manual,
-- 13.3.1); GRANT does not, but writes the relation's row. Other objects are found by their rows, which are this
-- transaction's own or younger (subtransactions have higher numbers), and by the locks that changing or dropping takes.
-- COMMENT on a part of a relation locks that part alone. CREATE INDEX locks its table in share mode, which nothing takes
-- that changes a table's definition. The two largest catalogs are searched only where the server counted that this
-- transaction wrote there (manual, 27.2.20); a server that counts nothing has them searched always.
WITH l AS MATERIALIZED (
    SELECT locktype, relation, classid, objid, mode FROM pg_catalog.pg_locks WHERE pid = pg_catalog.pg_backend_pid()
), w AS MATERIALIZED (
    SELECT
        current_setting('track_counts') = 'off'
        OR pg_catalog.pg_stat_get_xact_tuples_updated('pg_catalog.pg_attribute'::pg_catalog.regclass) > 0 AS attribute,
        current_setting('track_counts') = 'off'
        OR pg_catalog.pg_stat_get_xact_tuples_inserted('pg_catalog.pg_proc'::pg_catalog.regclass) > 0
        OR pg_catalog.pg_stat_get_xact_tuples_updated('pg_catalog.pg_proc'::pg_catalog.regclass) > 0 AS proc
)
SELECT 'relation', l.relation::bigint
FROM l
WHERE l.locktype = 'relation' AND l.relation >= 16384
  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareLock')
UNION
SELECT 'relation', CASE l.classid
        WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass
            THEN (SELECT c.conrelid FROM pg_catalog.pg_constraint c WHERE c.oid = l.objid)
        WHEN 'pg_catalog.pg_trigger'::pg_catalog.regclass
            THEN (SELECT t.tgrelid FROM pg_catalog.pg_trigger t WHERE t.oid = l.objid)
        WHEN 'pg_catalog.pg_policy'::pg_catalog.regclass
            THEN (SELECT p.polrelid FROM pg_catalog.pg_policy p WHERE p.oid = l.objid)
        WHEN 'pg_catalog.pg_rewrite'::pg_catalog.regclass
            THEN (SELECT r.ev_class FROM pg_catalog.pg_rewrite r WHERE r.oid = l.objid)
    END::bigint
FROM l
WHERE l.locktype = 'object' AND l.mode <> 'AccessShareLock' AND l.classid IN (
    'pg_catalog.pg_constraint'::pg_catalog.regclass, 'pg_catalog.pg_trigger'::pg_catalog.regclass,
    'pg_catalog.pg_policy'::pg_catalog.regclass, 'pg_catalog.pg_rewrite'::pg_catalog.regclass
)
UNION
SELECT 'relation', c.oid::bigint FROM pg_catalog.pg_class c WHERE age(c.xmin) <= 0
UNION
SELECT 'relation', a.attrelid::bigint
FROM pg_catalog.pg_attribute a
WHERE (SELECT w.attribute FROM w) AND age(a.xmin) <= 0
UNION
SELECT CASE l.classid WHEN 'pg_catalog.pg_constraint'::pg_catalog.regclass THEN 'constraint' ELSE 'object' END, l.objid::bigint
FROM l
WHERE l.locktype = 'object' AND l.mode <> 'AccessShareLock' AND l.objid >= 16384
UNION
SELECT 'object', n.oid::bigint FROM pg_catalog.pg_namespace n WHERE age(n.xmin) <= 0
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
SELECT 'object', c.contypid::bigint FROM pg_catalog.pg_constraint c WHERE c.contypid > 0 AND age(c.xmin) <= 0
UNION
SELECT 'object', e.enumtypid::bigint FROM pg_catalog.pg_enum e WHERE age(e.xmin) <= 0
UNION
SELECT 'object', p.oid::bigint
FROM pg_catalog.pg_proc p
WHERE (SELECT w.proc FROM w) AND age(p.xmin) <= 0
UNION
SELECT 'object', s.oid::bigint FROM pg_catalog.pg_statistic_ext s WHERE age(s.xmin) <= 0
UNION
SELECT 'object', e.oid::bigint FROM pg_catalog.pg_event_trigger e WHERE age(e.xmin) <= 0
UNION
SELECT 'object', d.oid::bigint FROM pg_catalog.pg_default_acl d WHERE age(d.xmin) <= 0
