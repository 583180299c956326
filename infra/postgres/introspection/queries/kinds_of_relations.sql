-- The further queries that may return rows for these relations, by the names of their files; too many do no harm.
SELECT 'query', k.kind, ''
FROM (
    SELECT unnest(ARRAY[
        CASE WHEN bool_or(r.relkind IN ('v', 'm')) THEN 'view' END,
        CASE WHEN bool_or(r.relhasrules AND EXISTS (
            SELECT FROM pg_catalog.pg_rewrite u WHERE u.ev_class = r.oid AND u.rulename <> '_RETURN'
        )) THEN 'rule' END,
        CASE WHEN bool_or(r.relhastriggers AND EXISTS (
            SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = r.oid AND NOT t.tgisinternal
        )) THEN 'trigger' END,
        CASE WHEN bool_or(EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = r.oid)) THEN 'policy' END,
        CASE WHEN bool_or(r.relacl IS NOT NULL OR EXISTS (
            SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = r.oid AND a.attacl IS NOT NULL
        )) THEN 'privilege' END
    ]) AS kind
    FROM relation r
) AS k
WHERE k.kind IS NOT NULL
