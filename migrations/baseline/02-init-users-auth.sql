-- Users and auth: accounts, the credentials they keep, and a log of the tools they call.
-- Written by `python -m infra generate` from models/user.py; change it there, not here.

CREATE TABLE userbase (
    id               varchar     NOT NULL,
    email            varchar     NOT NULL,
    full_name        varchar,
    hashed_password  varchar,
    picture          varchar,
    created_at       timestamptz,
    updated_at       timestamptz,
    is_active        boolean,
    is_superuser     boolean,
    role             varchar,
    permissions      json,
    is_developer     boolean,
    plan_tier        varchar,
    plan_expires_at  timestamptz,
    feature_flags    json,
    tool_permissions json,
    plan_started_at  timestamptz,
    auto_renew       boolean,
    payment_status   varchar,
    trial_period     boolean,
    CONSTRAINT userbase_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE userbase IS 'Accounts: identity, administrative role, plan and billing state.';
COMMENT ON COLUMN userbase.id               IS 'Random UUID as text.';
COMMENT ON COLUMN userbase.email            IS 'Address used to sign in; unique.';
COMMENT ON COLUMN userbase.full_name        IS 'Name shown to other people.';
COMMENT ON COLUMN userbase.hashed_password  IS 'Hash of the password; null for accounts without one.';
COMMENT ON COLUMN userbase.picture          IS 'URL of the profile picture.';
COMMENT ON COLUMN userbase.created_at       IS 'When the account was made.';
COMMENT ON COLUMN userbase.updated_at       IS 'When the application last changed the account.';
COMMENT ON COLUMN userbase.is_active        IS 'Whether the account may sign in.';
COMMENT ON COLUMN userbase.is_superuser     IS 'Whether the account is an application superuser.';
COMMENT ON COLUMN userbase.role             IS 'One of standard_user, power_user, developer, admin, super_admin.';
COMMENT ON COLUMN userbase.permissions      IS 'Fine-grained grants beyond those of the role.';
COMMENT ON COLUMN userbase.is_developer     IS 'Whether the account belongs to a developer.';
COMMENT ON COLUMN userbase.plan_tier        IS 'One of free, pro, enterprise, developer.';
COMMENT ON COLUMN userbase.plan_expires_at  IS 'When the plan ends, if it does.';
COMMENT ON COLUMN userbase.feature_flags    IS 'Features switched on or off for the account.';
COMMENT ON COLUMN userbase.tool_permissions IS 'Overrides of the plan''s permissions, by tool.';
COMMENT ON COLUMN userbase.plan_started_at  IS 'When the current plan began.';
COMMENT ON COLUMN userbase.auto_renew       IS 'Whether the plan renews by itself.';
COMMENT ON COLUMN userbase.payment_status   IS 'One of active, suspended, cancelled.';
COMMENT ON COLUMN userbase.trial_period     IS 'Whether the account is on trial; a flag, not a length.';

CREATE TABLE secrets (
    id              varchar     NOT NULL,
    user_id         varchar     NOT NULL,
    key             varchar     NOT NULL,
    encrypted_value varchar     NOT NULL,
    created_at      timestamptz,
    updated_at      timestamptz,
    CONSTRAINT secrets_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE secrets IS 'Credentials that a user keeps, encrypted by the application.';
COMMENT ON COLUMN secrets.id              IS 'Random UUID as text.';
COMMENT ON COLUMN secrets.user_id         IS 'The owner.';
COMMENT ON COLUMN secrets.key             IS 'What the credential is for.';
COMMENT ON COLUMN secrets.encrypted_value IS 'The credential; encrypted before it is sent here.';
COMMENT ON COLUMN secrets.created_at      IS 'When the credential was stored.';
COMMENT ON COLUMN secrets.updated_at      IS 'When the application last changed it.';

CREATE TABLE tool_usage_logs (
    id                      varchar     NOT NULL,
    user_id                 varchar     NOT NULL,
    tool_name               varchar     NOT NULL,
    category                varchar,
    execution_time_ms       integer,
    tokens_used             integer,
    cost_cents              integer,
    status                  varchar     NOT NULL,
    plan_tier               varchar     NOT NULL,
    permission_check_result json,
    arguments               json,
    created_at              timestamptz,
    CONSTRAINT tool_usage_logs_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE tool_usage_logs IS 'One row for each tool call, for quotas and analytics.';
COMMENT ON COLUMN tool_usage_logs.id                      IS 'Random UUID as text.';
COMMENT ON COLUMN tool_usage_logs.user_id                 IS 'Who called the tool.';
COMMENT ON COLUMN tool_usage_logs.tool_name               IS 'Name of the tool.';
COMMENT ON COLUMN tool_usage_logs.category                IS 'Group that the tool belongs to.';
COMMENT ON COLUMN tool_usage_logs.execution_time_ms       IS 'Duration of the call in milliseconds.';
COMMENT ON COLUMN tool_usage_logs.tokens_used             IS 'Model tokens that the call consumed.';
COMMENT ON COLUMN tool_usage_logs.cost_cents              IS 'Cost of the call in cents.';
COMMENT ON COLUMN tool_usage_logs.status                  IS 'One of success, error, permission_denied, rate_limited.';
COMMENT ON COLUMN tool_usage_logs.plan_tier               IS 'Plan of the user at the time of the call.';
COMMENT ON COLUMN tool_usage_logs.permission_check_result IS 'What the permission check decided, and why.';
COMMENT ON COLUMN tool_usage_logs.arguments               IS 'Arguments that the tool was called with.';
COMMENT ON COLUMN tool_usage_logs.created_at              IS 'When the tool was called.';
