"""This project's own schema: the modules in sql/ and the models that their settings name."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.schema_of import Schema, read_schema

ROOT = Path(__file__).parents[2]


@cache
def own_schema() -> Schema:
    """Return the schema with its models, which are imported once."""
    return read_schema(ROOT / "sql")
