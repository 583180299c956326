-- Content: lookup values of the user interface, analyses and results, corpora and their audit trail.
-- Written by `python -m infra generate` from models/content.py; change it there, not here.

CREATE TABLE "references" (
    id            varchar     NOT NULL,
    name          varchar     NOT NULL,
    friendly_name varchar     NOT NULL,
    description   varchar,
    type          varchar     NOT NULL,
    value         varchar     NOT NULL,
    version       varchar     NOT NULL,
    created_at    timestamptz,
    updated_at    timestamptz,
    CONSTRAINT references_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE "references" IS 'Named values that the user interface offers to choose from.';
COMMENT ON COLUMN "references".id            IS 'Random UUID as text.';
COMMENT ON COLUMN "references".name          IS 'Name used in text and code.';
COMMENT ON COLUMN "references".friendly_name IS 'Name shown to people.';
COMMENT ON COLUMN "references".description   IS 'What the value stands for.';
COMMENT ON COLUMN "references".type          IS 'One of source, time_period.';
COMMENT ON COLUMN "references".value         IS 'The value itself.';
COMMENT ON COLUMN "references".version       IS 'Version of the value.';
COMMENT ON COLUMN "references".created_at    IS 'When the value was added.';
COMMENT ON COLUMN "references".updated_at    IS 'When the application last changed it.';

CREATE TABLE analyses (
    id            varchar     NOT NULL,
    name          varchar     NOT NULL,
    description   varchar,
    status        varchar,
    created_by_id varchar,
    created_at    timestamptz,
    updated_at    timestamptz,
    CONSTRAINT analyses_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE analyses IS 'Analyses that users start.';
COMMENT ON COLUMN analyses.id            IS 'Random UUID as text.';
COMMENT ON COLUMN analyses.name          IS 'Name of the analysis.';
COMMENT ON COLUMN analyses.description   IS 'What is analysed.';
COMMENT ON COLUMN analyses.status        IS 'One of pending, running, completed, failed.';
COMMENT ON COLUMN analyses.created_by_id IS 'The user who started it.';
COMMENT ON COLUMN analyses.created_at    IS 'When it was started.';
COMMENT ON COLUMN analyses.updated_at    IS 'When the application last changed it.';

CREATE TABLE analysis_results (
    id          varchar     NOT NULL,
    analysis_id varchar,
    data        json,
    created_at  timestamptz,
    CONSTRAINT analysis_results_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE analysis_results IS 'What an analysis produced.';
COMMENT ON COLUMN analysis_results.id          IS 'Random UUID as text.';
COMMENT ON COLUMN analysis_results.analysis_id IS 'The analysis it belongs to.';
COMMENT ON COLUMN analysis_results.data        IS 'The result.';
COMMENT ON COLUMN analysis_results.created_at  IS 'When it was produced.';

CREATE TABLE corpora (
    id            varchar     NOT NULL,
    name          varchar     NOT NULL,
    description   varchar,
    table_name    varchar,
    status        varchar,
    domain        varchar,
    metadata_     json,
    created_by_id varchar,
    created_at    timestamptz,
    updated_at    timestamptz,
    CONSTRAINT corpora_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE corpora IS 'Registered corpora; the content of each is in a ClickHouse table of its own.';
COMMENT ON COLUMN corpora.id            IS 'Random UUID as text.';
COMMENT ON COLUMN corpora.name          IS 'Name of the corpus; unique.';
COMMENT ON COLUMN corpora.description   IS 'What the corpus holds.';
COMMENT ON COLUMN corpora.table_name    IS 'Name of the ClickHouse table with the content.';
COMMENT ON COLUMN corpora.status        IS 'Such as pending, creating, available, updating, completed, failed, deleting.';
COMMENT ON COLUMN corpora.domain        IS 'Subject area.';
COMMENT ON COLUMN corpora.metadata_     IS 'Free key-value pairs.';
COMMENT ON COLUMN corpora.created_by_id IS 'The user who registered it.';
COMMENT ON COLUMN corpora.created_at    IS 'When it was registered.';
COMMENT ON COLUMN corpora.updated_at    IS 'When the application last changed it.';

CREATE TABLE corpus_audit_logs (
    id                    varchar          NOT NULL,
    timestamp             timestamptz,
    user_id               varchar,
    action                varchar          NOT NULL,
    status                varchar          NOT NULL,
    corpus_id             varchar,
    resource_type         varchar          NOT NULL,
    resource_id           varchar,
    operation_duration_ms double precision,
    result_data           json,
    user_agent            varchar,
    ip_address            varchar,
    request_id            varchar,
    session_id            varchar,
    configuration         json,
    performance_metrics   json,
    error_details         json,
    compliance_flags      varchar[],
    CONSTRAINT corpus_audit_logs_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE corpus_audit_logs IS 'Audit trail: one row for each operation on a corpus.';
COMMENT ON COLUMN corpus_audit_logs.id                    IS 'Random UUID as text.';
COMMENT ON COLUMN corpus_audit_logs.timestamp             IS 'When the operation took place.';
COMMENT ON COLUMN corpus_audit_logs.user_id               IS 'Who did it, if a user did.';
COMMENT ON COLUMN corpus_audit_logs.action                IS 'One of create, update, delete, search, generate, upload, validate, export, import, backup, restore.';
COMMENT ON COLUMN corpus_audit_logs.status                IS 'One of success, failure, partial, in_progress, cancelled.';
COMMENT ON COLUMN corpus_audit_logs.corpus_id             IS 'The corpus; no reference to corpora.';
COMMENT ON COLUMN corpus_audit_logs.resource_type         IS 'Such as corpus, document, embedding.';
COMMENT ON COLUMN corpus_audit_logs.resource_id           IS 'What was acted on.';
COMMENT ON COLUMN corpus_audit_logs.operation_duration_ms IS 'Duration in milliseconds.';
COMMENT ON COLUMN corpus_audit_logs.result_data           IS 'What the operation gave back.';
COMMENT ON COLUMN corpus_audit_logs.user_agent            IS 'The client''s own description.';
COMMENT ON COLUMN corpus_audit_logs.ip_address            IS 'The client''s address.';
COMMENT ON COLUMN corpus_audit_logs.request_id            IS 'The request that it was part of.';
COMMENT ON COLUMN corpus_audit_logs.session_id            IS 'The session that it was part of.';
COMMENT ON COLUMN corpus_audit_logs.configuration         IS 'Settings of the operation.';
COMMENT ON COLUMN corpus_audit_logs.performance_metrics   IS 'What was measured.';
COMMENT ON COLUMN corpus_audit_logs.error_details         IS 'What went wrong.';
COMMENT ON COLUMN corpus_audit_logs.compliance_flags      IS 'Compliance rules that the operation touches.';
