-- Tables, partitioned and foreign ones included: what is said of the table itself.
SELECT 'table', t.name, concat_ws(E'\n',
    CASE WHEN t.relkind = 'f' THEN 'foreign table' END,
    CASE WHEN t.relpersistence = 'u' THEN 'unlogged' END,
    'partition by ' || pg_get_partkeydef(t.oid),
    (
        SELECT string_agg(
            CASE WHEN t.relispartition THEN 'partition of ' ELSE 'inherits ' END || i.inhparent::regclass::text,
            E'\n' ORDER BY i.inhseqno
        )
        FROM pg_inherits i WHERE i.inhrelid = t.oid
    ),
    pg_get_expr(t.relpartbound, t.oid),
    CASE WHEN t.relrowsecurity THEN 'row level security enabled' END,
    CASE WHEN t.relforcerowsecurity THEN 'row level security forced' END,
    CASE t.relreplident
        WHEN 'f' THEN 'replica identity full' WHEN 'n' THEN 'replica identity nothing' WHEN 'i' THEN 'replica identity using index'
    END,
    'with (' || array_to_string(t.reloptions, ', ') || ')',
    'comment ' || quote_literal(obj_description(t.oid, 'pg_class'))
)
FROM relation t
WHERE t.relkind IN ('r', 'p', 'f')
