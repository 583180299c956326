-- The tables that the platform's old modular scripts made, with errors passed over.
-- A database is recognised by these tables and columns; what it has besides stays.

CREATE EXTENSION IF NOT EXISTS "pg_trgm";
CREATE EXTENSION IF NOT EXISTS "pgcrypto";
CREATE EXTENSION IF NOT EXISTS "uuid-ossp";
CREATE TABLE ai_supply_items (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    provider varchar NOT NULL,
    model_name varchar NOT NULL,
    model_version varchar,
    pricing_input numeric(10,4),
    pricing_output numeric(10,4),
    pricing_currency varchar DEFAULT 'USD'::varchar,
    context_window integer,
    max_output_tokens integer,
    capabilities json,
    availability_status varchar DEFAULT 'available'::varchar,
    api_endpoints json,
    performance_metrics json,
    last_updated timestamptz DEFAULT CURRENT_TIMESTAMP,
    research_source varchar,
    confidence_score double precision,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT ai_supply_items_pkey PRIMARY KEY (id)
);

CREATE TABLE analyses (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    name varchar NOT NULL,
    description varchar,
    status varchar DEFAULT 'pending'::varchar,
    created_by_id varchar,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT analyses_pkey PRIMARY KEY (id),
    CONSTRAINT check_analysis_status CHECK (((status)::text = ANY ((ARRAY['pending'::character varying, 'running'::character varying, 'completed'::character varying, 'failed'::character varying])::text[])))
);

CREATE TABLE analysis_results (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    analysis_id varchar,
    data json,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT analysis_results_pkey PRIMARY KEY (id)
);

CREATE TABLE apex_optimizer_agent_run_reports (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    run_id varchar NOT NULL,
    report varchar NOT NULL,
    timestamp timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT apex_optimizer_agent_run_reports_run_id_key UNIQUE (run_id),
    CONSTRAINT apex_optimizer_agent_run_reports_pkey PRIMARY KEY (id)
);

CREATE TABLE apex_optimizer_agent_runs (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    run_id varchar NOT NULL,
    step_name varchar NOT NULL,
    step_input json,
    step_output json,
    run_log varchar,
    timestamp timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT apex_optimizer_agent_runs_pkey PRIMARY KEY (id)
);

CREATE TABLE assistants (
    id varchar NOT NULL,
    object varchar NOT NULL DEFAULT 'assistant'::varchar,
    created_at integer NOT NULL,
    name varchar,
    description varchar,
    model varchar NOT NULL,
    instructions varchar,
    tools json NOT NULL DEFAULT '[]'::json,
    file_ids varchar[] NOT NULL DEFAULT '{}'::varchar[],
    metadata_ json,
    CONSTRAINT assistants_pkey PRIMARY KEY (id)
);

CREATE TABLE corpora (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    name varchar NOT NULL,
    description varchar,
    table_name varchar,
    status varchar DEFAULT 'pending'::varchar,
    domain varchar DEFAULT 'general'::varchar,
    metadata_ json,
    created_by_id varchar,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT corpora_name_key UNIQUE (name),
    CONSTRAINT corpora_pkey PRIMARY KEY (id)
);

CREATE TABLE corpus_audit_logs (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    timestamp timestamptz DEFAULT CURRENT_TIMESTAMP,
    user_id varchar,
    action varchar NOT NULL,
    status varchar NOT NULL,
    corpus_id varchar,
    resource_type varchar NOT NULL,
    resource_id varchar,
    operation_duration_ms double precision,
    result_data json,
    user_agent varchar,
    ip_address varchar,
    request_id varchar,
    session_id varchar,
    configuration json DEFAULT '{}'::json,
    performance_metrics json DEFAULT '{}'::json,
    error_details json,
    compliance_flags varchar[] DEFAULT '{}'::varchar[],
    CONSTRAINT corpus_audit_logs_pkey PRIMARY KEY (id)
);

CREATE TABLE demo_exports (
    id varchar(36) NOT NULL,
    session_id varchar(36) NOT NULL,
    user_id varchar,
    export_format varchar(20) NOT NULL,
    file_path varchar(500),
    file_url varchar(500),
    sections_included varchar[],
    status varchar(20) NOT NULL DEFAULT 'pending'::varchar,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    expires_at timestamptz,
    CONSTRAINT demo_exports_pkey PRIMARY KEY (id)
);

