"""A platform's PostgreSQL, declared: server, roles, databases, extensions and numbered SQL modules."""
