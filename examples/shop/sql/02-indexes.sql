CREATE INDEX products_name_idx ON products USING gin (name gin_trgm_ops);
CREATE INDEX orders_product_id_idx ON orders (product_id);
