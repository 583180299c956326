-- Extended statistics.
SELECT 'statistics', format('%%I.%%I', n.nspname, s.stxname), concat_ws(E'\n',
    pg_get_statisticsobjdef(s.oid),
    CASE WHEN s.stxstattarget >= 0 THEN 'statistics ' || s.stxstattarget END,
    'comment ' || quote_literal(obj_description(s.oid, 'pg_statistic_ext'))
)
FROM pg_statistic_ext s
JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
  AND s.oid = ANY (%(oids)s::oid[])  -- narrow
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = s.stxrelid AND d.deptype = 'e')
