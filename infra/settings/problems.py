"""What is wrong with a stack's settings, in lines that show no password."""

from __future__ import annotations

import difflib
import json
import re
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote

from infra.errors import SettingProblem
from infra.modules.decision import Lifecycle
from infra.settings.databases import RESERVED_DATABASES, ROLES, DatabaseSettings, source_of
from infra.settings.servers import SERVERS, ExternalSettings
from infra.settings.setting_paths import keys_of, setting_at, without_tag
from infra.settings.values import is_role_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from pydantic_core import ErrorDetails

    from infra.settings.model import Settings
    from infra.settings.setting_paths import Path

SHOWN_CHARACTERS = 60
HIDDEN_KEY = "[a key that is no name]"
_NAME = re.compile(r"[A-Za-z0-9_.-]+")
_PASSWORD = re.compile(r"://[^/?@]*:[^?@]*@|(password|secret|scram_(client|server)_key)\s*=", re.IGNORECASE)
"""In a connection string, percent-decoded: `user:password@`, or a keyword (PostgreSQL manual, 32.1.2)."""

_IN_PLAIN_TEXT = (
    "name where it is in server.password_variable or server.password_file, or set it by "
    "`pulumi config set --secret --path server.password`"
)
NO_NAME_FOR_ROLES = "must be a name to which _readonly can be added and that does not begin with pg_, or {}"


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
                        self.add(path, "holds a password in plain text", _IN_PLAIN_TEXT)
        server = given.get("server")
        if isinstance(server, dict) and "server" not in self.secrets:
            external = cast("dict[str, object]", server)
            if external.get("kind") == "external" and external.get("password") is not None:
                self.add(("server", "password"), "holds a password in plain text", _IN_PLAIN_TEXT)

    def add_wrong_value(self, error: ErrorDetails) -> None:
        """Add what pydantic found."""
        path: Path = error["loc"]
        if error["type"] == "union_tag_invalid":
            kind = error["input"]["kind"]
            near = close_kind(kind)
            hint = f" (did you mean {near}?)" if near else ""
            self.add_value((*path, "kind"), kind, f"must be embedded, docker or external{hint}")
            return
        field, group = setting_at(path)
        path = without_tag(path)
        allowed = field.description if field else None
        if error["type"] == "extra_forbidden":
            self.add(path, "is not a setting", _near(str(error["loc"][-1]), keys_of(group)))
        elif error["type"] == "missing":
            self.add(path, "is missing", f"give {allowed}")
        elif error["type"] != "default_factory_not_called":  # a consequence of what is wrong with another one
            self.add_value(path, error["input"], f"must be {allowed}")

    def add_clashes(self, settings: Settings) -> None:
        """Add what only shows when settings are compared: names that stand twice or belong to PostgreSQL."""
        self._add_twice("extensions", settings.extensions)
        if settings.expires and settings.lifecycle is Lifecycle.PERSISTENT:
            self.add_value(("expires",), settings.expires, "must not be set for a persistent stack, which never ends")
        self._add_wrong_seeds(settings)
        self._add_clashes_of_groups(settings)
        databases: set[str] = set()
        taken = {"postgres"}
        for path, name, all_roles in _declared_databases(settings):
            roles = {role: all_roles[role] for role in ROLES if role in all_roles}
            if name in databases:
                self.add_value(path, name, "must not be given twice")
                continue
            databases.add(name)
            if name in RESERVED_DATABASES:
                self.add_value(path, name, "must not be PostgreSQL's own")
            is_single = path[-1] == "name"
            if not all(map(is_role_name, roles.values())):  # given ones are: these are named after the database
                otherwise = "its roles must be named" if is_single else "the group's roles must be shared"
                self.add_value(path, name, NO_NAME_FOR_ROLES.format(otherwise))
                continue
            for role, role_name in roles.items():
                if role_name in taken and is_single:
                    self.add_value((*path[:2], role), role_name, "must be a role of its own")
                elif role_name in taken:
                    self.add_value(path, name, f"must have roles of its own, and {role_name} is another's")
                taken.add(role_name)
            self._add_clashes_of_further_roles(all_roles, taken)

    def _add_clashes_of_further_roles(self, roles: Mapping[str, str], taken: set[str]) -> None:
        for role, name in roles.items():
            if role in ROLES:
                continue
            if not is_role_name(name):
                self.add(("roles", role), f"makes a role {name}, which is no name for one", "shorten the name")
            elif name in taken:
                self.add(("roles", role), f"makes a role {name}, which is there already", "choose another name")
            taken.add(name)

    def _add_wrong_seeds(self, settings: Settings) -> None:
        for number, database in enumerate(settings.databases):
            if not database.seed:
                continue
            path = ("databases", number, "seed")
            if settings.lifecycle is Lifecycle.PERSISTENT:
                self.add_value(path, database.seed, "must not be set for a persistent stack: write a revision")
            elif not FilePath(database.seed).is_file():
                self.add_value(path, database.seed, "must be a file that exists, seen from Pulumi.yaml")

    def _add_clashes_of_groups(self, settings: Settings) -> None:
        names: set[str] = set()
        for number, group in enumerate(settings.databases):
            if isinstance(group, DatabaseSettings):
                continue
            if group.group in names:
                self.add_value(("databases", number, "group"), group.group, "must not be given twice")
            names.add(group.group)
            for place, name in enumerate(group.paused):
                if name not in group.databases:
                    self.add_value(("databases", number, "paused", place), name, "must be a database of the group")

    def add_unknown_adoptions(self, settings: Settings) -> None:
        """Add what an external server is to take over although the stack has no role and no database of that name."""
        if not isinstance(settings.server, ExternalSettings) or any(path[0] == "databases" for path in self.found):
            return
        known = {name for _, name, roles in _declared_databases(settings) for name in (name, *roles.values())}
        for number, name in enumerate(settings.server.adopt):
            if name not in known:
                self.add_value(("server", "adopt", number), name, "must be a database or role of this stack")

    def _add_twice(self, setting: str, names: Sequence[str]) -> None:
        for number, name in enumerate(names):
            if name in names[:number]:
                self.add_value((setting, number), name, "must not be given twice")

    def add_value(self, path: Path, value: object, required: str) -> None:
        """Add a wrong value, which is shown where it can be no secret, and what it must be."""
        if path[0] in self.secrets:
            found = "is [secret]"
        elif path[0] == "server" or not _may_be_shown(value):
            found = f"has a wrong value ({_kind_of(value)})"
        else:
            found = f"is {_shown(value)}"
        self.add(path, found, required)

    def add(self, path: Path, found: str, required: str) -> None:
        """Add a problem with a setting: what was found, which must be no secret, and what is required."""
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


def _declared_databases(settings: Settings) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Yield every database with the path of its name, and the roles that it adds to those before."""
    for number, database in enumerate(settings.databases):
        path = ("databases", number)
        if isinstance(database, DatabaseSettings):
            yield (*path, "name"), database.name, settings.roles_of(database)
            continue
        source = source_of(database)
        for place, name in enumerate(database.databases):
            has_roles = database.roles == "own" or place == 0
            roles = {role: database.role(name, role) for role in (*ROLES, *settings.roles)} if has_roles else {}
            yield (*path, source, place) if source == "names" else (*path, source), name, roles