CREATE TABLE demo_feedback (
    id serial NOT NULL,
    session_id varchar(36) NOT NULL,
    user_id varchar,
    rating integer,
    feedback_text text,
    would_recommend boolean,
    conversion_intent varchar(50),
    metadata jsonb,
    submitted_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT demo_feedback_pkey PRIMARY KEY (id)
);

CREATE TABLE demo_interactions (
    id serial NOT NULL,
    session_id varchar(36) NOT NULL,
    interaction_type varchar(50) NOT NULL,
    message text,
    response text,
    agents_involved varchar[],
    metrics jsonb,
    timestamp timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    duration_ms integer,
    CONSTRAINT demo_interactions_pkey PRIMARY KEY (id)
);

CREATE TABLE demo_metrics (
    id serial NOT NULL,
    session_id varchar(36) NOT NULL,
    metric_type varchar(50) NOT NULL,
    baseline_value double precision NOT NULL,
    optimized_value double precision NOT NULL,
    improvement_percentage double precision NOT NULL,
    confidence_score double precision,
    timestamp timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT demo_metrics_pkey PRIMARY KEY (id)
);

CREATE TABLE demo_scenarios (
    id serial NOT NULL,
    industry varchar(50) NOT NULL,
    scenario_name varchar(255) NOT NULL,
    description text,
    prompt_template text NOT NULL,
    optimization_scenarios jsonb,
    typical_metrics jsonb,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT uq_demo_scenarios_industry_name UNIQUE (industry, scenario_name),
    CONSTRAINT demo_scenarios_pkey PRIMARY KEY (id)
);

CREATE TABLE demo_sessions (
    id varchar(36) NOT NULL,
    user_id varchar,
    industry varchar(50) NOT NULL,
    company_name varchar(255),
    company_size varchar(50),
    status varchar(20) NOT NULL DEFAULT 'active'::varchar,
    progress_percentage double precision NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    completed_at timestamptz,
    metadata jsonb,
    created_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT demo_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT check_demo_status CHECK (((status)::text = ANY ((ARRAY['active'::character varying, 'completed'::character varying, 'abandoned'::character varying])::text[]))),
    CONSTRAINT check_progress_percentage CHECK (((progress_percentage >= (0)::double precision) AND (progress_percentage <= (100)::double precision)))
);

CREATE TABLE messages (
    id varchar NOT NULL,
    object varchar NOT NULL DEFAULT 'thread.message'::varchar,
    created_at integer NOT NULL,
    thread_id varchar NOT NULL,
    role varchar NOT NULL,
    content json NOT NULL,
    assistant_id varchar,
    run_id varchar,
    file_ids varchar[] NOT NULL DEFAULT '{}'::varchar[],
    metadata_ json,
    CONSTRAINT messages_pkey PRIMARY KEY (id)
);

CREATE TABLE research_sessions (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    query text NOT NULL,
    session_id varchar,
    status varchar DEFAULT 'pending'::varchar,
    research_plan json,
    questions_answered json,
    raw_results json,
    processed_data json,
    citations json,
    initiated_by varchar,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    completed_at timestamptz,
    error_message text,
    CONSTRAINT research_sessions_pkey PRIMARY KEY (id),
    CONSTRAINT check_research_status CHECK (((status)::text = ANY ((ARRAY['pending'::character varying, 'researching'::character varying, 'processing'::character varying, 'completed'::character varying, 'failed'::character varying])::text[])))
);

CREATE TABLE runs (
    id varchar NOT NULL,
    object varchar NOT NULL DEFAULT 'thread.run'::varchar,
    created_at integer NOT NULL,
    thread_id varchar NOT NULL,
    assistant_id varchar NOT NULL,
    status varchar NOT NULL,
    required_action json,
    last_error json,
    expires_at integer,
    started_at integer,
    cancelled_at integer,
    failed_at integer,
    completed_at integer,
    model varchar,
    instructions varchar,
    tools json NOT NULL DEFAULT '[]'::json,
    file_ids varchar[] NOT NULL DEFAULT '{}'::varchar[],
    metadata_ json,
    CONSTRAINT runs_pkey PRIMARY KEY (id)
);

CREATE TABLE secrets (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    user_id varchar NOT NULL,
    key varchar NOT NULL,
    encrypted_value varchar NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT secrets_pkey PRIMARY KEY (id)
);

