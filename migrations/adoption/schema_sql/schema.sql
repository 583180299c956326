-- The tables that the platform's old schema.sql made: accounts are in `users`, rules of uniqueness are lost.
-- A database is recognised by these tables and columns; what it has besides stays.

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

CREATE TABLE threads (
    id varchar NOT NULL,
    object varchar NOT NULL,
    created_at integer NOT NULL,
    metadata_ json,
    CONSTRAINT threads_pkey PRIMARY KEY (id)
);

CREATE TABLE users (
    id varchar NOT NULL,
    email varchar NOT NULL,
    full_name varchar,
    picture varchar,
    created_at timestamptz,
    updated_at timestamptz,
    is_active boolean,
    is_superuser boolean,
    CONSTRAINT users_pkey PRIMARY KEY (id)
);


ALTER TABLE analyses ADD CONSTRAINT analyses_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id);
ALTER TABLE analysis_results ADD CONSTRAINT analysis_results_analysis_id_fkey FOREIGN KEY (analysis_id) REFERENCES analyses(id);
ALTER TABLE corpora ADD CONSTRAINT corpora_created_by_id_fkey FOREIGN KEY (created_by_id) REFERENCES users(id);
ALTER TABLE messages ADD CONSTRAINT messages_assistant_id_fkey FOREIGN KEY (assistant_id) REFERENCES assistants(id);
ALTER TABLE messages ADD CONSTRAINT messages_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id);
ALTER TABLE messages ADD CONSTRAINT messages_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads(id);
ALTER TABLE runs ADD CONSTRAINT runs_assistant_id_fkey FOREIGN KEY (assistant_id) REFERENCES assistants(id);
ALTER TABLE runs ADD CONSTRAINT runs_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads(id);
ALTER TABLE secrets ADD CONSTRAINT secrets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id);
ALTER TABLE steps ADD CONSTRAINT steps_assistant_id_fkey FOREIGN KEY (assistant_id) REFERENCES assistants(id);
ALTER TABLE steps ADD CONSTRAINT steps_run_id_fkey FOREIGN KEY (run_id) REFERENCES runs(id);
ALTER TABLE steps ADD CONSTRAINT steps_thread_id_fkey FOREIGN KEY (thread_id) REFERENCES threads(id);
