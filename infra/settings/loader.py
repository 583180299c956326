"""Reads a stack's settings from Pulumi's configuration; of every wrong one, what was found and what is allowed."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from infra.errors import SettingProblem, SettingsError
from infra.settings.model import RESERVED_DATABASES, ROLES, SERVERS, ExternalSettings, Settings, default_databases
from infra.settings.values import is_role_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    Path = tuple[int | str, ...]

SHOWN_CHARACTERS = 60
IN_DSN = r"://[^/@]*:[^/@]*@|password *="
IN_PLAIN_TEXT = (
    "name where it is in server.password_variable or server.password_file, or set it by "
    "`pulumi config set --secret --path server.password`"
)
NO_NAME_FOR_ROLES = (
    "must be a name to which _readonly can be added and that does not begin with pg_, or its roles must be named"
)


def settings_of(
    stack: str, project: str, config: Mapping[str, str], secret_keys: AbstractSet[str] = frozenset()
) -> Settings:
    """Validate a stack's configuration as Pulumi passes it: `project:key` to text, structured values as JSON.

    Keys of other namespaces are Pulumi's own and its providers'. Raises SettingsError with every problem.
    """
    given = {key.partition(":")[2]: _value(text) for key, text in config.items() if key.partition(":")[0] == project}
    given.setdefault("databases", default_databases(stack))
    problems = _Problems(project, secret_keys)
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems.add_wrong_values(error.errors(include_url=False))
        wrong = {found["loc"][0] for found in error.errors(include_url=False)}
        right = {name: value for name, value in given.items() if name not in wrong}
        settings = Settings.model_validate({"databases": ["unknown"], **right})
    problems.add_clashes(settings)
    problems.add_unknown_adoptions(settings)
    problems.add_plain_passwords(settings)
    if problems.found:
        raise SettingsError(f"Pulumi.{stack}.yaml", sorted(problems.found, key=_by_numbers))
    return settings


def _value(text: str) -> object:
    """Return a configuration value with its type: Pulumi passes lists, maps, numbers and booleans as JSON."""

    def not_json(constant: str) -> None:  # NaN and Infinity, which only Python takes for JSON
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=not_json)
    except ValueError:
        return text


def _by_numbers(problem: SettingProblem) -> str:
    """Return a sort key by which the tenth item of a list comes after the second."""
    return re.sub("[0-9]+", lambda number: number[0].zfill(9), problem.key)


class _Problems:
    """The problems found so far, none of which shows a secret."""

    def __init__(self, project: str, secret_keys: AbstractSet[str]) -> None:
        self.project = project
        self.secret_keys = secret_keys
        self.found: list[SettingProblem] = []

    def add_wrong_values(self, errors: list[ErrorDetails]) -> None:
        """Add what pydantic found."""
        for error in errors:
            path = error["loc"]
            if error["type"] == "union_tag_invalid":
                kind = error["input"]["kind"]
                self._add_value((*path, "kind"), kind, "must be embedded, docker or external")
                continue
            field, group = _setting_at(path)
            path = _without_kind(path)
            allowed = field.description if field else None
            if error["type"] == "extra_forbidden":
                self._add(path, "is not a setting", _near(str(path[-1]), sorted(group.model_fields)))
            elif error["type"] == "missing":
                self._add(path, "is missing", f"give {allowed}")
            elif error["type"] != "default_factory_not_called":  # a consequence of what is wrong with another one
                self._add_value(path, error["input"], f"must be {allowed}")

    def add_clashes(self, settings: Settings) -> None:
        """Add what only shows when settings are compared: names that stand twice or belong to PostgreSQL."""
        self._add_twice("extensions", settings.extensions)
        twice = self._add_twice("databases", [database.name for database in settings.databases], part=("name",))
        taken = {"postgres"}
        for number, database in enumerate(settings.databases):
            path = ("databases", number, "name")
            names = {role: str(getattr(database, role)) for role in ROLES}
            if number in twice:
                continue
            if database.name in RESERVED_DATABASES:
                self._add_value(path, database.name, "must not be PostgreSQL's own")
            if not all(map(is_role_name, names.values())):  # given ones are: these are named after the database
                self._add_value(path, database.name, NO_NAME_FOR_ROLES)
                continue
            for role, name in names.items():
                if name in taken:
                    self._add_value((*path[:2], role), name, "must be a role of its own")
                taken.add(name)

    def add_unknown_adoptions(self, settings: Settings) -> None:
        """Add what an external server is to take over although the stack has no role and no database of that name."""
        if not isinstance(settings.server, ExternalSettings):
            return
        known = {name for database in settings.databases for name in database.model_dump().values()}
        for number, name in enumerate(settings.server.adopt):
            if name not in known:
                self._add_value(("server", "adopt", number), name, "must be a database or role of this stack")

    def add_plain_passwords(self, settings: Settings) -> None:
        """Add an administrator's password that stands in the stack's file in plain text."""
        server = settings.server
        if not isinstance(server, ExternalSettings) or f"{self.project}:server" in self.secret_keys:
            return
        for name, there in (("dsn", re.search(IN_DSN, server.dsn)), ("password", server.password)):
            if there:
                self._add(("server", name), "holds a password in plain text", IN_PLAIN_TEXT)

    def _add_twice(self, setting: str, names: Sequence[str], part: Path = ()) -> set[int]:
        twice = {number for number, name in enumerate(names) if name in names[:number]}
        for number in twice:
            self._add_value((setting, number, *part), names[number], "must not be given twice")
        return twice

    def _add_value(self, path: Path, value: object, required: str) -> None:
        secret = f"{self.project}:{path[0]}" in self.secret_keys
        self._add(path, "is [secret]" if secret else f"is {_shown(value)}", required)

    def _add(self, path: Path, found: str, required: str) -> None:
        key = f"{self.project}:" + ".".join(map(str, path))
        self.found.append(SettingProblem(key if key.isprintable() else ascii(key)[1:-1], found, required))


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    text = text if text.isprintable() else json.dumps(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _setting_at(path: Path) -> tuple[FieldInfo | None, type[BaseModel]]:
    """Return the setting that a path names, or the last one on the path, and the group in which the path ends."""
    field = None
    group: type[BaseModel] | None = Settings
    for name in path:
        if isinstance(name, int):  # the number of an item in a list
            continue
        if field is Settings.model_fields["server"] and group is not Settings and name in SERVERS:
            group = SERVERS[name]
            continue
        if group is None or name not in group.model_fields:  # a key of a map, or of nobody
            break
        field = group.model_fields[name]
        group = _group_in(field.annotation)
    return field, group or Settings


def _without_kind(path: Path) -> Path:
    """Return a path without the kind of server, which pydantic puts after `server`."""
    return (path[0], *path[2:]) if path[0] == "server" and len(path) > 1 else path


def _group_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 (a type of any form)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_group_in(argument) for argument in get_args(annotation))
    return next((group for group in inner if group), None)
