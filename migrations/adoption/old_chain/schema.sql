-- The tables at the head of the platform's old chain of migrations: four tables have another shape.
-- A database is recognised by these tables and columns; what it has besides stays.

CREATE TABLE ai_supply_items (
    id varchar NOT NULL,
    name varchar NOT NULL,
    provider varchar NOT NULL,
    model_name varchar NOT NULL,
    cost_per_token double precision,
    metadata_ json,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT ai_supply_items_pkey PRIMARY KEY (id)
);

CREATE TABLE analyses (
    id varchar NOT NULL,
    name varchar NOT NULL,
    description varchar,
    status varchar,
    created_by_id varchar,
    created_at timestamptz,
    updated_at timestamptz,
    CONSTRAINT analyses_pkey PRIMARY KEY (id)
);

CREATE TABLE analysis_results (
    id varchar NOT NULL,
    analysis_id varchar,
    data json,
    created_at timestamptz,
    CONSTRAINT analysis_results_pkey PRIMARY KEY (id)
);

CREATE TABLE apex_optimizer_agent_run_reports (
    id varchar NOT NULL,
    run_id varchar NOT NULL,
    report varchar NOT NULL,
    timestamp timestamptz,
    CONSTRAINT apex_optimizer_agent_run_reports_pkey PRIMARY KEY (id)
);

CREATE TABLE apex_optimizer_agent_runs (
    id varchar NOT NULL,
    run_id varchar NOT NULL,
    step_name varchar NOT NULL,
    step_input json,
    step_output json,
    run_log varchar,
    timestamp timestamptz,
    CONSTRAINT apex_optimizer_agent_runs_pkey PRIMARY KEY (id)
);

CREATE TABLE assistants (
    id varchar NOT NULL,
    object varchar NOT NULL,
    created_at integer NOT NULL,
    name varchar,
    description varchar,
    model varchar NOT NULL,
    instructions varchar,
    tools json NOT NULL,
    file_ids varchar[] NOT NULL,
    metadata_ json,
    CONSTRAINT assistants_pkey PRIMARY KEY (id)
);

CREATE TABLE corpora (
    id varchar NOT NULL,
    name varchar NOT NULL,
    description varchar,
    table_name varchar,
    status varchar,
    created_by_id varchar,
    created_at timestamptz,
    updated_at timestamptz,
    CONSTRAINT corpora_pkey PRIMARY KEY (id)
);

CREATE TABLE messages (
    id varchar NOT NULL,
    object varchar NOT NULL,
    created_at integer NOT NULL,
    thread_id varchar NOT NULL,
    role varchar NOT NULL,
    content json NOT NULL,
    assistant_id varchar,
    run_id varchar,
    file_ids varchar[] NOT NULL,
    metadata_ json,
    CONSTRAINT messages_pkey PRIMARY KEY (id)
);

CREATE TABLE "references" (
    id varchar NOT NULL,
    name varchar NOT NULL,
    friendly_name varchar NOT NULL,
    description varchar,
    type varchar NOT NULL,
    value varchar NOT NULL,
    version varchar NOT NULL,
    created_at timestamptz,
    updated_at timestamptz,
    CONSTRAINT references_pkey PRIMARY KEY (id)
);

CREATE TABLE research_sessions (
    id varchar NOT NULL,
    user_id varchar,
    topic varchar NOT NULL,
    status varchar,
    findings json,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT research_sessions_pkey PRIMARY KEY (id)
);

CREATE TABLE runs (
    id varchar NOT NULL,
    object varchar NOT NULL,
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
    tools json NOT NULL,
    file_ids varchar[] NOT NULL,
    metadata_ json,
    CONSTRAINT runs_pkey PRIMARY KEY (id)
);

CREATE TABLE secrets (
    id varchar NOT NULL,
    user_id varchar NOT NULL,
    key varchar NOT NULL,
    encrypted_value varchar NOT NULL,
    created_at timestamptz,
    updated_at timestamptz,
    CONSTRAINT secrets_pkey PRIMARY KEY (id)
);

CREATE TABLE steps (
    id varchar NOT NULL,
    object varchar NOT NULL,
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
    id varchar NOT NULL,
    name varchar NOT NULL,
    description varchar,
    created_at timestamptz,
    updated_at timestamptz,
    CONSTRAINT supplies_pkey PRIMARY KEY (id)
);

