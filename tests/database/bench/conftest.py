"""Fixtures: databases as a stack declares them."""

from tests.database.postgres.conftest import new_world, template, world

__all__ = ["new_world", "template", "world"]
