"""Lint: what can be said of SQL modules without a server, by rules with codes over a model of what modules create."""
