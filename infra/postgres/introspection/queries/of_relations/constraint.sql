-- Constraints of tables: keys, unique constraints, checks, foreign keys and exclusions; NOT NULL is read by column.
SELECT 'constraint', format('%%s.%%I', r.name, c.conname), concat_ws(E'\n',
    pg_get_constraintdef(c.oid),
    CASE WHEN c.coninhcount > 0 THEN 'inherited' END,
    CASE WHEN c.contype = 'f' AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = c.oid AND t.tgenabled <> 'O')
        THEN 'not enforced, its triggers are disabled' END,
    'comment ' || quote_literal((
        SELECT n.description FROM pg_description n
        WHERE n.objoid = c.oid AND n.classoid = 'pg_constraint'::regclass AND n.objsubid = 0
    ))
)
FROM relation r
JOIN pg_constraint c ON c.conrelid = r.oid
WHERE c.contype IN ('p', 'u', 'c', 'f', 'x')
