-- Triggers, without the internal ones that implement foreign keys.
SELECT 'trigger', format('%%s.%%I', r.name, t.tgname), concat_ws(E'\n',
    pg_get_triggerdef(t.oid),
    CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas' WHEN 'A' THEN 'enabled always' END,
    'comment ' || quote_literal(obj_description(t.oid, 'pg_trigger'))
)
FROM relation r
JOIN pg_trigger t ON t.tgrelid = r.oid
WHERE NOT t.tgisinternal