CREATE TABLE steps (
    id varchar NOT NULL,
    object varchar NOT NULL DEFAULT 'thread.run.step'::varchar,
    created_at integer NOT NULL,
    run_id varchar NOT NULL,
    assistant_id varchar NOT NULL,
    thread_id varchar NOT NULL,
    type varchar NOT NULL,
    status varchar NOT NULL,
    step_details json NOT NULL,
    last_error json,
    expired_at integer,
    cancelled_at integer,
    failed_at integer,
    completed_at integer,
    metadata_ json,
    CONSTRAINT steps_pkey PRIMARY KEY (id)
);

CREATE TABLE supplies (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    name varchar NOT NULL,
    description varchar,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT supplies_pkey PRIMARY KEY (id)
);

CREATE TABLE supply_options (
    id serial NOT NULL,
    provider varchar NOT NULL,
    family varchar NOT NULL,
    name varchar NOT NULL,
    hosting_type varchar DEFAULT 'api_provider'::varchar,
    cost_per_million_tokens_usd json NOT NULL,
    quality_score double precision NOT NULL,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT supply_options_name_key UNIQUE (name),
    CONSTRAINT supply_options_pkey PRIMARY KEY (id)
);

CREATE TABLE supply_update_logs (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    supply_item_id varchar NOT NULL,
    field_updated varchar NOT NULL,
    old_value json,
    new_value json,
    research_session_id varchar,
    update_reason varchar,
    updated_by varchar NOT NULL,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT supply_update_logs_pkey PRIMARY KEY (id)
);

CREATE TABLE threads (
    id varchar NOT NULL,
    object varchar NOT NULL DEFAULT 'thread'::varchar,
    created_at integer NOT NULL,
    metadata_ json,
    CONSTRAINT threads_pkey PRIMARY KEY (id)
);

CREATE TABLE tool_usage_logs (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    user_id varchar NOT NULL,
    tool_name varchar NOT NULL,
    category varchar,
    execution_time_ms integer DEFAULT 0,
    tokens_used integer,
    cost_cents integer,
    status varchar NOT NULL,
    plan_tier varchar NOT NULL,
    permission_check_result json,
    arguments json,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT tool_usage_logs_pkey PRIMARY KEY (id),
    CONSTRAINT check_status CHECK (((status)::text = ANY ((ARRAY['success'::character varying, 'error'::character varying, 'permission_denied'::character varying, 'rate_limited'::character varying])::text[])))
);

CREATE TABLE userbase (
    id varchar NOT NULL DEFAULT (gen_random_uuid())::varchar,
    email varchar NOT NULL,
    full_name varchar,
    hashed_password varchar,
    picture varchar,
    created_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    updated_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    is_active boolean DEFAULT true,
    is_superuser boolean DEFAULT false,
    role varchar DEFAULT 'standard_user'::varchar,
    permissions json DEFAULT '{}'::json,
    is_developer boolean DEFAULT false,
    plan_tier varchar DEFAULT 'free'::varchar,
    plan_expires_at timestamptz,
    feature_flags json DEFAULT '{}'::json,
    tool_permissions json DEFAULT '{}'::json,
    plan_started_at timestamptz DEFAULT CURRENT_TIMESTAMP,
    auto_renew boolean DEFAULT false,
    payment_status varchar DEFAULT 'active'::varchar,
    trial_period boolean DEFAULT false,
    CONSTRAINT userbase_email_key UNIQUE (email),
    CONSTRAINT userbase_pkey PRIMARY KEY (id),
    CONSTRAINT check_payment_status CHECK (((payment_status)::text = ANY ((ARRAY['active'::character varying, 'suspended'::character varying, 'cancelled'::character varying])::text[]))),
    CONSTRAINT check_plan_tier CHECK (((plan_tier)::text = ANY ((ARRAY['free'::character varying, 'pro'::character varying, 'enterprise'::character varying, 'developer'::character varying])::text[])))
);

