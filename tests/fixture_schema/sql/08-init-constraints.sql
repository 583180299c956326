-- Constraints: unique ones first, then foreign keys.
-- Written by `python -m infra generate` from tests/fixture_schema/models/; change it there, not here.

ALTER TABLE categories
    ADD CONSTRAINT uq_categories_parent_name UNIQUE (parent_id, name);

ALTER TABLE products
    ADD CONSTRAINT products_price_check CHECK (price >= 0);

ALTER TABLE order_lines
    ADD CONSTRAINT order_lines_quantity_check CHECK (quantity > 0);

ALTER TABLE shipping_methods
    ADD CONSTRAINT uq_shipping_methods_carrier_name UNIQUE (carrier, name);

ALTER TABLE addresses
    ADD CONSTRAINT addresses_customer_id_fkey
    FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION;

ALTER TABLE categories
    ADD CONSTRAINT categories_parent_id_fkey
    FOREIGN KEY (parent_id) REFERENCES categories (id) ON DELETE NO ACTION;

ALTER TABLE products
    ADD CONSTRAINT products_category_id_fkey
    FOREIGN KEY (category_id) REFERENCES categories (id) ON DELETE SET NULL;

ALTER TABLE "order"
    ADD CONSTRAINT order_customer_id_fkey
    FOREIGN KEY (customer_id) REFERENCES customers (id) ON DELETE NO ACTION;

ALTER TABLE order_lines
    ADD CONSTRAINT order_lines_order_id_fkey
    FOREIGN KEY (order_id) REFERENCES "order" (id) ON DELETE CASCADE;
ALTER TABLE order_lines
    ADD CONSTRAINT order_lines_sku_fkey
    FOREIGN KEY (sku) REFERENCES products (sku) ON DELETE NO ACTION;
