-- platform-postgres: statement by statement
-- The models' unique indexes are built beside the scripts' unique constraints, so that no moment is without the rule.

CREATE UNIQUE INDEX CONCURRENTLY ix_userbase_email ON userbase (email);
CREATE UNIQUE INDEX CONCURRENTLY ix_corpora_name ON corpora (name);
CREATE UNIQUE INDEX CONCURRENTLY ix_supply_options_name ON supply_options (name);
CREATE UNIQUE INDEX CONCURRENTLY ix_apex_optimizer_agent_run_reports_run_id ON apex_optimizer_agent_run_reports (run_id);
