-- Tables, including partitioned and foreign ones: the attributes of the table itself.
SELECT 'table', t.name, concat_ws(E'\n',
    (
        SELECT concat_ws(E'\n',
            'foreign table of server ' || quote_ident(s.srvname), 'options (' || array_to_string(f.ftoptions, ', ') || ')'
        )
        FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = t.oid
    ),
    CASE WHEN t.relpersistence = 'u' THEN 'unlogged' END,
    'using ' || (SELECT quote_ident(m.amname) FROM pg_am m WHERE m.oid = t.relam AND m.amname <> 'heap'),
    'of ' || nullif(t.reloftype, 0)::regtype::text,
    'partition by ' || pg_get_partkeydef(t.oid),
    (
        SELECT string_agg(
            CASE WHEN t.relispartition THEN 'partition of ' ELSE 'inherits ' END || i.inhparent::regclass::text,
            E'\n' ORDER BY i.inhseqno
        )
        FROM pg_inherits i WHERE i.inhrelid = t.oid
    ),
    pg_get_expr(t.relpartbound, 0),
    CASE WHEN t.relrowsecurity THEN 'row level security enabled' END,
    CASE WHEN t.relforcerowsecurity THEN 'row level security forced' END,
    CASE t.relreplident
        WHEN 'f' THEN 'replica identity full' WHEN 'n' THEN 'replica identity nothing' WHEN 'i' THEN concat(
            'replica identity using index ',
            (SELECT i.indexrelid::regclass FROM pg_index i WHERE i.indrelid = t.oid AND i.indisreplident)
        )
    END,
    (SELECT 'cluster on ' || i.indexrelid::regclass::text FROM pg_index i WHERE i.indrelid = t.oid AND i.indisclustered),
    'with (' || array_to_string(t.reloptions, ', ') || ')',
    (SELECT 'toast with (' || array_to_string(x.reloptions, ', ') || ')' FROM pg_class x WHERE x.oid = t.reltoastrelid),
    'comment ' || quote_literal((
        SELECT n.description FROM pg_description n
        WHERE n.objoid = t.oid AND n.classoid = 'pg_class'::regclass AND n.objsubid = 0
    ))
)
FROM relation t
WHERE t.relkind IN ('r', 'p', 'f')
