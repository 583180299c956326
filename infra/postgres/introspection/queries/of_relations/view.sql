-- Views and materialized views.
SELECT CASE r.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, r.name, concat_ws(E'\n',
    pg_get_viewdef(r.oid),
    'using ' || (SELECT quote_ident(m.amname) FROM pg_am m WHERE m.oid = r.relam AND m.amname <> 'heap'),
    'with (' || array_to_string(r.reloptions, ', ') || ')',
    (SELECT 'cluster on ' || i.indexrelid::regclass::text FROM pg_index i WHERE i.indrelid = r.oid AND i.indisclustered),
    'comment ' || quote_literal(obj_description(r.oid, 'pg_class')),
    (
        SELECT string_agg(format('default of %%I %%s', a.attname, pg_get_expr(d.adbin, 0)), E'\n' ORDER BY a.attnum)
        FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = r.oid
    ),
    (
        SELECT string_agg(format('statistics of %%I %%s', a.attname, a.attstattarget), E'\n' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum > 0 AND a.attstattarget >= 0
    ),
    (
        SELECT string_agg(format('comment on %%I %%L', a.attname, col_description(r.oid, a.attnum)), E'\n' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = r.oid AND a.attnum > 0 AND col_description(r.oid, a.attnum) IS NOT NULL
    )
)
FROM relation r
WHERE r.relkind IN ('v', 'm')
