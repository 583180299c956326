-- The relations that are read: not PostgreSQL's own, not a hidden schema's, not an extension's.
-- Comments are read from pg_description: obj_description() is a function in SQL, which each query parses anew.
-- pg_get_expr() is given a table only where an expression names its columns: it locks the table that it is given.
WITH relation AS (
    SELECT c.*, format('%%I.%%I', n.nspname, c.relname) AS name
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname NOT LIKE 'pg\_%%'
      AND n.nspname <> ALL (%(hidden)s::text[])
      AND c.oid = ANY (%(oids)s::oid[])  -- narrow
      AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend d
          WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e'
      )
)
