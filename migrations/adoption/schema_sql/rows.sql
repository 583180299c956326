-- accounts with the same e-mail address, which becomes unique
SELECT email, count(*) AS rows, string_agg(quote_literal(id), ', ' ORDER BY id) AS id
FROM users GROUP BY email HAVING count(*) > 1 ORDER BY email;

-- corpora with the same name, which becomes unique
SELECT name, count(*) AS rows, string_agg(quote_literal(id), ', ' ORDER BY id) AS id
FROM corpora GROUP BY name HAVING count(*) > 1 ORDER BY name;

-- supply options with the same name, which becomes unique
SELECT name, count(*) AS rows, string_agg(id::text, ', ' ORDER BY id) AS id
FROM supply_options GROUP BY name HAVING count(*) > 1 ORDER BY name;

-- reports of the same optimizer run, which has one only
SELECT run_id, count(*) AS rows, string_agg(quote_literal(id), ', ' ORDER BY id) AS id
FROM apex_optimizer_agent_run_reports GROUP BY run_id HAVING count(*) > 1 ORDER BY run_id;
