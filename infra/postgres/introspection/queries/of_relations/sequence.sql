-- Sequences, including those of identity and serial columns.
SELECT 'sequence', r.name, concat_ws(E'\n',
    format(
        'as %%s start %%s increment %%s minimum %%s maximum %%s cache %%s%%s', format_type(s.seqtypid, NULL),
        s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, CASE WHEN s.seqcycle THEN ' cycle' END
    ),
    CASE WHEN r.relpersistence = 'u' THEN 'unlogged' END,
    (
        SELECT format('owned by %%s.%%I', a.attrelid::regclass, a.attname)
        FROM pg_depend d
        JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
          AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
    ),
    'comment ' || quote_literal((
        SELECT n.description FROM pg_description n
        WHERE n.objoid = r.oid AND n.classoid = 'pg_class'::regclass AND n.objsubid = 0
    ))
)
FROM relation r
JOIN pg_sequence s ON s.seqrelid = r.oid
