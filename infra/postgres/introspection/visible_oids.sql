-- The oids among the given ones that this session sees; without `own` only those whose rows it did not write itself.
SELECT 'relation', c.oid::bigint FROM pg_catalog.pg_class c
WHERE c.oid = ANY (%(relations)s::oid[]) AND (%(own)s OR pg_catalog.age(c.xmin) > 0)
UNION ALL SELECT 'object', n.oid::bigint FROM pg_catalog.pg_namespace n
WHERE n.oid = ANY (%(objects)s::oid[]) AND (%(own)s OR pg_catalog.age(n.xmin) > 0)
UNION ALL SELECT 'object', e.oid::bigint FROM pg_catalog.pg_extension e
WHERE e.oid = ANY (%(objects)s::oid[]) AND (%(own)s OR pg_catalog.age(e.xmin) > 0)
UNION ALL SELECT 'object', t.oid::bigint FROM pg_catalog.pg_type t
WHERE t.oid = ANY (%(objects)s::oid[]) AND (%(own)s OR pg_catalog.age(t.xmin) > 0)
UNION ALL SELECT 'object', p.oid::bigint FROM pg_catalog.pg_proc p
WHERE p.oid = ANY (%(objects)s::oid[]) AND (%(own)s OR pg_catalog.age(p.xmin) > 0)
UNION ALL SELECT 'object', s.oid::bigint FROM pg_catalog.pg_statistic_ext s
WHERE s.oid = ANY (%(objects)s::oid[]) AND (%(own)s OR pg_catalog.age(s.xmin) > 0)
UNION ALL SELECT 'object', e.oid::bigint FROM pg_catalog.pg_event_trigger e
WHERE e.oid = ANY (%(objects)s::oid[]) AND (%(own)s OR pg_catalog.age(e.xmin) > 0)
UNION ALL SELECT 'object', d.oid::bigint FROM pg_catalog.pg_default_acl d
WHERE d.oid = ANY (%(objects)s::oid[]) AND (%(own)s OR pg_catalog.age(d.xmin) > 0)
