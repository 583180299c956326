-- Schemas.
SELECT 'schema', quote_ident(n.nspname), coalesce('comment ' || quote_literal(obj_description(n.oid, 'pg_namespace')), '')
FROM pg_namespace n
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
  AND n.oid = ANY (%(oids)s::oid[])  -- narrow
  AND NOT EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e'
  )
