-- Privileges on schemas, functions, types and future objects: a row for each object and grantee, without the owner's.
-- PUBLIC has privileges on functions and types by default (manual, 5.8), so that their revocation is a row too.
SELECT 'privileges', g.object || ' to ' || CASE WHEN x.grantee = 0 THEN 'PUBLIC' ELSE x.grantee::regrole::text END,
    string_agg(DISTINCT x.privilege_type || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END, ', ')
FROM (
    SELECT 'schema ' || quote_ident(n.nspname) AS object, n.nspowner AS owner,
        coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
    FROM pg_namespace n WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
      AND n.oid = ANY (%(oids)s::oid[])  -- narrow
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
    UNION ALL
    SELECT format('function %%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner,
        coalesce(p.proacl, acldefault('f', p.proowner))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
      AND p.oid = ANY (%(oids)s::oid[])  -- narrow
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
    UNION ALL
    SELECT format('type %%I.%%I', n.nspname, t.typname), t.typowner, coalesce(t.typacl, acldefault('T', t.typowner))
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
      AND t.oid = ANY (%(oids)s::oid[])  -- narrow
      AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'future ' || CASE d.defaclobjtype
            WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' ELSE 'schemas' END
        || ' of ' || d.defaclrole::regrole::text
        || CASE WHEN d.defaclnamespace <> 0 THEN ' in schema ' || d.defaclnamespace::regnamespace::text ELSE '' END,
        d.defaclrole, d.defaclacl
    FROM pg_default_acl d
    WHERE d.oid = ANY (%(oids)s::oid[])  -- narrow
) AS g
CROSS JOIN LATERAL aclexplode(g.acl) x
WHERE x.grantee <> g.owner
GROUP BY g.object, x.grantee
UNION ALL
SELECT 'privileges', 'future ' || CASE d.defaclobjtype WHEN 'f' THEN 'functions' ELSE 'types' END
    || ' of ' || d.defaclrole::regrole::text || ' to PUBLIC', 'none'
FROM pg_default_acl d
WHERE d.defaclnamespace = 0 AND d.defaclobjtype IN ('f', 'T')
  AND d.oid = ANY (%(oids)s::oid[])  -- narrow
  AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) x WHERE x.grantee = 0)
