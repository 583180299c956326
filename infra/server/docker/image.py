"""What a PostgreSQL image has inside, and whether it takes a stack's settings: asked of the image itself (1 s)."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from infra.errors import ServerError, SettingProblem
from infra.server.embedded import configuration
from infra.server.embedded.validation import PRELOAD, SETTING_NAME, parse_complaints

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.server.docker.engine import Engine

# The sections of what the script says.
SCRIPT = """
echo '== version'; postgres --version
echo '== extensions'; ls "$(pg_config --sharedir)/extension" | sed -n 's/[.]control$//p'
echo '== libraries'; ls "$(pg_config --pkglibdir)" | sed -n 's/[.]so$//p'
echo '== parameters'; postgres --describe-config | cut -f 1
echo '== data'; cat /volume/PG_VERSION 2>/dev/null
mkdir -p /tmp/look && printf '%s' "$CONFIGURATION" >/tmp/look/postgresql.conf
echo '== complaints'
postgres -C data_directory -D /tmp/look -c log_line_prefix= -c lc_messages=C 2>&1
"""

# Parameters that this program decides in a container, and why a setting may not.
_DECIDED = {
    "listen_addresses": "the container listens on its network; server.address decides where the port is published",
    "port": "it is 5432 in the container; server.port is the published one",
    "data_directory": "it is the volume's folder",
    "config_file": "it is in the volume",
    "hba_file": "it is in the volume",
    "ident_file": "it is in the volume",
    "external_pid_file": "nobody outside of the container could read it",
    "ssl": "server.tls decides it",
    "ssl_cert_file": "server.tls decides it",
    "ssl_key_file": "server.tls decides it",
    "password_encryption": "it is scram-sha-256",
    "db_user_namespace": "user names are meant as they are",
}


@dataclass(frozen=True)
class Image:
    """What an image has inside; `data_major` is the major version that made the data of a volume, 0 for none there."""

    version: str
    extensions: tuple[str, ...] = field(repr=False)
    libraries: tuple[str, ...] = field(repr=False)
    parameters: tuple[str, ...] = field(repr=False)
    complaints: Mapping[str, str]
    data_major: int

    @property
    def major(self) -> int:
        """Give the major version."""
        return int(re.split("[^0-9]", self.version)[0])


def inspect_image(engine: Engine, image: str, settings: Mapping[str, str], volume: str = "") -> Image:
    """Look into an image, and at a volume that is there; raises ServerError when it holds no PostgreSQL."""
    tried = {name: value for name, value in settings.items() if SETTING_NAME.fullmatch(name) and "\0" not in value}
    binds = [f"{volume}:/volume:ro"] if volume else []
    said = engine.run(image, SCRIPT, variables={"CONFIGURATION": configuration.lines(tried)}, binds=binds)
    parts = re.split(r"^== (\w+)\n", said, flags=re.MULTILINE)
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
        complaints=parse_complaints("\n".join(sections["complaints"]), tried),
        data_major=int(data[0]) if data and data[0].isdigit() else 0,
    )


def setting_problems(image: Image, settings: Mapping[str, str]) -> list[SettingProblem]:
    """Give every wrong setting: name, value, library, or not a setting's to decide."""
    found = [
        SettingProblem(name, f'"{value}"', complaint)
        for name, value in settings.items()
        if (complaint := _complaint(image, name, value))
    ]
    return sorted(found, key=lambda problem: problem.key)


def _complaint(image: Image, name: str, value: str) -> str:
    if not SETTING_NAME.fullmatch(name):
        return "this is not the name of a server parameter"
    if "\0" in value:
        return "a value cannot hold NUL"
    if name.lower() in _DECIDED:
        return f"cannot be set: {_DECIDED[name.lower()]}"
    complaint = image.complaints.get(name, "")
    if complaint.startswith("unrecognized"):
        near = difflib.get_close_matches(name.lower(), image.parameters, n=1)
        return f"PostgreSQL {image.version} has no such parameter" + (f", perhaps {near[0]} is meant" if near else "")
    wanted = [word.strip().strip('"') for word in value.split(",")] if name.lower() in PRELOAD else []
    missing = ", ".join(one for one in wanted if one and one.rpartition("/")[2] not in image.libraries)
    return complaint or (f"PostgreSQL {image.version} has no library {missing}" if missing else "")
