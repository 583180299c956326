-- The relations that are read: none of PostgreSQL's own, of hidden schemas or of extensions.
-- Comments are read from pg_description: obj_description() is an SQL function, which is parsed again in each query.
-- pg_get_expr() gets a table only for expressions that name its columns: it locks the table that it gets.
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
