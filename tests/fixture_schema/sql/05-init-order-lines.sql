-- Order lines: the products of an order.
-- Written by `python -m infra generate` from tests/fixture_schema/models/orders.py; change it there, not here.

CREATE TABLE order_lines (
    order_id   varchar        NOT NULL,
    sku        varchar        NOT NULL,
    quantity   integer        NOT NULL,
    unit_price numeric(10, 2) NOT NULL,
    CONSTRAINT order_lines_pkey PRIMARY KEY (order_id, sku)
);
COMMENT ON TABLE order_lines IS 'Products of an order: the association of orders with products.';
COMMENT ON COLUMN order_lines.order_id   IS 'The order.';
COMMENT ON COLUMN order_lines.sku        IS 'The product.';
COMMENT ON COLUMN order_lines.quantity   IS 'How many pieces.';
COMMENT ON COLUMN order_lines.unit_price IS 'Price of one piece when it was ordered.';
