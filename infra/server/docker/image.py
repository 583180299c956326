"""The PostgreSQL in an image: version, extensions, libraries, and whether it accepts a stack's settings (1 s)."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.errors import ServerError, SettingProblem
from infra.server.embedded import configuration
from infra.server.embedded.validation import HIDDEN_VALUE, PRELOAD, SETTING_NAME, parse_complaints, setting_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.server.docker.engine import Engine

_SCRIPT = """
echo '== version'; postgres --version
echo '== extensions'; ls "$(pg_config --sharedir)/extension" | sed -n 's/[.]control$//p'
echo '== libraries'; ls "$(pg_config --pkglibdir)" | sed -n 's/[.]so$//p'
echo '== parameters'; postgres --describe-config | cut -f 1
echo '== data'; cat /volume/PG_VERSION 2>/dev/null
mkdir -p /tmp/settings && printf '%s' "$CONFIGURATION" >/tmp/settings/postgresql.conf
echo '== complaints'
postgres -C data_directory -D /tmp/settings -c log_line_prefix= -c lc_messages=C 2>&1
"""

# Server parameters that a setting cannot set, because this program sets them in a container, with the reason.
_RESERVED = {
    "listen_addresses": "the container listens on its network; server.address decides where the port is published",
    "port": "it is 5432 in the container; server.port is the published one",
    "data_directory": "it is the volume's folder",
    "config_file": "it is in the volume",
    "hba_file": "it is in the volume",
    "ident_file": "it is in the volume",
    "external_pid_file": "no program outside of the container could read it",
    "ssl": "the container has a certificate of its own",
    "ssl_cert_file": "the container has a certificate of its own",
    "ssl_key_file": "the container has a certificate of its own",
    "password_encryption": "it is scram-sha-256",
    "db_user_namespace": "the names of roles are used as they are",
}


@dataclass(frozen=True)
class Image:
    """The PostgreSQL in an image; `data_major` is the major version of a volume's data, 0 without data.

    `complaints` has the server's message for each setting that it does not accept, by the setting's name.
    """

    version: str
    extensions: tuple[str, ...] = field(repr=False)
    libraries: tuple[str, ...] = field(repr=False)
    parameters: tuple[str, ...] = field(repr=False)
    complaints: Mapping[str, str]
    data_major: int

    @property
    def major(self) -> int:
        """The major version."""
        return int(re.split("[^0-9]", self.version)[0])


def inspect_image(engine: Engine, image: str, settings: Mapping[str, str], volume: str = "") -> Image:
    """Run the PostgreSQL of an image to describe it and to check settings, and read the version of a volume's data.

    A volume is mounted read-only; without one, none is read. Raises ServerError for an image without PostgreSQL.
    """
    readable = {name: value for name, value in settings.items() if SETTING_NAME.fullmatch(name) and "\0" not in value}
    binds = [f"{volume}:/volume:ro"] if volume else []
    output = engine.run(
        image, _SCRIPT, variables={"CONFIGURATION": configuration.render_settings(readable)}, binds=binds
    )
    parts = re.split(r"^== (\w+)\n", output, flags=re.MULTILINE)
    sections = {name: body.strip().splitlines() for name, body in zip(parts[1::2], parts[2::2], strict=True)}
    version = re.search(r"PostgreSQL\) ([0-9][^ ]*)", "\n".join(sections.get("version", [])))
    if not version:
        raise ServerError(
            "holds no PostgreSQL: `postgres --version` does not run in it",
            place=f"image {image}",
            remedy="set server.image to an official postgres image, or one made from it",
        )
    data = sections.get("data", [])
    return Image(
        version=version[1],
        extensions=tuple(sections["extensions"]),
        libraries=tuple(sections["libraries"]),
        parameters=tuple(name.lower() for name in sections["parameters"]),
        complaints=parse_complaints("\n".join(sections["complaints"]), readable),
        data_major=int(data[0]) if data and data[0].isdigit() else 0,
    )


def setting_problems(image: Image, settings: Mapping[str, str]) -> list[SettingProblem]:
    """Return every wrong setting, sorted by name: its name, value or library is wrong, or the parameter is reserved."""
    problems = [
        SettingProblem(setting_key(name), f'"{value}"' if _is_shown(image, name) else HIDDEN_VALUE, complaint)
        for name, value in settings.items()
        if (complaint := _complaint(image, name, value))
    ]
    return sorted(problems, key=lambda problem: problem.key)


def _is_shown(image: Image, name: str) -> bool:
    """Return whether a value may be shown: that of a parameter that there is, and that may be set."""
    unknown = not SETTING_NAME.fullmatch(name) or image.complaints.get(name, "").startswith("unrecognized")
    return not unknown and name.lower() not in _RESERVED


def _complaint(image: Image, name: str, value: str) -> str:
    if not SETTING_NAME.fullmatch(name):
        return "this is not the name of a server parameter"
    if "\0" in value:
        return "a value cannot hold NUL"
    if name.lower() in _RESERVED:
        return f"cannot be set: {_RESERVED[name.lower()]}"
    complaint = image.complaints.get(name, "")
    if complaint.startswith("unrecognized"):
        near = difflib.get_close_matches(name.lower(), image.parameters, n=1)
        return f"PostgreSQL {image.version} has no such parameter" + (f", perhaps {near[0]} is meant" if near else "")
    libraries = [word.strip().strip('"') for word in value.split(",")] if name.lower() in PRELOAD else []
    missing = ", ".join(
        library for library in libraries if library and library.rpartition("/")[2] not in image.libraries
    )
    return complaint or (f"PostgreSQL {image.version} has no library {missing}" if missing else "")
