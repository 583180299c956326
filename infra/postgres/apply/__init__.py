"""Applies, verifies, rebuilds and retires modules in a database."""
