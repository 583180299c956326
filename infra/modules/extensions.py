"""The extensions of a database whose stack does not name its own."""

DEFAULT_EXTENSIONS = ("uuid-ossp", "pgcrypto", "pg_trgm")
