"""The stacks of this project as their files have them: their extensions, and what a run left of their addresses."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from infra.errors import InfraError
from infra.findings.finding import Place
from infra.settings.model import ModuleSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROJECT = "Pulumi.yaml"
STACK = re.compile(r"Pulumi\.(?P<stack>[A-Za-z0-9_.-]+)\.ya?ml")
DEFAULTS = Path("infra/settings/model.py")
READONLY = re.compile(r"(?:export +)?(?P<name>[A-Za-z_][A-Za-z0-9_]*_READONLY_DSN)=(?P<value>.*)")


@dataclass(frozen=True)
class Extensions:
    """The extensions of one stack's settings: whose they are in words, where that is said, and their names."""

    who: str
    place: Place
    names: tuple[str, ...]


@dataclass(frozen=True)
class StackFile:
    """One stack's file: its path, the project's name, and the settings that it gives."""

    path: Path
    project: str
    config: dict[str, Any]

    def setting(self, name: str) -> object:
        """Give a setting as the file has it, None where it has none."""
        return self.config.get(f"{self.project}:{name}", self.config.get(name))


def extensions_of_stacks(root: Path) -> list[Extensions]:
    """Give the extensions of the defaults and of every stack whose file names some."""
    defaults: tuple[str, ...] = Settings.model_fields["extensions"].default
    found = [Extensions("the default of the settings", _line_of(root / DEFAULTS, DEFAULTS, "extensions"), defaults)]
    for stack in stacks(root):
        names = stack.setting("extensions")
        if names is None:
            continue
        place = _line_of(stack.path, Path(stack.path.name), "extensions")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnknownVariableType]
            raise InfraError(
                "extensions is not a list of names", place=str(place), remedy="write it as docs/settings.md says"
            )
        found.append(Extensions(stack.path.name, place, tuple(map(str, names))))  # pyright: ignore[reportUnknownArgumentType]
    return found


def stacks(root: Path) -> Iterator[StackFile]:
    """Read the file of every stack."""
    project = str(_read(root / _PROJECT).get("name", ""))
    for path in sorted(root.glob("Pulumi.*.y*ml")):
        if STACK.fullmatch(path.name):
            yield StackFile(path, project, dict(_read(path).get("config") or {}))


def unmanaged_of(root: Path, name: str | None) -> tuple[str, ...]:
    """Give the patterns of objects that no module needs to have made, of a stack or by default."""
    default: tuple[str, ...] = ModuleSettings.model_fields["unmanaged"].default
    group = _stack(root, name).setting("modules") if name else None
    given = group.get("unmanaged") if isinstance(group, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return tuple(map(str, given)) if isinstance(given, list) else default  # pyright: ignore[reportUnknownArgumentType]


def read_only_ways(root: Path, name: str) -> list[str]:
    """Give a connection string of the read-only role for each database of a stack, from the file that `up` wrote."""
    given = _stack(root, name).setting("env_file")
    if given is False:
        raise InfraError(
            "the stack writes no file with its addresses (env_file: false)",
            place=f"stack {name}",
            remedy="name the database by --live DSN",
        )
    path = root / str(given or Settings.model_fields["env_file"].default).replace("{stack}", name.rpartition("/")[2])
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InfraError(
            f"cannot be read ({error.strerror})",
            place=str(path),
            remedy=f"run `make up STACK={name}`, or use --live DSN",
        ) from None
    found = [READONLY.fullmatch(line.strip()) for line in lines]
    ways = ["".join(shlex.split(one["value"])) for one in found if one]
    if not ways:
        raise InfraError("names no database", place=str(path), remedy=f"run `make up STACK={name}`, or use --live DSN")
    return ways


def _stack(root: Path, name: str) -> StackFile:
    short = name.rpartition("/")[2]
    for stack in stacks(root):
        matched = STACK.fullmatch(stack.path.name)
        if matched and matched["stack"] == short:
            return stack
    raise InfraError(f"there is no Pulumi.{short}.yaml", place=f"stack {name}", remedy="name a stack of this project")


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InfraError(
            f"cannot be read ({error.strerror})", place=str(path), remedy="run this in the project"
        ) from None
    except yaml.YAMLError as error:
        raise InfraError(f"is not YAML ({type(error).__name__})", place=str(path), remedy="mend it") from None
    return found if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _line_of(path: Path, shown: Path, setting: str) -> Place:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        if re.match(rf"\s*(?:[\w-]+:)?{setting}\s*:", line):
            return Place(str(shown), number, len(line) - len(line.lstrip()) + 1, "", line)
    return Place(str(shown))
