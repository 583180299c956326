"""A small schema of a shop for the tests of the program, so that they do not depend on the project's own schema.

`SQL` is the directory of its modules, as `infra.generate` writes them. Its models are a package of their own, imported
by `from tests.fixture_schema import models`; the project's package `models` is another one. For a command that imports
`models` itself, `use_as_models` replaces that package during a test, and `COMMAND` does so in a process of its own.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

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

COMMAND = (sys.executable, "-m", "tests.fixture_schema")
"""`python -m infra` with the fixture's models; run it in the root of the repository."""


def use_as_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the package `models` by the fixture's models, for the duration of a test."""
    monkeypatch.setitem(sys.modules, "models", importlib.import_module("tests.fixture_schema.models"))
