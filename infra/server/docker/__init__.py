"""A PostgreSQL server in a container."""
