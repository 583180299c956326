-- Indexes that are not a constraint's own.
SELECT 'index', r.name, concat_ws(E'\n',
    pg_get_indexdef(r.oid),
    CASE WHEN NOT i.indisvalid THEN 'invalid' END,
    (SELECT 'partition of ' || h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = r.oid),
    'comment ' || quote_literal(obj_description(r.oid, 'pg_class'))
)
FROM relation r
JOIN pg_index i ON i.indexrelid = r.oid
WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = r.oid AND c.contype IN ('p', 'u', 'x'))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indrelid AND d.deptype = 'e')
