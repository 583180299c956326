"""The configuration of a stack as its file and Pulumi.yaml have it, for commands that run without Pulumi."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping


def stack_config(project: Mapping[str, Any], stack: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a stack by their keys with the project's name: its own, else those of Pulumi.yaml.

    `project` and `stack` are the contents of the two files. What Pulumi.yaml has for all stacks is a value, or a map
    with `value` or `default` (Pulumi, project configuration).
    """
    name = str(project.get("name", ""))
    for_all = {key: _declared(value) for key, value in _mapping(project.get("config")).items()}
    config = {**_by_full_name(name, for_all), **_by_full_name(name, _mapping(stack.get("config")))}
    return {key: value for key, value in config.items() if value is not None}


def _declared(value: object) -> object:
    declared = _mapping(value)
    return declared.get("value", declared.get("default")) if declared else value


def _by_full_name(project: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {key if ":" in key else f"{project}:{key}": value for key, value in config.items()}


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}
