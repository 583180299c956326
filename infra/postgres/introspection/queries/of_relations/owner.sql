-- Owners of relations; indexes and the sequences of columns have their table's owner.
SELECT 'owner', CASE r.relkind WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view ' WHEN 'm' THEN 'materialized view ' ELSE 'table ' END
    || r.name, r.relowner::regrole::text
FROM relation r
WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
  AND NOT (r.relkind = 'S' AND EXISTS (
      SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype IN ('a', 'i')
  ))
