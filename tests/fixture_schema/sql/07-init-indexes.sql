-- Indexes, unique ones included: a group for each table.
-- Written by `python -m infra generate` from tests/fixture_schema/models/; change it there, not here.

CREATE UNIQUE INDEX ix_customers_email ON customers (email);
CREATE INDEX ix_customers_full_name ON customers (full_name);

CREATE INDEX ix_addresses_customer_id ON addresses (customer_id);
CREATE INDEX ix_addresses_country ON addresses (country);

CREATE INDEX ix_products_category_id ON products (category_id);
CREATE INDEX ix_products_name ON products (name);

CREATE INDEX idx_order_customer_placed ON "order" (customer_id, placed_at);

CREATE INDEX ix_order_lines_sku ON order_lines (sku);

CREATE INDEX idx_shipping_methods_active ON shipping_methods (is_active, name);
CREATE INDEX idx_shipping_methods_created ON shipping_methods (created_at);
