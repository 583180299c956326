"""The proof that models, modules and live databases are one schema, made on scratch databases."""
