-- Functions, procedures, window functions and aggregates.
SELECT
    CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
    format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
    concat_ws(E'\n',
        CASE WHEN p.prokind <> 'a' THEN rtrim(pg_get_functiondef(p.oid), E'\n') END,
        CASE WHEN p.prokind = 'a' THEN (
            SELECT concat_ws(E'\n',
                'state function ' || g.aggtransfn::text, 'state type ' || format_type(g.aggtranstype, NULL),
                CASE WHEN g.aggfinalfn <> 0 THEN 'final function ' || g.aggfinalfn::text END,
                CASE WHEN g.aggcombinefn <> 0 THEN 'combine function ' || g.aggcombinefn::text END,
                'initial value ' || quote_literal(g.agginitval)
            )
            FROM pg_aggregate g WHERE g.aggfnoid = p.oid
        ) END,
        'comment ' || quote_literal(obj_description(p.oid, 'pg_proc'))
    )
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
