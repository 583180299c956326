-- The relations that are read: not PostgreSQL's own, not a hidden schema's, not an extension's; all of them or those named.
WITH relation AS (
    SELECT c.*, format('%%I.%%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\_%%'
      AND n.nspname <> ALL (%(hidden)s::text[])
      AND (%(relations)s::oid[] IS NULL OR c.oid = ANY (%(relations)s::oid[]))
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
      )
)
