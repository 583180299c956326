-- Indexes; for the index of a constraint only what the constraint's definition lacks. Constraints are looked up by
-- their table, for which pg_constraint has an index.
SELECT 'index', r.name, concat_ws(E'\n',
    pg_get_indexdef(r.oid),
    CASE WHEN NOT i.indisvalid THEN 'invalid' END,
    (SELECT 'partition of ' || h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = r.oid),
    (
        SELECT string_agg(format('statistics of %%I %%s', a.attname, a.attstattarget), E'\n' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attstattarget >= 0
    ),
    'comment ' || quote_literal((
        SELECT n.description FROM pg_description n
        WHERE n.objoid = r.oid AND n.classoid = 'pg_class'::regclass AND n.objsubid = 0
    ))
)
FROM relation r
JOIN pg_index i ON i.indexrelid = r.oid
WHERE NOT EXISTS (
    SELECT FROM pg_constraint c WHERE c.conrelid = i.indrelid AND c.conindid = r.oid AND c.contype IN ('p', 'u', 'x')
)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indrelid AND d.deptype = 'e')
UNION ALL
SELECT 'constraint index', r.name, concat_ws(E'\n',
    format('of %%s.%%I', c.conrelid::regclass, c.conname),
    'with (' || array_to_string(r.reloptions, ', ') || ')',
    'comment ' || quote_literal((
        SELECT n.description FROM pg_description n
        WHERE n.objoid = r.oid AND n.classoid = 'pg_class'::regclass AND n.objsubid = 0
    ))
)
FROM relation r
JOIN pg_index i ON i.indexrelid = r.oid
JOIN pg_constraint c ON c.conrelid = i.indrelid AND c.conindid = r.oid AND c.contype IN ('p', 'u', 'x')
WHERE r.relkind IN ('i', 'I') AND (
    r.reloptions IS NOT NULL
    OR EXISTS (
        SELECT FROM pg_description n WHERE n.objoid = r.oid AND n.classoid = 'pg_class'::regclass AND n.objsubid = 0
    )
)
