-- Owners of schemas, functions, types, statistics and event triggers.
SELECT 'owner', 'schema ' || quote_ident(n.nspname), n.nspowner::regrole::text
FROM pg_namespace n
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
  AND n.oid = ANY (%(oids)s::oid[])  -- narrow
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')
UNION ALL
SELECT 'owner', format('function %%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner::regrole::text
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
  AND p.oid = ANY (%(oids)s::oid[])  -- narrow
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
UNION ALL
SELECT 'owner', format('type %%I.%%I', n.nspname, t.typname), t.typowner::regrole::text
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
  AND t.oid = ANY (%(oids)s::oid[])  -- narrow
  AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
UNION ALL
SELECT 'owner', format('statistics %%I.%%I', n.nspname, s.stxname), s.stxowner::regrole::text
FROM pg_statistic_ext s
JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
  AND s.oid = ANY (%(oids)s::oid[])  -- narrow
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = s.stxrelid AND d.deptype = 'e')
UNION ALL
SELECT 'owner', 'event trigger ' || quote_ident(e.evtname), e.evtowner::regrole::text
FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')
  AND e.oid = ANY (%(oids)s::oid[])  -- narrow
