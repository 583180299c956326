"""The types of settings: names, times, sizes, ports, and the sentence that describes what each requires."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Callable

NAME_BYTES = 63  # NAMEDATALEN - 1 (PostgreSQL manual, 4.1.1)
UNITS = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
LONGEST_TIME = 2**31 - 1  # milliseconds, as PostgreSQL keeps its own times
LOWEST_PORT, HIGHEST_PORT = 1024, 65_535
RESERVED_ROLES = frozenset({"public", "none"})  # manual, CREATE ROLE

A_NAME = f"a PostgreSQL name of 1 to {NAME_BYTES} bytes"
A_DATABASE = f"{A_NAME} without a question mark"
A_GROUP = "a name of 1 to 40 small letters, digits and _, beginning with a letter"
A_ROLE = f"{A_NAME} that does not begin with pg_"
A_TIME = "a time such as 500ms, 10s, 5min or 1h, at most 24 days"
A_LIMIT = f"{A_TIME}, and above 0"
A_SIZE = "a size such as 512MB or 2GB"
A_DOCKER_NAME = "a name of letters, digits, '_', '.' and '-', by default platform-postgres-<stack>"


def is_name(text: str) -> bool:
    """Return whether PostgreSQL keeps a name unshortened, and every character of it is printable."""
    return 1 <= len(text.encode()) <= NAME_BYTES and text.isprintable()


def is_role_name(text: str) -> bool:
    """Return whether a role may have this name."""
    return is_name(text) and not text.startswith("pg_") and text not in RESERVED_ROLES


def is_database_name(text: str) -> bool:
    """Return whether a database may have this name."""
    return is_name(text) and "?" not in text  # SQLAlchemy's URLs have no way to write one


def _is_group_name(text: str) -> bool:
    return re.fullmatch("[a-z][a-z0-9_]{0,39}", text) is not None and not text.startswith("pg_")


def _is_text(text: str) -> bool:
    return text != "" and text.isprintable()


def _is_absolute_path(text: str) -> bool:
    return _is_text(text) and PurePath(text).is_absolute()


def _is_env_file(text: str | None) -> bool:
    return text is None or (_is_text(text) and not set("{}") & set(text.replace("{stack}", "")))


def _is_port(number: int) -> bool:
    return number == 0 or LOWEST_PORT <= number <= HIGHEST_PORT


def _is_docker_name(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,99}", text) is not None


def _is_size(text: str) -> bool:
    return re.fullmatch("[1-9][0-9]{0,8}(MB|GB)", text) is not None


def _is_address(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 4  # noqa: PLR2004 (of the Internet Protocol)
    except ValueError:
        return False


def megabytes(size: str) -> int:
    """Return the megabytes in `512MB` or `2GB`."""
    return int(size[:-2]) * (1024 if size.endswith("GB") else 1)


def only_if(holds: Callable[[Any], bool]) -> AfterValidator:
    """Return a validator that accepts a value only if `holds`; the setting's description says what is required."""

    def check(value: object) -> object:
        if not holds(value):
            raise ValueError(value)
        return value

    return AfterValidator(check)


def _seconds(given: object) -> float:
    """Return the seconds in `10s`, `500ms`, `5min` or `1h`, the form of PostgreSQL's own time settings."""
    found = re.fullmatch(r"\s*([0-9]+)\s*(ms|s|min|h)\s*", given) if isinstance(given, str) else None
    milliseconds = int(found[1]) * UNITS[found[2]] if found else LONGEST_TIME + 1
    if milliseconds > LONGEST_TIME:
        raise ValueError(given)
    return milliseconds / 1000


def _server_setting(given: object) -> object:
    """Return a value as it stands in postgresql.conf: true is on, numbers are digits."""
    if isinstance(given, bool):
        return "on" if given else "off"
    return str(given) if isinstance(given, (int, float)) else given


def bare_name(given: object) -> object:
    """Return the group that a bare name stands for."""
    return {"name": given} if isinstance(given, str) else given


def _false_is_none(given: object) -> object:
    return None if given is False else given


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).utcoffset() == timedelta(0) and text.endswith("Z")
    except ValueError:
        return False


Text = Annotated[str, only_if(_is_text)]
AbsolutePath = Annotated[str, only_if(_is_absolute_path)]
Identifier = Annotated[str, only_if(is_name)]
DatabaseName = Annotated[str, only_if(is_database_name)]
GroupName = Annotated[str, only_if(_is_group_name)]
Role = Annotated[str, only_if(is_role_name)]
Time = Annotated[float, BeforeValidator(_seconds)]
Limit = Annotated[Time, Field(gt=0)]
Flag = Annotated[bool, Field(strict=True)]
Port = Annotated[int, Field(strict=True), only_if(_is_port)]
Moment = Annotated[str, only_if(_is_moment)]
EnvFileName = Annotated[str | None, BeforeValidator(_false_is_none), only_if(_is_env_file)]
DockerName = Annotated[str, only_if(_is_docker_name)]
Size = Annotated[str, only_if(_is_size)]
Address = Annotated[str, only_if(_is_address)]
ServerSetting = Annotated[str, BeforeValidator(_server_setting)]


class SettingsGroup(BaseModel):
    """A group of settings: frozen, with unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)