CREATE INDEX idx_ai_supply_items_availability ON ai_supply_items (availability_status);
CREATE INDEX idx_ai_supply_items_created_at ON ai_supply_items (created_at);
CREATE INDEX idx_ai_supply_items_model_name ON ai_supply_items (model_name);
CREATE INDEX idx_ai_supply_items_provider ON ai_supply_items (provider);
CREATE INDEX idx_ai_supply_provider_model ON ai_supply_items (provider, model_name);
CREATE INDEX idx_analyses_created_at ON analyses (created_at);
CREATE INDEX idx_analyses_created_by_id ON analyses (created_by_id);
CREATE INDEX idx_analyses_name ON analyses (name);
CREATE INDEX idx_analyses_pending ON analyses (created_at) WHERE ((status)::text = 'pending'::text);
CREATE INDEX idx_analyses_status ON analyses (status);
CREATE INDEX idx_analysis_results_analysis_id ON analysis_results (analysis_id);
CREATE INDEX idx_analysis_results_created_at ON analysis_results (created_at);
CREATE INDEX idx_apex_optimizer_reports_run_id ON apex_optimizer_agent_run_reports (run_id);
CREATE INDEX idx_apex_optimizer_reports_timestamp ON apex_optimizer_agent_run_reports ("timestamp");
CREATE INDEX idx_apex_optimizer_runs_run_id ON apex_optimizer_agent_runs (run_id);
CREATE INDEX idx_apex_optimizer_runs_timestamp ON apex_optimizer_agent_runs ("timestamp");
CREATE INDEX idx_assistants_created_at ON assistants (created_at);
CREATE INDEX idx_assistants_model ON assistants (model);
CREATE INDEX idx_corpora_created_at ON corpora (created_at);
CREATE INDEX idx_corpora_created_by_id ON corpora (created_by_id);
CREATE INDEX idx_corpora_domain ON corpora (domain);
CREATE INDEX idx_corpora_name ON corpora (name);
CREATE INDEX idx_corpora_status ON corpora (status);
CREATE INDEX idx_corpora_status_domain ON corpora (status, domain);
CREATE INDEX idx_corpus_audit_logs_action ON corpus_audit_logs (action);
CREATE INDEX idx_corpus_audit_logs_corpus_id ON corpus_audit_logs (corpus_id);
CREATE INDEX idx_corpus_audit_logs_ip_address ON corpus_audit_logs (ip_address);
CREATE INDEX idx_corpus_audit_logs_request_id ON corpus_audit_logs (request_id);
CREATE INDEX idx_corpus_audit_logs_resource_id ON corpus_audit_logs (resource_id);
CREATE INDEX idx_corpus_audit_logs_resource_type ON corpus_audit_logs (resource_type);
CREATE INDEX idx_corpus_audit_logs_session_id ON corpus_audit_logs (session_id);
CREATE INDEX idx_corpus_audit_logs_status ON corpus_audit_logs (status);
CREATE INDEX idx_corpus_audit_logs_timestamp ON corpus_audit_logs ("timestamp");
CREATE INDEX idx_corpus_audit_logs_user_id ON corpus_audit_logs (user_id);
CREATE INDEX idx_corpus_audit_user_action_date ON corpus_audit_logs (user_id, action, "timestamp" DESC);
CREATE INDEX idx_demo_exports_created_at ON demo_exports (created_at);
CREATE INDEX idx_demo_exports_session_id ON demo_exports (session_id);
CREATE INDEX idx_demo_exports_status ON demo_exports (status);
CREATE INDEX idx_demo_exports_user_id ON demo_exports (user_id);
CREATE INDEX idx_demo_feedback_rating ON demo_feedback (rating);
CREATE INDEX idx_demo_feedback_session_id ON demo_feedback (session_id);
CREATE INDEX idx_demo_feedback_submitted_at ON demo_feedback (submitted_at);
CREATE INDEX idx_demo_feedback_user_id ON demo_feedback (user_id);
CREATE INDEX idx_demo_interactions_session_id ON demo_interactions (session_id);
CREATE INDEX idx_demo_interactions_session_time ON demo_interactions (session_id, "timestamp" DESC);
CREATE INDEX idx_demo_interactions_timestamp ON demo_interactions ("timestamp");
CREATE INDEX idx_demo_interactions_type ON demo_interactions (interaction_type);
CREATE INDEX idx_demo_metrics_session_id ON demo_metrics (session_id);
CREATE INDEX idx_demo_metrics_timestamp ON demo_metrics ("timestamp");
CREATE INDEX idx_demo_metrics_type ON demo_metrics (metric_type);
CREATE INDEX idx_demo_scenarios_active ON demo_scenarios (is_active);
CREATE INDEX idx_demo_scenarios_industry ON demo_scenarios (industry);
CREATE INDEX idx_demo_sessions_active ON demo_sessions (started_at) WHERE ((status)::text = 'active'::text);
CREATE INDEX idx_demo_sessions_industry ON demo_sessions (industry);
CREATE INDEX idx_demo_sessions_industry_status ON demo_sessions (industry, status);
CREATE INDEX idx_demo_sessions_started_at ON demo_sessions (started_at);
CREATE INDEX idx_demo_sessions_status ON demo_sessions (status);
CREATE INDEX idx_demo_sessions_user_id ON demo_sessions (user_id);
CREATE INDEX idx_messages_assistant_id ON messages (assistant_id);
CREATE INDEX idx_messages_created_at ON messages (created_at);
CREATE INDEX idx_messages_role ON messages (role);
CREATE INDEX idx_messages_run_id ON messages (run_id);
CREATE INDEX idx_messages_thread_created ON messages (thread_id, created_at DESC);
CREATE INDEX idx_messages_thread_id ON messages (thread_id);
CREATE INDEX idx_research_sessions_created_at ON research_sessions (created_at);
CREATE INDEX idx_research_sessions_initiated_by ON research_sessions (initiated_by);
CREATE INDEX idx_research_sessions_pending ON research_sessions (created_at) WHERE ((status)::text = 'pending'::text);
CREATE INDEX idx_research_sessions_status ON research_sessions (status);
CREATE INDEX idx_research_sessions_status_date ON research_sessions (status, created_at DESC);
CREATE INDEX idx_runs_assistant_id ON runs (assistant_id);
CREATE INDEX idx_runs_created_at ON runs (created_at);
CREATE INDEX idx_runs_status ON runs (status);
CREATE INDEX idx_runs_thread_id ON runs (thread_id);
CREATE INDEX idx_runs_thread_status ON runs (thread_id, status);
CREATE INDEX idx_secrets_key ON secrets (key);
CREATE INDEX idx_secrets_user_id ON secrets (user_id);
CREATE UNIQUE INDEX idx_secrets_user_key ON secrets (user_id, key);
CREATE INDEX idx_steps_assistant_id ON steps (assistant_id);
CREATE INDEX idx_steps_created_at ON steps (created_at);
CREATE INDEX idx_steps_run_id ON steps (run_id);
CREATE INDEX idx_steps_status ON steps (status);
CREATE INDEX idx_steps_thread_id ON steps (thread_id);
CREATE INDEX idx_steps_type ON steps (type);
CREATE INDEX idx_supplies_created_at ON supplies (created_at);
CREATE INDEX idx_supplies_name ON supplies (name);
CREATE INDEX idx_supply_options_family ON supply_options (family);
CREATE INDEX idx_supply_options_name ON supply_options (name);
CREATE INDEX idx_supply_options_provider ON supply_options (provider);
CREATE INDEX idx_supply_update_logs_research_session_id ON supply_update_logs (research_session_id);
CREATE INDEX idx_supply_update_logs_supply_item_id ON supply_update_logs (supply_item_id);
CREATE INDEX idx_supply_update_logs_updated_at ON supply_update_logs (updated_at);
CREATE INDEX idx_supply_update_logs_updated_by ON supply_update_logs (updated_by);
CREATE INDEX idx_threads_created_at ON threads (created_at);
CREATE INDEX idx_tool_usage_date_status ON tool_usage_logs (created_at DESC, status);
CREATE INDEX idx_tool_usage_logs_category ON tool_usage_logs (category);
CREATE INDEX idx_tool_usage_logs_created_at ON tool_usage_logs (created_at);
CREATE INDEX idx_tool_usage_logs_plan_tier ON tool_usage_logs (plan_tier);
CREATE INDEX idx_tool_usage_logs_status ON tool_usage_logs (status);
CREATE INDEX idx_tool_usage_logs_tool_name ON tool_usage_logs (tool_name);
CREATE INDEX idx_tool_usage_logs_user_id ON tool_usage_logs (user_id);
CREATE INDEX idx_tool_usage_user_tool_date ON tool_usage_logs (user_id, tool_name, created_at DESC);
CREATE INDEX idx_userbase_created_at ON userbase (created_at);
CREATE INDEX idx_userbase_email ON userbase (email);
CREATE INDEX idx_userbase_email_active ON userbase (email, is_active) WHERE (is_active = true);
CREATE INDEX idx_userbase_full_name ON userbase (full_name);
CREATE INDEX idx_userbase_is_active ON userbase (is_active);
CREATE INDEX idx_userbase_plan_active ON userbase (plan_tier, is_active) WHERE (is_active = true);
CREATE INDEX idx_userbase_plan_tier ON userbase (plan_tier);
CREATE INDEX idx_userbase_role ON userbase (role);

