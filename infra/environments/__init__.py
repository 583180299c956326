"""Environments: stacks that are made from a template for a time, and vanish without a trace."""
