-- The order of the columns of a table: seen by SELECT *, COPY and INSERT without names, else a matter of taste.
SELECT 'column order', r.name, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
FROM relation r
JOIN pg_attribute a ON a.attrelid = r.oid
WHERE r.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY r.name
