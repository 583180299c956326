"""Reads a stack's settings from Pulumi's configuration; of every wrong one, what was found and what is allowed."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from infra.errors import SettingsError
from infra.settings.group_files import with_names_of_files
from infra.settings.model import Settings, default_databases
from infra.settings.problems import SettingProblems, close_kind
from infra.settings.setting_paths import without_tag

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from pydantic_core import ErrorDetails

    from infra.settings.setting_paths import Path

_STAND_INS: Mapping[object, object] = {
    "databases": ["unknown"],
    "name": "unknown",
    "group": "unknown",
    "dsn": "host=unknown",
}
"""What stands for a required setting while the others are validated."""


def settings_of(
    stack: str, project: str, config: Mapping[str, str], secret_keys: AbstractSet[str] = frozenset()
) -> Settings:
    """Validate a stack's configuration as Pulumi passes it: `project:key` to text, structured values as JSON.

    Keys of other namespaces are Pulumi's own and its providers'. Raises SettingsError with every problem.
    """
    given = {key.partition(":")[2]: _value(text) for key, text in config.items() if key.partition(":")[0] == project}
    given["databases"] = _with_default_names(given.get("databases"), default_databases(project, stack))
    problems = SettingProblems(f"{project}:", {key.removeprefix(f"{project}:") for key in secret_keys})
    problems.add_plain_passwords(given)
    given["databases"] = with_names_of_files(given["databases"], problems)
    return validated(given, problems, place=f"Pulumi.{stack}.yaml")


def _with_default_names(databases: object, names: list[str]) -> object:
    """Return the databases, the first two of which have the names that follow from the stack's where they give none."""
    if not _is(list, databases):
        return names if databases is None else databases
    completed = cast("list[Any]", databases)
    return [
        {"name": names[number], **database}
        if number < len(names) and _is(dict, database) and "group" not in database
        else database
        for number, database in enumerate(completed)
    ]


def validated(given: dict[str, Any], problems: SettingProblems, *, place: str) -> Settings:
    """Return settings from values by name; raises SettingsError at `place` with every problem."""
    settings = _without_wrong(given, problems)
    problems.add_clashes(settings)
    problems.add_unknown_adoptions(settings)
    if problems.found:
        raise SettingsError(place, problems.in_order())
    return settings


def _value(text: str) -> object:
    """Return a configuration value with its type: Pulumi passes lists, maps, numbers and booleans as JSON."""

    def not_json(constant: str) -> None:  # NaN and Infinity, which only Python takes for JSON
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=not_json)
    except ValueError:
        return text


def _without_wrong(given: dict[str, Any], problems: SettingProblems) -> Settings:
    """Return the settings without the wrong ones, which are added to the problems.

    Pydantic looks into a group only when it knows the group's kind, and at some values only when others are right. So
    what is wrong is taken out, and the rest is validated again.
    """
    rest = copy.deepcopy(given)
    while True:
        try:
            return Settings.model_validate(rest)
        except ValidationError as error:
            before = copy.deepcopy(rest)
            for detail in error.errors(include_url=False):
                problems.add_wrong_value(detail)
                _take_out(rest, detail)
            if rest == before:  # what is wrong could not be taken out, and would be found again for ever
                rest = {"databases": _STAND_INS["databases"]}


def _take_out(rest: dict[str, Any], error: ErrorDetails) -> None:
    """Remove a wrong value, or put a right one in the place of a required one."""
    path: Path = error["loc"]
    if error["type"] == "union_tag_invalid":
        kind = close_kind(error["input"]["kind"])
        if kind:
            rest["server"]["kind"] = kind
        else:
            del rest["server"]
        return
    names = cast("list[Any]", list(without_tag(path)))
    group: Any = rest
    for name in names[:-1]:
        if _is(list, group) and not _is(dict, group[name]):  # a database by its bare name
            group[name] = {"name": group[name]}
        group = group[name]
    last = names[-1]
    if _is(list, group):
        group[last] = f"unknown_{last}"
    elif last in _STAND_INS and error["type"] != "extra_forbidden":
        number = next((f"_{name}" for name in path if isinstance(name, int)), "")
        group[last] = f"{_STAND_INS[last]}{number}" if _is(str, _STAND_INS[last]) else _STAND_INS[last]
    else:
        group.pop(last, None)


def _is(kind: type, value: object) -> bool:
    """Return whether a value is of a type; pyright would infer incomplete types from `isinstance`."""
    return isinstance(value, kind)
