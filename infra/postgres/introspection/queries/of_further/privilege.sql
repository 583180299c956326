-- Privileges on foreign data wrappers, servers and languages, a row for each object and grantee, without the owner's.
SELECT 'privileges', g.object || ' to ' || CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END,
    string_agg(DISTINCT x.privilege_type || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END, ', ')
FROM (
    SELECT 'pg_foreign_data_wrapper' AS catalog, w.oid, 'foreign-data wrapper ' || quote_ident(w.fdwname) AS object,
        w.fdwowner AS owner, w.fdwacl AS acl
    FROM pg_foreign_data_wrapper w
    UNION ALL
    SELECT 'pg_foreign_server', s.oid, 'server ' || quote_ident(s.srvname), s.srvowner, s.srvacl FROM pg_foreign_server s
    UNION ALL
    SELECT 'pg_language', l.oid, 'language ' || quote_ident(l.lanname), l.lanowner,
        coalesce(l.lanacl, acldefault('l', l.lanowner))
    FROM pg_language l
) AS g
CROSS JOIN LATERAL aclexplode(g.acl) x
WHERE x.grantee <> g.owner AND g.oid >= 16384
  AND g.oid = ANY (%(oids)s::oid[])  -- narrow
  AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = g.catalog::regclass AND d.objid = g.oid AND d.deptype = 'e'
  )
GROUP BY g.object, x.grantee