ALTER TABLE analyses ADD CONSTRAINT analyses_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES userbase(id) ON DELETE SET NULL;
ALTER TABLE analysis_results ADD CONSTRAINT analysis_results_analysis_id_fkey FOREIGN KEY (analysis_id) REFERENCES analyses(id) ON DELETE CASCADE;
ALTER TABLE corpora ADD CONSTRAINT corpora_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES userbase(id) ON DELETE SET NULL;
ALTER TABLE corpus_audit_logs ADD CONSTRAINT corpus_audit_logs_user_id_fkey FOREIGN KEY (user_id) REFERENCES userbase(id) ON DELETE SET NULL;
ALTER TABLE demo_exports ADD CONSTRAINT demo_exports_session_id_fkey FOREIGN KEY (session_id) REFERENCES demo_sessions(id) ON DELETE CASCADE;
ALTER TABLE demo_exports ADD CONSTRAINT demo_exports_user_id_fkey FOREIGN KEY (user_id) REFERENCES userbase(id) ON DELETE SET NULL;
ALTER TABLE demo_feedback ADD CONSTRAINT demo_feedback_session_id_fkey FOREIGN KEY (session_id) REFERENCES demo_sessions(id) ON DELETE CASCADE;
ALTER TABLE demo_feedback ADD CONSTRAINT demo_feedback_user_id_fkey FOREIGN KEY (user_id) REFERENCES userbase(id) ON DELETE SET NULL;
ALTER TABLE demo_interactions ADD CONSTRAINT demo_interactions_session_id_fkey FOREIGN KEY (session_id) REFERENCES demo_sessions(id) ON DELETE CASCADE;
ALTER TABLE demo_metrics ADD CONSTRAINT demo_metrics_session_id_fkey FOREIGN KEY (session_id) REFERENCES demo_sessions(id) ON DELETE CASCADE;
ALTER TABLE demo_sessions ADD CONSTRAINT demo_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES userbase(id) ON DELETE SET NULL;
ALTER TABLE messages ADD CONSTRAINT messages_assistant_id_fkey FOREIGN KEY (assistant_id) REFERENCES assistants(id) ON DELETE SET NULL;
ALTER TABLE messages ADD CONSTRAINT messages_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id) ON DELETE SET NULL;
ALTER TABLE messages ADD CONSTRAINT messages_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads(id) ON DELETE CASCADE;
ALTER TABLE runs ADD CONSTRAINT runs_assistant_id_fkey FOREIGN KEY (assistant_id) REFERENCES assistants(id) ON DELETE CASCADE;
ALTER TABLE runs ADD CONSTRAINT runs_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads(id) ON DELETE CASCADE;
ALTER TABLE secrets ADD CONSTRAINT secrets_user_id_fkey FOREIGN KEY (user_id) REFERENCES userbase(id) ON DELETE CASCADE;
ALTER TABLE steps ADD CONSTRAINT steps_assistant_id_fkey FOREIGN KEY (assistant_id) REFERENCES assistants(id) ON DELETE CASCADE;
ALTER TABLE steps ADD CONSTRAINT steps_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id) ON DELETE CASCADE;
ALTER TABLE steps ADD CONSTRAINT steps_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads(id) ON DELETE CASCADE;
ALTER TABLE supply_update_logs ADD CONSTRAINT supply_update_logs_research_session_id_fkey FOREIGN KEY (research_session_id) REFERENCES research_sessions(id) ON DELETE SET NULL;
ALTER TABLE supply_update_logs ADD CONSTRAINT supply_update_logs_supply_item_id_fkey FOREIGN KEY (supply_item_id) REFERENCES ai_supply_items(id) ON DELETE CASCADE;
ALTER TABLE tool_usage_logs ADD CONSTRAINT tool_usage_logs_user_id_fkey FOREIGN KEY (user_id) REFERENCES userbase(id) ON DELETE CASCADE;

CREATE FUNCTION update_updated_at_column() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = CURRENT_TIMESTAMP;
    RETURN NEW;
END
$$;
CREATE TRIGGER update_analyses_updated_at BEFORE UPDATE ON analyses FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_corpora_updated_at BEFORE UPDATE ON corpora FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_demo_scenarios_updated_at BEFORE UPDATE ON demo_scenarios FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_demo_sessions_updated_at BEFORE UPDATE ON demo_sessions FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_secrets_updated_at BEFORE UPDATE ON secrets FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_supplies_updated_at BEFORE UPDATE ON supplies FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_supply_options_updated_at BEFORE UPDATE ON supply_options FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
CREATE TRIGGER update_userbase_updated_at BEFORE UPDATE ON userbase FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();
