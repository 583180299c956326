-- Indexes that are not a constraint's own.
SELECT 'index', r.name, concat_ws(E'\n',
    pg_get_indexdef(r.oid),
    CASE WHEN NOT i.indisvalid THEN 'invalid' END,
    CASE WHEN i.indisclustered THEN 'clustered' END,
    CASE WHEN i.indisreplident THEN 'replica identity' END,
    'comment ' || quote_literal(obj_description(r.oid, 'pg_class'))
)
FROM relation r
JOIN pg_index i ON i.indexrelid = r.oid
WHERE NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = r.oid AND c.contype IN ('p', 'u', 'x'))