CREATE TABLE supply_options (
    id serial NOT NULL,
    provider varchar NOT NULL,
    family varchar NOT NULL,
    name varchar NOT NULL,
    hosting_type varchar,
    cost_per_million_tokens_usd json NOT NULL,
    quality_score double precision NOT NULL,
    created_at timestamptz,
    updated_at timestamptz,
    CONSTRAINT supply_options_pkey PRIMARY KEY (id)
);

CREATE TABLE supply_update_logs (
    id varchar NOT NULL,
    supply_item_id varchar,
    update_type varchar NOT NULL,
    old_value json,
    new_value json,
    updated_by varchar,
    created_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT supply_update_logs_pkey PRIMARY KEY (id)
);

CREATE TABLE threads (
    id varchar NOT NULL,
    object varchar NOT NULL,
    created_at integer NOT NULL,
    metadata_ json,
    CONSTRAINT threads_pkey PRIMARY KEY (id)
);

CREATE TABLE tool_usage_logs (
    id varchar NOT NULL,
    user_id varchar,
    tool_name varchar NOT NULL,
    input_data json,
    output_data json,
    status varchar,
    duration_ms integer,
    created_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT tool_usage_logs_pkey PRIMARY KEY (id)
);

CREATE TABLE userbase (
    id varchar NOT NULL,
    email varchar NOT NULL,
    full_name varchar,
    picture varchar,
    created_at timestamptz,
    updated_at timestamptz,
    is_active boolean,
    is_superuser boolean,
    hashed_password varchar,
    role varchar DEFAULT 'standard_user'::varchar,
    permissions json DEFAULT '{}'::json,
    is_developer boolean DEFAULT false,
    tool_permissions json,
    plan_expires_at timestamp,
    feature_flags json,
    payment_status varchar,
    auto_renew boolean DEFAULT false,
    plan_tier varchar,
    plan_started_at timestamp,
    trial_period integer,
    CONSTRAINT users_pkey PRIMARY KEY (id)
);

CREATE INDEX ix_analyses_name ON analyses (name);
CREATE UNIQUE INDEX ix_apex_optimizer_agent_run_reports_run_id ON apex_optimizer_agent_run_reports (run_id);
CREATE INDEX ix_apex_optimizer_agent_runs_run_id ON apex_optimizer_agent_runs (run_id);
CREATE UNIQUE INDEX ix_corpora_name ON corpora (name);
CREATE INDEX ix_references_name ON "references" (name);
CREATE INDEX ix_supplies_name ON supplies (name);
CREATE UNIQUE INDEX ix_supply_options_name ON supply_options (name);
CREATE UNIQUE INDEX ix_userbase_email ON userbase (email);
CREATE INDEX ix_userbase_full_name ON userbase (full_name);
CREATE INDEX ix_userbase_role ON userbase (role);

ALTER TABLE analyses ADD CONSTRAINT analyses_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES userbase(id);
ALTER TABLE analysis_results ADD CONSTRAINT analysis_results_analysis_id_fkey FOREIGN KEY (analysis_id) REFERENCES analyses(id);
ALTER TABLE corpora ADD CONSTRAINT corpora_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES userbase(id);
ALTER TABLE messages ADD CONSTRAINT messages_assistant_id_fkey FOREIGN KEY (assistant_id) REFERENCES assistants(id);
ALTER TABLE messages ADD CONSTRAINT messages_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id);
ALTER TABLE messages ADD CONSTRAINT messages_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads(id);
ALTER TABLE runs ADD CONSTRAINT runs_assistant_id_fkey FOREIGN KEY (assistant_id) REFERENCES assistants(id);
ALTER TABLE runs ADD CONSTRAINT runs_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads(id);
ALTER TABLE secrets ADD CONSTRAINT secrets_user_id_fkey FOREIGN KEY (user_id) REFERENCES userbase(id);
ALTER TABLE steps ADD CONSTRAINT steps_assistant_id_fkey FOREIGN KEY (assistant_id) REFERENCES assistants(id);
ALTER TABLE steps ADD CONSTRAINT steps_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id);
ALTER TABLE steps ADD CONSTRAINT steps_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads(id);
