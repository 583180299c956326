-- Event triggers, which belong to the database and to no schema.
SELECT 'event trigger', quote_ident(e.evtname), concat_ws(E'\n',
    'on ' || e.evtevent, 'when tag in (' || array_to_string(e.evttags, ', ') || ')', 'execute ' || e.evtfoid::regprocedure::text,
    CASE e.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replicas' WHEN 'A' THEN 'enabled always' END,
    'comment ' || quote_literal(obj_description(e.oid, 'pg_event_trigger'))
)
FROM pg_event_trigger e
WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = e.oid AND d.deptype = 'e')
  AND e.oid = ANY (%(oids)s::oid[])  -- narrow
