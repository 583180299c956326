CREATE SCHEMA sqlmodule;
COMMENT ON SCHEMA sqlmodule IS 'What platform-postgres applied to this database, written in the transaction of each module.';

CREATE TABLE sqlmodule.identity (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    format integer NOT NULL,
    stack text NOT NULL,
    system_identifier text NOT NULL,
    database oid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sqlmodule.identity IS 'Which stack, server and database this ledger belongs to; one row.';

CREATE TABLE sqlmodule.ledger (
    module text PRIMARY KEY,
    text_digest text NOT NULL,
    statements_digest text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('applied', 'adopted', 'verified', 'orphaned')),
    stack text NOT NULL,
    applied_by text NOT NULL DEFAULT session_user,
    applied_at timestamptz NOT NULL DEFAULT now(),
    duration interval NOT NULL,
    objects jsonb NOT NULL,
    seeds jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE sqlmodule.ledger IS 'The modules that are applied, a row each.';
COMMENT ON COLUMN sqlmodule.ledger.seeds IS 'How many rows the module inserted, by table, and how many it changed or deleted, by `changes of` a table.';
COMMENT ON COLUMN sqlmodule.ledger.objects IS
    'What the module did: kind, name, definition (null: dropped), and whether the object had been there before.';

CREATE TABLE sqlmodule.resume (
    module text PRIMARY KEY,
    statements_digest text NOT NULL,
    done integer NOT NULL,
    begun boolean NOT NULL,
    objects jsonb NOT NULL
);
COMMENT ON TABLE sqlmodule.resume IS
    'How many statements are done of a module that runs outside a transaction, with their digest, and whether the next was begun.';

CREATE TABLE sqlmodule.compared (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    catalog_version text NOT NULL,
    event bigint NOT NULL,
    files text NOT NULL,
    further jsonb NOT NULL
);
COMMENT ON TABLE sqlmodule.compared IS
    'When the whole catalog was last found as the modules left it: its version, the last event, a digest of the files.';
COMMENT ON COLUMN sqlmodule.compared.further IS 'What the catalog had besides what the modules made: kind, name, definition.';

CREATE TABLE sqlmodule.event (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    module text NOT NULL,
    step text NOT NULL,
    failure text,
    statements_digest text NOT NULL,
    stack text NOT NULL,
    by_role text NOT NULL DEFAULT session_user,
    duration interval NOT NULL
);
COMMENT ON TABLE sqlmodule.event IS 'Everything that was done or tried, in order; failure is the SQLSTATE, NULL for success.';
