-- Tables of another shape get the models' columns. A column that only has another name is renamed with its values; what
-- the models have no place for is kept in the schema before_adoption, by the row's id. Times without a zone are read as
-- UTC, in which the application wrote them: with this setting, a change of the type does not write the rows again.

SET TimeZone = 'UTC';
CREATE SCHEMA before_adoption;

ALTER TABLE userbase RENAME CONSTRAINT users_pkey TO userbase_pkey;
CREATE TABLE before_adoption.userbase AS SELECT id, trial_period FROM userbase WHERE trial_period NOT IN (0, 1);
-- hazard: allow rewrite until 2030-12-31: old addresses do not lead to the database any more while it is brought over
ALTER TABLE userbase
    ALTER COLUMN role DROP DEFAULT,
    ALTER COLUMN permissions DROP DEFAULT,
    ALTER COLUMN is_developer DROP DEFAULT,
    ALTER COLUMN auto_renew DROP DEFAULT,
    ALTER COLUMN plan_expires_at TYPE timestamptz,
    ALTER COLUMN plan_started_at TYPE timestamptz,
    ALTER COLUMN trial_period TYPE boolean USING trial_period <> 0;
DROP INDEX IF EXISTS ix_userbase_role;

CREATE TABLE before_adoption.tool_usage_logs AS SELECT id, output_data FROM tool_usage_logs WHERE output_data IS NOT NULL;
ALTER TABLE tool_usage_logs RENAME COLUMN input_data TO arguments;
ALTER TABLE tool_usage_logs RENAME COLUMN duration_ms TO execution_time_ms;
-- hazard: allow loss until 2030-12-31: the values are kept in before_adoption
ALTER TABLE tool_usage_logs
    DROP COLUMN output_data,
    ADD COLUMN category varchar,
    ADD COLUMN tokens_used integer,
    ADD COLUMN cost_cents integer,
    ADD COLUMN plan_tier varchar,
    ADD COLUMN permission_check_result json,
    ALTER COLUMN created_at DROP DEFAULT,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamptz;
UPDATE tool_usage_logs SET plan_tier = coalesce(userbase.plan_tier, 'free') FROM userbase WHERE userbase.id = user_id;
ALTER TABLE tool_usage_logs
    ALTER COLUMN user_id SET NOT NULL,
    ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN plan_tier SET NOT NULL;

CREATE TABLE before_adoption.ai_supply_items AS SELECT id, name, cost_per_token, metadata_ FROM ai_supply_items;
ALTER TABLE ai_supply_items RENAME COLUMN updated_at TO last_updated;
-- hazard: allow loss until 2030-12-31: the values are kept in before_adoption
ALTER TABLE ai_supply_items
    DROP COLUMN name,
    DROP COLUMN cost_per_token,
    DROP COLUMN metadata_,
    ADD COLUMN model_version varchar,
    ADD COLUMN pricing_input numeric(10, 4),
    ADD COLUMN pricing_output numeric(10, 4),
    ADD COLUMN pricing_currency varchar DEFAULT 'USD',
    ADD COLUMN context_window integer,
    ADD COLUMN max_output_tokens integer,
    ADD COLUMN capabilities json,
    ADD COLUMN availability_status varchar DEFAULT 'available',
    ADD COLUMN api_endpoints json,
    ADD COLUMN performance_metrics json,
    ADD COLUMN research_source varchar,
    ADD COLUMN confidence_score double precision,
    ALTER COLUMN created_at DROP DEFAULT,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamptz,
    ALTER COLUMN last_updated DROP DEFAULT,
    ALTER COLUMN last_updated DROP NOT NULL,
    ALTER COLUMN last_updated TYPE timestamptz;
ALTER TABLE ai_supply_items
    ALTER COLUMN pricing_currency DROP DEFAULT,
    ALTER COLUMN availability_status DROP DEFAULT;

CREATE TABLE before_adoption.research_sessions AS
SELECT id, updated_at AT TIME ZONE 'UTC' AS updated_at FROM research_sessions;
ALTER TABLE research_sessions RENAME COLUMN topic TO query;
ALTER TABLE research_sessions RENAME COLUMN user_id TO initiated_by;
ALTER TABLE research_sessions RENAME COLUMN findings TO processed_data;
-- hazard: allow loss until 2030-12-31: the values are kept in before_adoption
ALTER TABLE research_sessions
    DROP COLUMN updated_at,
    ADD COLUMN session_id varchar,
    ADD COLUMN research_plan json,
    ADD COLUMN questions_answered json,
    ADD COLUMN raw_results json,
    ADD COLUMN citations json,
    ADD COLUMN completed_at timestamptz,
    ADD COLUMN error_message text,
    ALTER COLUMN query TYPE text,
    ALTER COLUMN created_at DROP DEFAULT,
    ALTER COLUMN created_at DROP NOT NULL,
    ALTER COLUMN created_at TYPE timestamptz;

ALTER TABLE supply_update_logs RENAME COLUMN update_type TO field_updated;
ALTER TABLE supply_update_logs RENAME COLUMN created_at TO updated_at;
UPDATE supply_update_logs SET updated_by = 'system' WHERE updated_by IS NULL;
ALTER TABLE supply_update_logs
    ADD COLUMN research_session_id varchar,
    ADD COLUMN update_reason varchar,
    ALTER COLUMN supply_item_id SET NOT NULL,
    ALTER COLUMN updated_by SET NOT NULL,
    ALTER COLUMN updated_at DROP DEFAULT,
    ALTER COLUMN updated_at DROP NOT NULL,
    ALTER COLUMN updated_at TYPE timestamptz;

ALTER TABLE corpora
    ADD COLUMN domain varchar DEFAULT 'general',
    ADD COLUMN metadata_ json;
ALTER TABLE corpora ALTER COLUMN domain DROP DEFAULT;

-- The numbers of new rows go on from the old sequence, and from the highest one that there is.
ALTER TABLE supply_options ALTER COLUMN id DROP DEFAULT;
ALTER SEQUENCE supply_options_id_seq OWNED BY NONE;
ALTER SEQUENCE supply_options_id_seq RENAME TO supply_options_id_before;
ALTER TABLE supply_options ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY;
SELECT setval('supply_options_id_seq', greatest(last_value, (SELECT max(id) FROM supply_options)), is_called OR EXISTS (SELECT FROM supply_options)) FROM supply_options_id_before;
DROP SEQUENCE supply_options_id_before;
