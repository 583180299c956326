"""Settings of the stacks that concern SQL modules: extensions, and the libraries that the server loads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003 - a field's type
from typing import Any, cast

import yaml

from infra.errors import InfraError
from infra.folder.stack_config import stack_config
from infra.modules.module import DEFAULT_DIRECTORY

EMBEDDED_VERSION = 17
DATABASE_ROLES = frozenset({"owner", "migrator", "app", "readonly"})
"""The endings of the roles that every database of a stack has."""
DEFAULT_IMAGE = "postgres:17"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class StackSettings:
    """A stack's file, the folder of its modules, the extensions of its databases, and the libraries of its server."""

    path: str
    directory: Path
    extensions: frozenset[str]
    preloaded: frozenset[str]
    version: int = 0  # the major version of its server, 0 where the file does not say it
    roles: frozenset[str] = DATABASE_ROLES  # the endings of the roles of each database


def read_stacks(root: Path) -> list[StackSettings]:
    """Read Pulumi.*.yaml beside Pulumi.yaml; [] if there is no Pulumi.yaml."""
    project_file = root / "Pulumi.yaml"
    if not project_file.is_file():
        return []
    project = _read_mapping(project_file)
    stack_files = sorted(path for path in root.glob("Pulumi.*.yaml") if path.is_file())
    return [_read_stack(path, project) for path in stack_files]


def _read_stack(path: Path, project_file: dict[str, Any]) -> StackSettings:
    config, project = stack_config(project_file, _read_mapping(path)), project_file.get("name", "")
    extensions = config.get(f"{project}:extensions")
    names = cast("list[Any]", extensions) if isinstance(extensions, list) else []
    server = _mapping_at(config, f"{project}:server")
    settings = _mapping_at(server, "settings")
    libraries = str(settings.get("shared_preload_libraries", "")).split(",")
    directory = path.parent / str(_mapping_at(config, f"{project}:modules").get("directory", DEFAULT_DIRECTORY))
    preloaded = frozenset(name.strip(" '\"") for name in libraries)
    return StackSettings(
        str(path),
        directory.resolve(),
        frozenset(map(str, names)),
        preloaded,
        _version(server),
        DATABASE_ROLES.union(_mapping_at(config, f"{project}:roles")),
    )


def _version(server: dict[str, Any]) -> int:
    """Return the major version of the server that settings describe: of the wheel, or in the tag of an image."""
    kind = server.get("kind", "embedded")
    if kind == "embedded":
        return 0 if server.get("bin_dir") else EMBEDDED_VERSION
    tag = (
        re.search(r":(\d{2})(?!\d)[^:/@]*(?:@|$)", str(server.get("image", DEFAULT_IMAGE)))
        if kind == "docker"
        else None
    )
    return int(tag[1]) if tag else 0


def _mapping_at(outer: dict[str, Any], key: str) -> dict[str, Any]:
    value = outer.get(key)
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _read_mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = " ".join(str(error).split())
        raise InfraError(f"cannot be read: {message}", place=str(path), remedy="correct the file") from None
    return cast("dict[str, Any]", content) if isinstance(content, dict) else {}
