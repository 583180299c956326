-- Extensions, without plpgsql, which every database has.
SELECT 'extension', quote_ident(e.extname), 'schema ' || e.extnamespace::regnamespace::text
FROM pg_extension e
WHERE e.extname <> 'plpgsql'
  AND e.oid = ANY (%(oids)s::oid[])  -- narrow
UNION ALL
SELECT 'extension version', quote_ident(e.extname), e.extversion
FROM pg_extension e
WHERE e.extname <> 'plpgsql'
  AND e.oid = ANY (%(oids)s::oid[])  -- narrow
