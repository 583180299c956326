"""What is wrong with a stack's settings, in lines that show no password."""

from __future__ import annotations

import difflib
import json
import re
from typing import TYPE_CHECKING, Any, cast, get_args
from urllib.parse import unquote

from pydantic import BaseModel

from infra.errors import SettingProblem
from infra.settings.model import RESERVED_DATABASES, ROLES, SERVERS, ExternalSettings, Settings
from infra.settings.values import is_role_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

    Path = tuple[int | str, ...]

SHOWN_CHARACTERS = 60
HIDDEN_KEY = "[a key that is no name]"
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_PASSWORD = re.compile(r"://[^/?@]*:[^?@]*@|(password|secret|scram_(client|server)_key)\s*=", re.IGNORECASE)
"""In a connection string, percent-decoded: `user:password@`, or a keyword (PostgreSQL manual, 32.1.2)."""

_IN_PLAIN_TEXT = (
    "name where it is in server.password_variable or server.password_file, or set it by "
    "`pulumi config set --secret --path server.password`"
)
_NO_NAME_FOR_ROLES = (
    "must be a name to which _readonly can be added and that does not begin with pg_, or its roles must be named"
)


class SettingProblems:
    """The problems found so far, at most one for a setting.

    `prefix` begins their names, and `secrets` are the settings that their source keeps as secrets. The value of a
    setting below `server` is never shown: each of them may be a password in the wrong place. Other values are shown
    where they cannot be a connection string.
    """

    def __init__(self, prefix: str = "", secrets: AbstractSet[str] = frozenset()) -> None:
        self.prefix = prefix
        self.secrets = secrets
        self.found: dict[Path, SettingProblem] = {}

    def in_order(self) -> list[SettingProblem]:
        """Return the problems by key, the tenth item of a list after the second."""

        def by_numbers(problem: SettingProblem) -> str:
            return re.sub("[0-9]+", lambda number: number[0].zfill(9), problem.key)

        return sorted(self.found.values(), key=by_numbers)

    def add_plain_passwords(self, given: Mapping[str, object]) -> None:
        """Add every password that stands in the stack's file in plain text, wherever that is."""
        for name, value in given.items():
            if name not in self.secrets:
                for path, text in _texts(value, (name,)):
                    if _PASSWORD.search(unquote(text)):
                        self._add(path, "holds a password in plain text", _IN_PLAIN_TEXT)
        server = given.get("server")
        if isinstance(server, dict) and "server" not in self.secrets:
            external = cast("dict[str, object]", server)
            if external.get("kind") == "external" and external.get("password") is not None:
                self._add(("server", "password"), "holds a password in plain text", _IN_PLAIN_TEXT)

    def add_wrong_value(self, error: ErrorDetails) -> None:
        """Add what pydantic found."""
        path: Path = error["loc"]
        if error["type"] == "union_tag_invalid":
            kind = error["input"]["kind"]
            near = close_kind(kind)
            hint = f" (did you mean {near}?)" if near else ""
            self._add_value((*path, "kind"), kind, f"must be embedded, docker or external{hint}")
            return
        field, group = _setting_at(path)
        path = (path[0], *path[2:]) if path[0] == "server" and len(path) > 1 else path  # pydantic adds the kind
        allowed = field.description if field else None
        if error["type"] == "extra_forbidden":
            self._add(path, "is not a setting", _near(str(error["loc"][-1]), sorted(group.model_fields)))
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
                self._add_value(path, database.name, _NO_NAME_FOR_ROLES)
                continue
            for role, name in names.items():
                if name in taken:
                    self._add_value((*path[:2], role), name, "must be a role of its own")
                taken.add(name)

    def add_unknown_adoptions(self, settings: Settings) -> None:
        """Add what an external server is to take over although the stack has no role and no database of that name."""
        if not isinstance(settings.server, ExternalSettings) or any(path[0] == "databases" for path in self.found):
            return
        known = {name for database in settings.databases for name in database.model_dump().values()}
        for number, name in enumerate(settings.server.adopt):
            if name not in known:
                self._add_value(("server", "adopt", number), name, "must be a database or role of this stack")

    def _add_twice(self, setting: str, names: Sequence[str], part: Path = ()) -> set[int]:
        twice = {number for number, name in enumerate(names) if name in names[:number]}
        for number in twice:
            self._add_value((setting, number, *part), names[number], "must not be given twice")
        return twice

    def _add_value(self, path: Path, value: object, required: str) -> None:
        if path[0] in self.secrets:
            found = "is [secret]"
        elif path[0] == "server" or not _may_be_shown(value):
            found = f"has a wrong value ({_kind_of(value)})"
        else:
            found = f"is {_shown(value)}"
        self._add(path, found, required)

    def _add(self, path: Path, found: str, required: str) -> None:
        names = [str(name) if _NAME.fullmatch(str(name)) else HIDDEN_KEY for name in path]
        key = self.prefix + ".".join(names)
        self.found.setdefault(path, SettingProblem(key, found, required))


def close_kind(kind: object) -> str | None:
    """Return the kind of server that a wrong one is probably meant to be."""
    return next(iter(difflib.get_close_matches(str(kind), SERVERS, n=1)), None)


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield every text in a value, with its path: keys of maps as well."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, part in cast("dict[str, object]", value).items():
            yield (*path, name), name
            yield from _texts(part, (*path, name))
    elif isinstance(value, list):
        for number, part in enumerate(cast("list[object]", value)):
            yield from _texts(part, (*path, number))


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else "known: " + ", ".join(known)


def _may_be_shown(value: object) -> bool:
    """Return whether a value is no part of a connection string, and holds no other values."""
    if isinstance(value, str):
        return not re.search("[@=]|://", value)
    return not isinstance(value, (dict, list)) or not value


def _kind_of(value: object) -> str:
    """Return what sort of value it is, and true, false and null, which hide nothing."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return "a text of several lines" if len(value.splitlines()) > 1 else "a text"
    return "a map" if isinstance(value, dict) else "a list" if isinstance(value, list) else "a number"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=repr)
    text = text if text.isprintable() else json.dumps(value, default=repr)
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


def _group_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 (a type of any form)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_group_in(argument) for argument in get_args(annotation))
    return next((group for group in inner if group), None)
