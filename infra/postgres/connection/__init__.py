"""Connections to a database, and how statements run on them: limits, locks, retries, error messages."""
