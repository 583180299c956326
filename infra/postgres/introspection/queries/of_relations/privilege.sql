-- Privileges on relations and columns: a row for each object and grantee, without the owner's.
SELECT 'privileges', g.object || ' to ' || CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END,
    string_agg(DISTINCT x.privilege_type || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END, ', ')
FROM (
    SELECT CASE r.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'table ' END
        || r.name AS object, r.relowner AS owner,
        coalesce(r.relacl, acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner)) AS acl
    FROM relation r WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    UNION ALL
    SELECT format('column %%s.%%I', r.name, a.attname), r.relowner, a.attacl
    FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid WHERE a.attacl IS NOT NULL AND a.attnum > 0 AND NOT a.attisdropped
) AS g
CROSS JOIN LATERAL aclexplode(g.acl) x
WHERE x.grantee <> g.owner
GROUP BY g.object, x.grantee
