-- Rewrite rules, without the one that implements a view.
SELECT 'rule', format('%%s.%%I', r.name, u.rulename), concat_ws(E'\n',
    pg_get_ruledef(u.oid),
    CASE u.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas' WHEN 'A' THEN 'enabled always' END,
    'comment ' || quote_literal(obj_description(u.oid, 'pg_rewrite'))
)
FROM relation r
JOIN pg_rewrite u ON u.ev_class = r.oid
WHERE u.rulename <> '_RETURN'
