-- Customers: accounts and their addresses.
-- Written by `python -m infra generate` from tests/fixture_schema/models/customers.py; change it there, not here.

CREATE TABLE customers (
    id         varchar     NOT NULL,
    email      varchar     NOT NULL,
    full_name  varchar,
    phone      varchar,
    role       varchar,
    plan       varchar,
    is_trial   boolean,
    created_at timestamptz,
    CONSTRAINT customers_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE customers IS 'Accounts of the shop.';
COMMENT ON COLUMN customers.id         IS 'Identifier supplied by the caller.';
COMMENT ON COLUMN customers.email      IS 'Address used to sign in; unique.';
COMMENT ON COLUMN customers.full_name  IS 'Name shown to other people.';
COMMENT ON COLUMN customers.phone      IS 'Telephone number, as it was typed.';
COMMENT ON COLUMN customers.role       IS 'One of buyer, seller.';
COMMENT ON COLUMN customers.plan       IS 'One of free, pro.';
COMMENT ON COLUMN customers.is_trial   IS 'Whether the account is on trial.';
COMMENT ON COLUMN customers.created_at IS 'When the account was created.';

CREATE TABLE addresses (
    id          varchar    NOT NULL,
    customer_id varchar    NOT NULL,
    label       varchar    NOT NULL,
    lines       varchar[]  NOT NULL,
    country     varchar(2) NOT NULL,
    CONSTRAINT addresses_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE addresses IS 'Postal addresses of customers.';
COMMENT ON COLUMN addresses.id          IS 'Identifier supplied by the caller.';
COMMENT ON COLUMN addresses.customer_id IS 'The customer.';
COMMENT ON COLUMN addresses.label       IS 'What the customer calls it.';
COMMENT ON COLUMN addresses.lines       IS 'The lines of the address.';
COMMENT ON COLUMN addresses.country     IS 'Country code, as in ISO 3166.';
