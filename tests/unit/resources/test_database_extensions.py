"""When a database's extensions are created again."""

from __future__ import annotations

from typing import Any

from infra.resources.database_extensions import DatabaseExtensionsProvider

INPUTS: dict[str, Any] = {"host": "h", "port": 1, "user": "u", "options": {}, "extensions": ["pgcrypto", "pg_trgm"]}
OUTPUTS = {**INPUTS, "installed": {"pgcrypto": ["public", "1.3"], "pg_trgm": ["public", "1.6"]}}


def test_an_extension_that_is_missing_or_new_is_a_change() -> None:
    """A refresh that missed one, another one in the settings, another server: `up` creates what is missing."""
    differs = DatabaseExtensionsProvider().diff
    assert not differs("id", OUTPUTS, INPUTS).changes
    assert not differs("id", {**OUTPUTS, "installed": {**OUTPUTS["installed"], "citext": ["s", "1"]}}, INPUTS).changes
    assert differs("id", {**OUTPUTS, "installed": {"pgcrypto": ["public", "1.3"]}}, INPUTS).changes
    assert differs("id", OUTPUTS, {**INPUTS, "extensions": ["pgcrypto", "pg_trgm", "citext"]}).changes
    assert differs("id", OUTPUTS, {**INPUTS, "port": 2}).changes
