"""Reads a stack's settings from Pulumi's configuration, and says of every wrong one what was found and what may be."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from infra.errors import SettingProblem, SettingsError
from infra.settings import RESERVED_DATABASES, ROLES, Settings, default_databases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from pydantic_core import ErrorDetails

SHOWN_CHARACTERS = 60


def settings_of(
    stack: str, project: str, config: Mapping[str, str], secret_keys: AbstractSet[str] = frozenset()
) -> Settings:
    """Validate a stack's configuration, given as Pulumi does: `project:key` to text, structured values as JSON.

    Keys of other namespaces are Pulumi's own and its providers'. Raises SettingsError with every problem.
    """
    given = {key.partition(":")[2]: _value(text) for key, text in config.items() if key.partition(":")[0] == project}
    given.setdefault("databases", default_databases(stack))
    problems: list[SettingProblem] = []
    settings = None
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        hidden = {key.partition(":")[2] for key in secret_keys}
        problems = [
            _problem(found, project, hidden)
            for found in error.errors(include_url=False)
            if found["type"] != "default_factory_not_called"
        ]
    else:
        problems = _clashes(settings, project)
    if problems or settings is None:
        raise SettingsError(f"Pulumi.{stack}.yaml", sorted(set(problems), key=str))
    return settings


def _value(text: str) -> object:
    """Give a configuration value its type back: Pulumi hands over JSON for lists, maps, numbers and booleans."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _problem(error: ErrorDetails, project: str, hidden: AbstractSet[str]) -> SettingProblem:
    path = _path(error["loc"])
    key = f"{project}:" + ".".join(str(part) for part in path)
    shown = "[secret]" if str(path[0]) in hidden else _shown(error["input"])
    if error["type"] == "extra_forbidden":
        known = sorted(_part_at(path[:-1]).model_fields)
        near = difflib.get_close_matches(str(path[-1]), known, n=1)
        hint = f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)
        return SettingProblem(key, "is not a setting", hint)
    if error["type"] == "missing":
        return SettingProblem(key, "is missing", f"give {_description(path)}")
    return SettingProblem(key, f"is {shown}", f"must be {_description(path)}")


def _path(location: tuple[int | str, ...]) -> list[int | str]:
    """Leave out of pydantic's location what is not in the file: which arm of a union was tried."""
    path: list[int | str] = []
    part: type[BaseModel] | None = Settings
    for name in location:
        field = part.model_fields.get(name) if part and isinstance(name, str) else None
        if field:
            part = _part_in(field.annotation)
        elif part is None and "dict" not in str(_annotation(path)):
            break
        path.append(name)
    return path


def _annotation(path: list[int | str]) -> object:
    part = _part_at(path[:-1])
    return part.model_fields[str(path[-1])].annotation if path and str(path[-1]) in part.model_fields else None


def _shown(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _part_at(path: list[int | str]) -> type[BaseModel]:
    """Find the group of settings that a path leads to."""
    part: type[BaseModel] = Settings
    for name in path:
        if isinstance(name, str) and name in part.model_fields:
            part = _part_in(part.model_fields[name].annotation) or part
    return part


def _part_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 (a type of any form)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_part_in(argument) for argument in get_args(annotation))
    return next((part for part in inner if part), None)


def _description(path: list[int | str]) -> str:
    """Give what the setting at this path may be: the description of the last name in it that is a field."""
    part: type[BaseModel] = Settings
    description = ""
    for name in path:
        if isinstance(name, str) and name in part.model_fields:
            description = part.model_fields[name].description or ""
            part = _part_in(part.model_fields[name].annotation) or part
    return description


def _clashes(settings: Settings, project: str) -> list[SettingProblem]:
    """Report what only shows when settings are seen together: names that occur twice or belong to PostgreSQL."""
    problems: list[SettingProblem] = []
    databases: set[str] = set()
    roles: set[str] = {"postgres"}
    for number, database in enumerate(settings.databases):
        key = f"{project}:databases.{number}"
        if database.name in RESERVED_DATABASES:
            problems.append(SettingProblem(f"{key}.name", f'is "{database.name}"', "must not be PostgreSQL's own"))
        if database.name in databases:
            problems.append(SettingProblem(f"{key}.name", f'is "{database.name}"', "must not be given twice"))
        databases.add(database.name)
        for role in ROLES:
            name = getattr(database, role)
            if name in roles:
                problems.append(SettingProblem(f"{key}.{role}", f'is "{name}"', "must be a role of its own"))
            roles.add(name)
    names = [extension.name for extension in settings.extensions]
    problems.extend(
        SettingProblem(f"{project}:extensions.{number}", f'is "{name}"', "must not be given twice")
        for number, name in enumerate(names)
        if name in names[:number]
    )
    return problems
