-- Every object that is not PostgreSQL's own: its address, its kind and name as the catalog reader has them, and the
-- statement that drops it. Parts that are not read, such as defaults, have PostgreSQL's names (manual, 9.27.6).
WITH address AS (
    SELECT d.classid, d.objid, d.objsubid FROM pg_depend d WHERE d.objid >= 16384
    UNION SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_depend d WHERE d.refobjid >= 16384
    UNION SELECT 'pg_class'::regclass, a.attrelid, a.attnum
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'f', 'c') AND a.attnum > 0 AND NOT a.attisdropped
    UNION SELECT 'pg_namespace'::regclass, n.oid, 0 FROM pg_namespace n WHERE n.oid >= 16384
    UNION SELECT 'pg_cast'::regclass, c.oid, 0 FROM pg_cast c WHERE c.oid >= 16384
    UNION SELECT 'pg_language'::regclass, l.oid, 0 FROM pg_language l WHERE l.oid >= 16384
    UNION SELECT 'pg_transform'::regclass, t.oid, 0 FROM pg_transform t
    UNION SELECT 'pg_am'::regclass, m.oid, 0 FROM pg_am m WHERE m.oid >= 16384
    UNION SELECT 'pg_conversion'::regclass, c.oid, 0 FROM pg_conversion c WHERE c.oid >= 16384
    UNION SELECT 'pg_foreign_data_wrapper'::regclass, w.oid, 0 FROM pg_foreign_data_wrapper w
    UNION SELECT 'pg_publication'::regclass, p.oid, 0 FROM pg_publication p
    UNION SELECT 'pg_subscription'::regclass, s.oid, 0
    FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid WHERE d.datname = current_database()
    UNION SELECT 'pg_largeobject'::regclass, o.oid, 0 FROM pg_largeobject_metadata o WHERE o.oid = ANY (%s::oid[])
)
SELECT
    a.classid::bigint, a.objid::bigint, a.objsubid,
    CASE
        WHEN i.type = 'type' THEN CASE t.typtype
            WHEN 'e' THEN 'enum'
            WHEN 'd' THEN 'domain'
            WHEN 'r' THEN 'range'
            WHEN 'c' THEN CASE r.relkind WHEN 'c' THEN 'composite type' ELSE 'row type' END
            ELSE 'type'
        END
        WHEN i.type = 'composite type' THEN 'attributes'
        WHEN i.type IN ('table column', 'foreign table column', 'composite type column') THEN 'column'
        WHEN i.type = 'foreign table' THEN 'table'
        WHEN i.type = 'rule' AND n.object_names[3] = '_RETURN' THEN 'query of a view'
        WHEN i.type = 'statistics object' THEN 'statistics'
        WHEN c.contype IN ('p', 'u', 'c', 'f', 'x') AND c.conrelid <> 0 THEN 'constraint'
        ELSE i.type
    END,
    CASE
        WHEN i.type IN ('table constraint', 'trigger', 'policy', 'rule')
            THEN format('%%I.%%I.%%I', VARIADIC n.object_names)
        WHEN p.oid IS NOT NULL
            THEN format('%%I.%%I(%%s)', p.pronamespace::regnamespace, p.proname, pg_get_function_identity_arguments(p.oid))
        ELSE replace(i.identity, ' on language ', ' language ')
    END,
    CASE i.type
        WHEN 'table column' THEN format('ALTER TABLE IF EXISTS %%I.%%I DROP COLUMN IF EXISTS %%I', VARIADIC n.object_names)
        WHEN 'foreign table column' THEN format('ALTER TABLE IF EXISTS %%I.%%I DROP COLUMN IF EXISTS %%I', VARIADIC n.object_names)
        WHEN 'composite type column' THEN format('ALTER TYPE %%I.%%I DROP ATTRIBUTE IF EXISTS %%I', VARIADIC n.object_names)
        WHEN 'default value' THEN format('ALTER TABLE IF EXISTS %%I.%%I ALTER %%I DROP DEFAULT', VARIADIC n.object_names)
        WHEN 'table constraint' THEN format('ALTER TABLE IF EXISTS %%I.%%I DROP CONSTRAINT IF EXISTS %%I', VARIADIC n.object_names)
        WHEN 'domain constraint'
            THEN format('ALTER DOMAIN %%s DROP CONSTRAINT IF EXISTS %%I', n.object_names[1], n.object_args[1])
        WHEN 'user mapping' THEN format(
            'DROP USER MAPPING IF EXISTS FOR %%s SERVER %%I',
            coalesce(quote_ident(nullif(n.object_names[1], 'public')), 'PUBLIC'),
            n.object_args[1]
        )
        WHEN 'transform'
            THEN format('DROP TRANSFORM IF EXISTS FOR %%s LANGUAGE %%I', n.object_names[1], n.object_args[1])
        WHEN 'publication relation'
            THEN format('ALTER PUBLICATION %%I DROP TABLE %%I.%%I', n.object_args[1], n.object_names[1], n.object_names[2])
        WHEN 'publication namespace'
            THEN format('ALTER PUBLICATION %%I DROP TABLES IN SCHEMA %%I', n.object_args[1], n.object_names[1])
        WHEN 'operator of access method' THEN format(
            'ALTER OPERATOR FAMILY %%2$I.%%3$I USING %%1$I DROP OPERATOR %%4$s (%%5$s)',
            VARIADIC n.object_names || array_to_string(n.object_args, ', ')
        )
        WHEN 'function of access method' THEN format(
            'ALTER OPERATOR FAMILY %%2$I.%%3$I USING %%1$I DROP FUNCTION %%4$s (%%5$s)',
            VARIADIC n.object_names || array_to_string(n.object_args, ', ')
        )
        WHEN 'large object' THEN format('SELECT pg_catalog.lo_unlink(%%s)', a.objid)
        ELSE format('DROP %%s IF EXISTS %%s', CASE i.type
            WHEN 'function' THEN 'ROUTINE' WHEN 'procedure' THEN 'ROUTINE' WHEN 'aggregate' THEN 'ROUTINE'
            WHEN 'statistics object' THEN 'STATISTICS' WHEN 'foreign-data wrapper' THEN 'FOREIGN DATA WRAPPER'
            WHEN 'composite type' THEN 'TYPE' ELSE upper(i.type)
        END, i.identity)
    END
FROM address a
CROSS JOIN LATERAL pg_identify_object(a.classid, a.objid, a.objsubid) AS i
CROSS JOIN LATERAL pg_identify_object_as_address(a.classid, a.objid, a.objsubid) AS n
LEFT JOIN pg_type t ON a.classid = 'pg_type'::regclass AND t.oid = a.objid
LEFT JOIN pg_class r ON r.oid = t.typrelid
LEFT JOIN pg_constraint c ON a.classid = 'pg_constraint'::regclass AND c.oid = a.objid
LEFT JOIN pg_proc p ON a.classid = 'pg_proc'::regclass AND p.oid = a.objid
WHERE i.identity IS NOT NULL AND (a.classid <> 'pg_class'::regclass OR a.objsubid >= 0)
