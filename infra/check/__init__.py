"""Checks, on scratch databases, that models, modules and live databases have one schema."""
