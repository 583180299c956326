"""What the files of the stacks say that concerns SQL modules: extensions, and the libraries that the server loads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import yaml

from infra.errors import InfraError
from infra.modules.extensions import DEFAULT_EXTENSIONS

if TYPE_CHECKING:
    from pathlib import Path

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class StackSettings:
    """A stack's file, the extensions that every database of it gets, and the libraries that are loaded at its start."""

    path: str
    extensions: frozenset[str]
    preloaded: frozenset[str]


def read_stacks(root: Path) -> list[StackSettings]:
    """Read Pulumi.*.yaml beside Pulumi.yaml; an empty list where there is no such project."""
    project = root / "Pulumi.yaml"
    if not project.is_file():
        return []
    name = str(_mapping(project).get("name", ""))
    files = sorted(path for path in root.glob("Pulumi.*.yaml") if path.is_file())
    return [_stack(path, name) for path in files]


def _stack(path: Path, project: str) -> StackSettings:
    config = _mapping_in(_mapping(path), "config")
    extensions = config.get(f"{project}:extensions", DEFAULT_EXTENSIONS)
    settings = _mapping_in(_mapping_in(config, f"{project}:server"), "settings")
    libraries = str(settings.get("shared_preload_libraries", "")).split(",")
    names = cast("list[Any]", extensions) if isinstance(extensions, (list, tuple)) else []
    return StackSettings(str(path), frozenset(map(str, names)), frozenset(one.strip(" '\"") for one in libraries))


def _mapping_in(outer: dict[str, Any], key: str) -> dict[str, Any]:
    found = outer.get(key)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _mapping(path: Path) -> dict[str, Any]:
    try:
        found = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506 (a safe loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        what = " ".join(str(error).split())
        raise InfraError(f"cannot be read: {what}", place=str(path), remedy="mend it") from None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
