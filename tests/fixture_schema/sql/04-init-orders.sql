-- Orders: what customers have ordered.
-- Written by `python -m infra generate` from tests/fixture_schema/models/orders.py; change it there, not here.

CREATE TABLE "order" (
    id          varchar     NOT NULL,
    customer_id varchar     NOT NULL,
    status      varchar(20) NOT NULL DEFAULT 'open',
    placed_at   timestamptz NOT NULL DEFAULT now(),
    note        varchar,
    CONSTRAINT order_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE "order" IS 'What a customer has ordered at one time.';
COMMENT ON COLUMN "order".id          IS 'Identifier supplied by the caller.';
COMMENT ON COLUMN "order".customer_id IS 'Who ordered.';
COMMENT ON COLUMN "order".status      IS 'One of open, paid, sent.';
COMMENT ON COLUMN "order".placed_at   IS 'When it was ordered.';
COMMENT ON COLUMN "order".note        IS 'What the customer wrote.';
