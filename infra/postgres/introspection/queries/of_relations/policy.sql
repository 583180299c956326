-- Row level security policies.
SELECT 'policy', format('%%s.%%I', r.name, p.polname), concat_ws(E'\n',
    CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
    'for ' || CASE p.polcmd
        WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' WHEN 'd' THEN 'delete' ELSE 'all' END,
    'to ' || (
        SELECT string_agg(CASE WHEN m = 0 THEN 'public' ELSE m::regrole::text END, ', ' ORDER BY m::regrole::text COLLATE "C")
        FROM unnest(p.polroles) m
    ),
    'using (' || pg_get_expr(p.polqual, p.polrelid) || ')',
    'with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')',
    'comment ' || quote_literal(obj_description(p.oid, 'pg_policy'))
)
FROM relation r
JOIN pg_policy p ON p.polrelid = r.oid
