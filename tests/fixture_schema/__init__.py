"""A small schema of a shop for the tests of the program, so that they do not depend on the project's own schema.

`SQL` is the directory of its modules, as `python -m infra generate --directory tests/fixture_schema/sql` writes them.
Its models are a package of their own, which the settings in that directory name.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.schema_of import Schema, read_schema

ROOT = Path(__file__).parent
SQL = ROOT / "sql"

TABLES = ("customers", "addresses", "categories", "products", "order", "order_lines", "shipping_methods")
MODULE_NAMES = (
    "01-init-extensions",
    "02-init-customers",
    "03-init-catalogue",
    "04-init-orders",
    "05-init-order-lines",
    "06-init-shipping",
    "07-init-indexes",
    "08-init-constraints",
)


@cache
def shop() -> Schema:
    """Return the schema with its models, which are imported once."""
    return read_schema(SQL)
