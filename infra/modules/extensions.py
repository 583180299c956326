"""The extensions that every database gets where a stack names no others."""

DEFAULT_EXTENSIONS = ("uuid-ossp", "pgcrypto", "pg_trgm")
