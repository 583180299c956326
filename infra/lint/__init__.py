"""Lint: rules with codes that check SQL modules without a server, over a model of the objects that they create."""
