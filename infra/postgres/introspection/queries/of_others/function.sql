-- Functions, procedures, window functions and aggregates; functions created with a range type belong to that type.
SELECT
    CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
    format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
    concat_ws(E'\n',
        CASE WHEN p.prokind <> 'a' THEN rtrim(pg_get_functiondef(p.oid), E'\n') END,
        CASE WHEN p.prokind = 'a' THEN (
            SELECT concat_ws(E'\n',
                CASE g.aggkind WHEN 'o' THEN 'ordered set' WHEN 'h' THEN 'hypothetical set' END,
                'state function ' || g.aggtransfn::text,
                'state type ' || format_type(g.aggtranstype, NULL),
                'state size ' || nullif(g.aggtransspace, 0),
                'initial value ' || quote_literal(g.agginitval),
                CASE WHEN g.aggfinalfn <> 0 THEN concat(
                    'final function ', g.aggfinalfn, CASE WHEN g.aggfinalextra THEN ' extra' END,
                    CASE g.aggfinalmodify WHEN 's' THEN ' shareable' WHEN 'w' THEN ' read_write' END
                ) END,
                CASE WHEN g.aggcombinefn <> 0 THEN 'combine function ' || g.aggcombinefn::text END,
                CASE WHEN g.aggserialfn <> 0 THEN 'serial function ' || g.aggserialfn::text END,
                CASE WHEN g.aggdeserialfn <> 0 THEN 'deserial function ' || g.aggdeserialfn::text END,
                CASE WHEN g.aggmtransfn <> 0 THEN concat_ws(E'\n',
                    'moving state function ' || g.aggmtransfn::text,
                    'moving inverse function ' || g.aggminvtransfn::text,
                    'moving state type ' || format_type(g.aggmtranstype, NULL),
                    'moving state size ' || nullif(g.aggmtransspace, 0),
                    'moving initial value ' || quote_literal(g.aggminitval),
                    CASE WHEN g.aggmfinalfn <> 0 THEN concat(
                        'moving final function ', g.aggmfinalfn, CASE WHEN g.aggmfinalextra THEN ' extra' END,
                        CASE g.aggmfinalmodify WHEN 's' THEN ' shareable' WHEN 'w' THEN ' read_write' END
                    ) END
                ) END,
                CASE WHEN g.aggsortop <> 0 THEN 'sort operator ' || g.aggsortop::regoperator::text END,
                CASE p.proparallel WHEN 's' THEN 'parallel safe' WHEN 'r' THEN 'parallel restricted' END
            )
            FROM pg_aggregate g WHERE g.aggfnoid = p.oid
        ) END,
        'comment ' || quote_literal(obj_description(p.oid, 'pg_proc'))
    )
FROM pg_proc p
JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT LIKE 'pg\_%%' AND n.nspname <> ALL (%(hidden)s::text[])
  AND p.oid = ANY (%(oids)s::oid[])  -- narrow
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i'))
