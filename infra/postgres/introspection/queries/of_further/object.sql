-- Objects of all further kinds, with PostgreSQL's own names for the kinds and no definition but their comment.
-- The parts of an operator class belong to it, and those of an extension's operator family are taken for the
-- extension's. User mappings are read from a view that any role may read. Transforms are named as from PostgreSQL 16 on.
SELECT i.type, replace(i.identity, ' on language ', ' language '), coalesce('comment ' || quote_literal(obj_description(o.oid, o.catalog)), '')
FROM (
    SELECT 'pg_type' AS catalog, t.oid, t.typnamespace AS schema
    FROM pg_type t WHERE t.typtype IN ('b', 'p') AND t.typcategory <> 'A'
    UNION ALL SELECT 'pg_collation', c.oid, c.collnamespace FROM pg_collation c
    UNION ALL SELECT 'pg_conversion', c.oid, c.connamespace FROM pg_conversion c
    UNION ALL SELECT 'pg_operator', p.oid, p.oprnamespace FROM pg_operator p
    UNION ALL SELECT 'pg_opfamily', f.oid, f.opfnamespace FROM pg_opfamily f
    UNION ALL SELECT 'pg_opclass', c.oid, c.opcnamespace FROM pg_opclass c
    UNION ALL SELECT 'pg_ts_parser', p.oid, p.prsnamespace FROM pg_ts_parser p
    UNION ALL SELECT 'pg_ts_template', t.oid, t.tmplnamespace FROM pg_ts_template t
    UNION ALL SELECT 'pg_ts_dict', d.oid, d.dictnamespace FROM pg_ts_dict d
    UNION ALL SELECT 'pg_ts_config', c.oid, c.cfgnamespace FROM pg_ts_config c
    UNION ALL SELECT 'pg_amop', p.oid, 0 FROM pg_amop p WHERE NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_opfamily'::regclass AND d.objid = p.amopfamily AND d.deptype = 'e'
    )
    UNION ALL SELECT 'pg_amproc', p.oid, 0 FROM pg_amproc p WHERE NOT EXISTS (
        SELECT FROM pg_depend d
        WHERE d.classid = 'pg_opfamily'::regclass AND d.objid = p.amprocfamily AND d.deptype = 'e'
    )
    UNION ALL SELECT 'pg_cast', c.oid, 0 FROM pg_cast c
    UNION ALL SELECT 'pg_language', l.oid, 0 FROM pg_language l
    UNION ALL SELECT 'pg_transform', t.oid, 0 FROM pg_transform t
    UNION ALL SELECT 'pg_am', m.oid, 0 FROM pg_am m
    UNION ALL SELECT 'pg_foreign_data_wrapper', w.oid, 0 FROM pg_foreign_data_wrapper w
    UNION ALL SELECT 'pg_foreign_server', s.oid, 0 FROM pg_foreign_server s
    UNION ALL SELECT 'pg_user_mapping', m.umid, 0 FROM pg_user_mappings m
    UNION ALL SELECT 'pg_publication', p.oid, 0 FROM pg_publication p
    UNION ALL SELECT 'pg_publication_rel', r.oid, 0 FROM pg_publication_rel r
    UNION ALL SELECT 'pg_publication_namespace', n.oid, 0 FROM pg_publication_namespace n
    UNION ALL SELECT 'pg_subscription', s.oid, 0
    FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()
    UNION ALL SELECT 'pg_largeobject', o.oid, 0 FROM pg_largeobject_metadata o  -- narrow
) AS o
LEFT JOIN pg_namespace n ON n.oid = o.schema
CROSS JOIN LATERAL pg_identify_object(o.catalog::regclass, o.oid, 0) AS i
WHERE o.oid >= 16384
  AND o.oid = ANY (%(oids)s::oid[])  -- narrow
  AND (n.nspname IS NULL OR n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[]))
  AND NOT EXISTS (
      SELECT FROM pg_depend d
      WHERE d.classid = o.catalog::regclass AND d.objid = o.oid AND d.deptype IN ('e', 'i')
  )
