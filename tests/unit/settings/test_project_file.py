"""Pulumi.yaml describes the settings to Pulumi itself: `pulumi config` shows them, with the defaults of the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.settings.loader import settings_of
from infra.settings.model import Settings

ROOT = Path(__file__).parents[3]
PROJECT: dict[str, Any] = yaml.safe_load(ROOT.joinpath("Pulumi.yaml").read_text(encoding="utf-8"))
UNDESCRIBED = {"databases": "its items are names or groups", "env_file": "it is a name or false"}
"""Settings of which Pulumi has no type, each with the reason."""


def test_every_setting_is_described_that_can_be() -> None:
    """Each setting is in the project's file, but for those that no type of Pulumi's describes."""
    assert {*PROJECT["config"], *UNDESCRIBED} == set(Settings.model_fields)


@pytest.mark.parametrize("name", PROJECT["config"])
def test_a_description_is_that_of_the_model(name: str) -> None:
    """Description and default are the model's, where each stands once for everything else."""
    described, field = PROJECT["config"][name], Settings.model_fields[name]
    assert described["description"] == field.description
    if described["type"] != "object":  # of groups the model has a default for each setting
        expected: Any = field.get_default()
        expected = [*expected] if isinstance(expected, tuple) else getattr(expected, "value", expected)
        assert described["default"] == expected


def test_the_defaults_are_valid_settings() -> None:
    """Pulumi passes the defaults as if the stack's file had them, which changes nothing."""
    defaults = {name: described["default"] for name, described in PROJECT["config"].items() if "default" in described}
    config = {
        f"p:{name}": json.dumps(value) if not isinstance(value, str) else value for name, value in defaults.items()
    }
    assert settings_of("dev", "p", config) == settings_of("dev", "p", {})
