"""Connections to a database and the execution of statements on them: time limits, locks, retries, error messages."""
