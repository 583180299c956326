-- The order of a table's columns, which SELECT *, COPY and INSERT without a column list depend on.
SELECT 'column order', r.name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
FROM relation r
JOIN pg_attribute a ON a.attrelid = r.oid
WHERE r.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY r.name
