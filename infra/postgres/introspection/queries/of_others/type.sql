-- Enums, domains, ranges and composite types, whose attributes are read as columns.
SELECT
    CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range' ELSE 'composite type' END,
    format('%%I.%%I', n.nspname, t.typname),
    concat_ws(E'\n',
        (SELECT string_agg(quote_literal(e.enumlabel), E'\n' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
        CASE WHEN t.typtype = 'd' THEN 'as ' || format_type(t.typbasetype, t.typtypmod) END,
        CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
            THEN 'collate ' || t.typcollation::regcollation::text END,
        CASE WHEN t.typtype = 'd' AND t.typnotnull THEN 'not null' END,
        'default ' || pg_get_expr(t.typdefaultbin, 0),
        (
            SELECT string_agg(concat_ws(E'\n',
                format('constraint %%I %%s', c.conname, pg_get_constraintdef(c.oid)),
                format('comment on %%I ', c.conname) || quote_literal(obj_description(c.oid, 'pg_constraint'))
            ), E'\n' ORDER BY c.conname)
            FROM pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'
        ),
        (
            SELECT concat_ws(E'\n',
                'subtype ' || format_type(g.rngsubtype, NULL),
                CASE WHEN NOT o.opcdefault THEN 'subtype_opclass ' || format('%%I.%%I', o.opcnamespace::regnamespace, o.opcname) END,
                CASE WHEN g.rngcollation <> s.typcollation THEN 'collate ' || g.rngcollation::regcollation::text END,
                CASE WHEN g.rngcanonical <> 0 THEN 'canonical ' || g.rngcanonical::text END,
                CASE WHEN g.rngsubdiff <> 0 THEN 'subtype_diff ' || g.rngsubdiff::text END,
                'multirange ' || g.rngmultitypid::regtype::text
            )
            FROM pg_range g JOIN pg_type s ON s.oid = g.rngsubtype JOIN pg_opclass o ON o.oid = g.rngsubopc
            WHERE g.rngtypid = t.oid
        ),
        'comment ' || quote_literal(obj_description(t.oid, 'pg_type'))
    )
FROM pg_type t
JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_type b ON b.oid = t.typbasetype
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
  AND t.oid = ANY (%(oids)s::oid[])  -- narrow
  AND (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c'))
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
