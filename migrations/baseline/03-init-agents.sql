-- Agents: assistants with their threads, runs, messages and steps, the optimizer's trace, saved agent state.
-- Written by `python -m infra generate` from models/agent.py and models/agent_state.py; change it there, not here.

CREATE TABLE assistants (
    id           varchar   NOT NULL,
    object       varchar   NOT NULL,
    created_at   integer   NOT NULL,
    name         varchar,
    description  varchar,
    model        varchar   NOT NULL,
    instructions varchar,
    tools        json      NOT NULL,
    file_ids     varchar[] NOT NULL,
    metadata_    json,
    CONSTRAINT assistants_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE assistants IS 'Assistants: a model with instructions and tools, shaped like OpenAI''s objects.';
COMMENT ON COLUMN assistants.id           IS 'Identifier supplied by the caller.';
COMMENT ON COLUMN assistants.object       IS 'Kind of object: assistant.';
COMMENT ON COLUMN assistants.created_at   IS 'When it was made, in Unix seconds.';
COMMENT ON COLUMN assistants.name         IS 'Name shown to people.';
COMMENT ON COLUMN assistants.description  IS 'What the assistant is for.';
COMMENT ON COLUMN assistants.model        IS 'Name of the language model it uses.';
COMMENT ON COLUMN assistants.instructions IS 'System instructions given to the model.';
COMMENT ON COLUMN assistants.tools        IS 'Tools that the assistant may call.';
COMMENT ON COLUMN assistants.file_ids     IS 'Files attached to the assistant.';
COMMENT ON COLUMN assistants.metadata_    IS 'Free key-value pairs of the caller.';

CREATE TABLE threads (
    id         varchar NOT NULL,
    object     varchar NOT NULL,
    created_at integer NOT NULL,
    metadata_  json,
    CONSTRAINT threads_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE threads IS 'Conversations: what messages belong to and runs work on.';
COMMENT ON COLUMN threads.id         IS 'Identifier supplied by the caller.';
COMMENT ON COLUMN threads.object     IS 'Kind of object: thread.';
COMMENT ON COLUMN threads.created_at IS 'When it was made, in Unix seconds.';
COMMENT ON COLUMN threads.metadata_  IS 'Free key-value pairs of the caller.';

CREATE TABLE runs (
    id              varchar   NOT NULL,
    object          varchar   NOT NULL,
    created_at      integer   NOT NULL,
    thread_id       varchar   NOT NULL,
    assistant_id    varchar   NOT NULL,
    status          varchar   NOT NULL,
    required_action json,
    last_error      json,
    expires_at      integer,
    started_at      integer,
    cancelled_at    integer,
    failed_at       integer,
    completed_at    integer,
    model           varchar,
    instructions    varchar,
    tools           json      NOT NULL,
    file_ids        varchar[] NOT NULL,
    metadata_       json,
    CONSTRAINT runs_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE runs IS 'Runs: one execution of an assistant on a thread.';
COMMENT ON COLUMN runs.id              IS 'Identifier supplied by the caller.';
COMMENT ON COLUMN runs.object          IS 'Kind of object: thread.run.';
COMMENT ON COLUMN runs.created_at      IS 'When it was made, in Unix seconds.';
COMMENT ON COLUMN runs.thread_id       IS 'The conversation it works on.';
COMMENT ON COLUMN runs.assistant_id    IS 'The assistant that is executed.';
COMMENT ON COLUMN runs.status          IS 'Where the run stands.';
COMMENT ON COLUMN runs.required_action IS 'What the caller must do before it goes on.';
COMMENT ON COLUMN runs.last_error      IS 'The error that it last met.';
COMMENT ON COLUMN runs.expires_at      IS 'When it will expire, in Unix seconds.';
COMMENT ON COLUMN runs.started_at      IS 'When it started, in Unix seconds.';
COMMENT ON COLUMN runs.cancelled_at    IS 'When it was cancelled, in Unix seconds.';
COMMENT ON COLUMN runs.failed_at       IS 'When it failed, in Unix seconds.';
COMMENT ON COLUMN runs.completed_at    IS 'When it was completed, in Unix seconds.';
COMMENT ON COLUMN runs.model           IS 'Language model used instead of the assistant''s.';
COMMENT ON COLUMN runs.instructions    IS 'Instructions used instead of the assistant''s.';
COMMENT ON COLUMN runs.tools           IS 'Tools that this run may call.';
COMMENT ON COLUMN runs.file_ids        IS 'Files available to this run.';
COMMENT ON COLUMN runs.metadata_       IS 'Free key-value pairs of the caller.';

CREATE TABLE messages (
    id           varchar   NOT NULL,
    object       varchar   NOT NULL,
    created_at   integer   NOT NULL,
    thread_id    varchar   NOT NULL,
    role         varchar   NOT NULL,
    content      json      NOT NULL,
    assistant_id varchar,
    run_id       varchar,
    file_ids     varchar[] NOT NULL,
    metadata_    json,
    CONSTRAINT messages_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE messages IS 'Messages of a thread, written by a user or by an assistant in a run.';
COMMENT ON COLUMN messages.id           IS 'Identifier supplied by the caller.';
COMMENT ON COLUMN messages.object       IS 'Kind of object: thread.message.';
COMMENT ON COLUMN messages.created_at   IS 'When it was written, in Unix seconds.';
COMMENT ON COLUMN messages.thread_id    IS 'The conversation it belongs to.';
COMMENT ON COLUMN messages.role         IS 'Who speaks, such as user or assistant.';
COMMENT ON COLUMN messages.content      IS 'Parts of the message: text, images, file references.';
COMMENT ON COLUMN messages.assistant_id IS 'The assistant that wrote it, if one did.';
COMMENT ON COLUMN messages.run_id       IS 'The run that it was written in, if any.';
COMMENT ON COLUMN messages.file_ids     IS 'Files attached to the message.';
COMMENT ON COLUMN messages.metadata_    IS 'Free key-value pairs of the caller.';

CREATE TABLE steps (
    id           varchar NOT NULL,
    object       varchar NOT NULL,
    created_at   integer NOT NULL,
    run_id       varchar NOT NULL,
    assistant_id varchar NOT NULL,
    thread_id    varchar NOT NULL,
    type         varchar NOT NULL,
    status       varchar NOT NULL,
    step_details json    NOT NULL,
    last_error   json,
    expired_at   integer,
    cancelled_at integer,
    failed_at    integer,
    completed_at integer,
    metadata_    json,
    CONSTRAINT steps_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE steps IS 'Steps: what a run did, one by one.';
COMMENT ON COLUMN steps.id           IS 'Identifier supplied by the caller.';
COMMENT ON COLUMN steps.object       IS 'Kind of object: thread.run.step.';
COMMENT ON COLUMN steps.created_at   IS 'When it was made, in Unix seconds.';
COMMENT ON COLUMN steps.run_id       IS 'The run it is part of.';
COMMENT ON COLUMN steps.assistant_id IS 'The assistant that took it.';
COMMENT ON COLUMN steps.thread_id    IS 'The conversation it was taken for.';
COMMENT ON COLUMN steps.type         IS 'What kind of step it is.';
COMMENT ON COLUMN steps.status       IS 'Where the step stands.';
COMMENT ON COLUMN steps.step_details IS 'What was done, in a shape that depends on the type.';
COMMENT ON COLUMN steps.last_error   IS 'The error that it last met.';
COMMENT ON COLUMN steps.expired_at   IS 'When it expired, in Unix seconds.';
COMMENT ON COLUMN steps.cancelled_at IS 'When it was cancelled, in Unix seconds.';
COMMENT ON COLUMN steps.failed_at    IS 'When it failed, in Unix seconds.';
COMMENT ON COLUMN steps.completed_at IS 'When it was completed, in Unix seconds.';
COMMENT ON COLUMN steps.metadata_    IS 'Free key-value pairs of the caller.';

CREATE TABLE apex_optimizer_agent_runs (
    id          varchar     NOT NULL,
    run_id      varchar     NOT NULL,
    step_name   varchar     NOT NULL,
    step_input  json,
    step_output json,
    run_log     varchar,
    timestamp   timestamptz,
    CONSTRAINT apex_optimizer_agent_runs_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE apex_optimizer_agent_runs IS 'Trace of the optimizer agent: a row for each step of an optimizer run.';
COMMENT ON COLUMN apex_optimizer_agent_runs.id          IS 'Random UUID as text.';
COMMENT ON COLUMN apex_optimizer_agent_runs.run_id      IS 'The optimizer run; no reference to table runs.';
COMMENT ON COLUMN apex_optimizer_agent_runs.step_name   IS 'Name of the step.';
COMMENT ON COLUMN apex_optimizer_agent_runs.step_input  IS 'What the step was given.';
COMMENT ON COLUMN apex_optimizer_agent_runs.step_output IS 'What the step produced.';
COMMENT ON COLUMN apex_optimizer_agent_runs.run_log     IS 'Log text of the step.';
COMMENT ON COLUMN apex_optimizer_agent_runs.timestamp   IS 'When the step was recorded.';

CREATE TABLE apex_optimizer_agent_run_reports (
    id        varchar     NOT NULL,
    run_id    varchar     NOT NULL,
    report    varchar     NOT NULL,
    timestamp timestamptz,
    CONSTRAINT apex_optimizer_agent_run_reports_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE apex_optimizer_agent_run_reports IS 'Final reports of the optimizer agent, one for each of its runs.';
COMMENT ON COLUMN apex_optimizer_agent_run_reports.id        IS 'Random UUID as text.';
COMMENT ON COLUMN apex_optimizer_agent_run_reports.run_id    IS 'The optimizer run (unique); no reference to table runs.';
COMMENT ON COLUMN apex_optimizer_agent_run_reports.report    IS 'Text of the report.';
COMMENT ON COLUMN apex_optimizer_agent_run_reports.timestamp IS 'When the report was written.';

CREATE TABLE agent_state_snapshots (
    id                   varchar     NOT NULL,
    run_id               varchar     NOT NULL,
    thread_id            varchar     NOT NULL,
    user_id              varchar     NOT NULL,
    version              varchar     NOT NULL,
    schema_version       varchar     NOT NULL,
    checkpoint_type      varchar     NOT NULL,
    state_data           json        NOT NULL,
    serialization_format varchar     NOT NULL,
    compression_type     varchar,
    step_count           integer     NOT NULL,
    agent_phase          varchar,
    execution_context    json,
    created_at           timestamptz,
    expires_at           timestamptz,
    is_recovery_point    boolean,
    recovery_reason      varchar,
    parent_snapshot_id   varchar,
    CONSTRAINT agent_state_snapshots_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE agent_state_snapshots IS 'Saved states of an agent, to resume or recover from; each may build on a parent.';
COMMENT ON COLUMN agent_state_snapshots.id                   IS 'Random UUID as text.';
COMMENT ON COLUMN agent_state_snapshots.run_id               IS 'The agent''s run; no reference to table runs.';
COMMENT ON COLUMN agent_state_snapshots.thread_id            IS 'The conversation; no reference to table threads.';
COMMENT ON COLUMN agent_state_snapshots.user_id              IS 'The user that the agent works for.';
COMMENT ON COLUMN agent_state_snapshots.version              IS 'Version of the state itself.';
COMMENT ON COLUMN agent_state_snapshots.schema_version       IS 'Version of the shape of state_data.';
COMMENT ON COLUMN agent_state_snapshots.checkpoint_type      IS 'One of manual, auto, recovery, phase_transition.';
COMMENT ON COLUMN agent_state_snapshots.state_data           IS 'The state, as serialization_format says.';
COMMENT ON COLUMN agent_state_snapshots.serialization_format IS 'One of json, pickle, compressed_json.';
COMMENT ON COLUMN agent_state_snapshots.compression_type     IS 'One of gzip, zstd; null when not compressed.';
COMMENT ON COLUMN agent_state_snapshots.step_count           IS 'Steps taken when the state was saved.';
COMMENT ON COLUMN agent_state_snapshots.agent_phase          IS 'One of initialization, triage, data_analysis, optimization, action_planning, reporting, completion.';
COMMENT ON COLUMN agent_state_snapshots.execution_context    IS 'Surroundings needed to resume.';
COMMENT ON COLUMN agent_state_snapshots.created_at           IS 'When the state was saved.';
COMMENT ON COLUMN agent_state_snapshots.expires_at           IS 'When it may be deleted; null for never.';
COMMENT ON COLUMN agent_state_snapshots.is_recovery_point    IS 'Whether recovery may start here.';
COMMENT ON COLUMN agent_state_snapshots.recovery_reason      IS 'Why it was kept for recovery.';
COMMENT ON COLUMN agent_state_snapshots.parent_snapshot_id   IS 'The snapshot that this one builds on.';

CREATE TABLE agent_state_transactions (
    id                varchar     NOT NULL,
    snapshot_id       varchar     NOT NULL,
    run_id            varchar     NOT NULL,
    operation_type    varchar     NOT NULL,
    field_changes     json,
    previous_values   json,
    triggered_by      varchar     NOT NULL,
    execution_phase   varchar,
    execution_time_ms integer,
    memory_usage_mb   integer,
    status            varchar     NOT NULL,
    error_message     text,
    started_at        timestamptz,
    completed_at      timestamptz,
    CONSTRAINT agent_state_transactions_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE agent_state_transactions IS 'Changes made to the state of an agent, each attached to a snapshot.';
COMMENT ON COLUMN agent_state_transactions.id                IS 'Random UUID as text.';
COMMENT ON COLUMN agent_state_transactions.snapshot_id       IS 'The snapshot that was changed.';
COMMENT ON COLUMN agent_state_transactions.run_id            IS 'The agent''s run; no reference to table runs.';
COMMENT ON COLUMN agent_state_transactions.operation_type    IS 'One of create, update, merge, restore.';
COMMENT ON COLUMN agent_state_transactions.field_changes     IS 'New values, by field.';
COMMENT ON COLUMN agent_state_transactions.previous_values   IS 'Old values, by field, to roll back to.';
COMMENT ON COLUMN agent_state_transactions.triggered_by      IS 'Name of the agent, or system.';
COMMENT ON COLUMN agent_state_transactions.execution_phase   IS 'Phase in which the change was made.';
COMMENT ON COLUMN agent_state_transactions.execution_time_ms IS 'Duration in milliseconds.';
COMMENT ON COLUMN agent_state_transactions.memory_usage_mb   IS 'Memory in use, in megabytes.';
COMMENT ON COLUMN agent_state_transactions.status            IS 'One of pending, committed, failed, rolled_back.';
COMMENT ON COLUMN agent_state_transactions.error_message     IS 'Why the change failed.';
COMMENT ON COLUMN agent_state_transactions.started_at        IS 'When the change began.';
COMMENT ON COLUMN agent_state_transactions.completed_at      IS 'When it was committed, failed or rolled back.';

CREATE TABLE agent_recovery_logs (
    id                   varchar     NOT NULL,
    run_id               varchar     NOT NULL,
    thread_id            varchar     NOT NULL,
    recovery_type        varchar     NOT NULL,
    source_snapshot_id   varchar,
    target_snapshot_id   varchar,
    failure_reason       varchar,
    trigger_event        varchar     NOT NULL,
    auto_recovery        boolean,
    recovery_status      varchar     NOT NULL,
    recovered_data       json,
    lost_data            json,
    data_integrity_score integer,
    recovery_time_ms     integer,
    data_size_kb         integer,
    initiated_at         timestamptz,
    completed_at         timestamptz,
    CONSTRAINT agent_recovery_logs_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE agent_recovery_logs IS 'Attempts to recover an agent, from one snapshot to another.';
COMMENT ON COLUMN agent_recovery_logs.id                   IS 'Random UUID as text.';
COMMENT ON COLUMN agent_recovery_logs.run_id               IS 'The agent''s run; no reference to table runs.';
COMMENT ON COLUMN agent_recovery_logs.thread_id            IS 'The conversation; no reference to table threads.';
COMMENT ON COLUMN agent_recovery_logs.recovery_type        IS 'One of restart, resume, rollback.';
COMMENT ON COLUMN agent_recovery_logs.source_snapshot_id   IS 'The snapshot recovered from.';
COMMENT ON COLUMN agent_recovery_logs.target_snapshot_id   IS 'The snapshot that the recovery led to.';
COMMENT ON COLUMN agent_recovery_logs.failure_reason       IS 'What went wrong before the recovery.';
COMMENT ON COLUMN agent_recovery_logs.trigger_event        IS 'What started it, such as crash, timeout, user_request, recovery_request.';
COMMENT ON COLUMN agent_recovery_logs.auto_recovery        IS 'Whether it started by itself.';
COMMENT ON COLUMN agent_recovery_logs.recovery_status      IS 'One of initiated, in_progress, completed, failed.';
COMMENT ON COLUMN agent_recovery_logs.recovered_data       IS 'State that was brought back.';
COMMENT ON COLUMN agent_recovery_logs.lost_data            IS 'State that could not be brought back.';
COMMENT ON COLUMN agent_recovery_logs.data_integrity_score IS 'How complete it is, 0 to 100; not enforced.';
COMMENT ON COLUMN agent_recovery_logs.recovery_time_ms     IS 'Duration in milliseconds.';
COMMENT ON COLUMN agent_recovery_logs.data_size_kb         IS 'Size of the recovered state in kilobytes.';
COMMENT ON COLUMN agent_recovery_logs.initiated_at         IS 'When the recovery began.';
COMMENT ON COLUMN agent_recovery_logs.completed_at         IS 'When it was completed or failed.';
