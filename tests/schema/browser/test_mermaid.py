"""The committed Mermaid texts hold to the same claims as those of the small schema in tests/browser."""

from __future__ import annotations

from tests.browser.test_mermaid import test_mermaid_reads_every_table_column_and_key

pytest_plugins = ["tests.browser.chromium"]

__all__ = ["test_mermaid_reads_every_table_column_and_key"]
