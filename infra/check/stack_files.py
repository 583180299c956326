"""The stacks of a project as its files describe them: extensions, unmanaged objects, read-only connection strings."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from infra.errors import InfraError
from infra.findings.finding import Place
from infra.folder.stack_config import stack_config
from infra.modules.module import DEFAULT_DIRECTORY
from infra.postgres.connection.target import REQUIRE_SCRAM
from infra.server.dsn import parse_dsn
from infra.server.ports import HOST
from infra.settings.loader import settings_of
from infra.settings.model import ModuleSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.modules.decision import Lifecycle
    from infra.postgres.connection.target import Target

_PROJECT = "Pulumi.yaml"
_STACK = re.compile(r"Pulumi\.(?P<stack>[A-Za-z0-9_.-]+)\.ya?ml")
_DSN = r"(?:export +)?(?P<name>[A-Za-z_][A-Za-z0-9_]*_{role}_DSN)=(?P<value>.*)"


@dataclass(frozen=True)
class StackExtensions:
    """The extensions of one stack's settings: the source as messages name it, the place of the setting, the names."""

    source: str
    place: Place
    names: tuple[str, ...]


@dataclass(frozen=True)
class StackFile:
    """The file of one stack: its path, the name of the project, and its settings."""

    path: Path
    project: str
    config: dict[str, Any]

    def setting(self, name: str, *, group: str = "", default: object = None) -> object:
        """Return a setting as it is in the file or in Pulumi.yaml, or one of a group, else the default."""
        if group:
            settings = self.setting(group)
            return cast("dict[str, object]", settings).get(name) if isinstance(settings, dict) else None
        return self.config.get(f"{self.project}:{name}", default)

    @property
    def name(self) -> str:
        """The stack's name."""
        match = _STACK.fullmatch(self.path.name)
        return match["stack"] if match else self.path.stem

    @property
    def directory(self) -> Path:
        """The folder of the stack's modules."""
        return self.path.parent / str(self.setting("directory", group="modules") or DEFAULT_DIRECTORY)


def extensions_of_stacks(root: Path, directory: Path) -> list[StackExtensions]:
    """Return the extensions of every stack whose modules are in a folder, those of Pulumi.yaml for all stacks once.

    Raises InfraError for a setting that is not a list of names.
    """
    extensions: list[StackExtensions] = []
    for stack in stacks_of_folder(root, directory):
        names = stack.setting("extensions", default=[])
        file = next((path for path in (stack.path, root / _PROJECT) if _has_line(path, "extensions")), stack.path)
        place = _place_of(file, Path(file.name), "extensions")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):  # pyright: ignore[reportUnknownVariableType]
            raise InfraError(
                "extensions is not a list of names",
                place=str(place),
                remedy="write a list; docs/settings.md describes it",
            )
        found = StackExtensions(file.name, place, tuple(map(str, names)))  # pyright: ignore[reportUnknownArgumentType]
        extensions += [] if found in extensions else [found]
    return extensions


def further_roles_of_stacks(root: Path, directory: Path) -> list[str]:
    """Return the further roles of all stacks whose modules are in a folder, by the endings of their names."""
    stacks = stacks_of_folder(root, directory) if (root / _PROJECT).is_file() else []
    found = (stack.setting("roles") for stack in stacks)
    return sorted({str(role) for roles in found if isinstance(roles, dict) for role in roles})  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def stacks_by_lifecycle(root: Path, directory: Path) -> dict[str, list[str]]:
    """Return the names of the stacks whose modules are in a folder, by their lifecycles."""
    names: dict[str, list[str]] = {}
    for stack in stacks_of_folder(root, directory):
        default: Lifecycle = Settings.model_fields["lifecycle"].default
        names.setdefault(str(stack.setting("lifecycle", default=default.value)), []).append(stack.name)
    return names


def stacks_of_folder(root: Path, directory: Path) -> list[StackFile]:
    """Return the stacks whose modules are in a folder; raises InfraError for a file that cannot be read."""
    return [stack for stack in stack_files(root) if stack.directory.resolve() == directory.resolve()]


def stack_files(root: Path) -> Iterator[StackFile]:
    """Yield the file of every stack; raises InfraError for one that cannot be read."""
    project = _read(root / _PROJECT)
    for path in sorted(root.glob("Pulumi.*.y*ml")):
        if _STACK.fullmatch(path.name):
            yield StackFile(path, str(project.get("name", "")), stack_config(project, _read(path)))


def unmanaged_patterns(root: Path, name: str | None) -> tuple[str, ...]:
    """Return the patterns of objects that no module has to create: those of a stack, else the default ones."""
    default: tuple[str, ...] = ModuleSettings.model_fields["unmanaged"].default
    patterns = _stack(root, name).setting("unmanaged", group="modules") if name else None
    return tuple(map(str, patterns)) if isinstance(patterns, list) else default  # pyright: ignore[reportUnknownArgumentType]


def private_schemas(root: Path, name: str | None) -> tuple[str, ...]:
    """Return the schemas that are not for the application's roles of a stack; none without one."""
    schemas = _stack(root, name).setting("private_schemas", group="modules") if name else None
    return tuple(map(str, schemas)) if isinstance(schemas, list) else ()  # pyright: ignore[reportUnknownArgumentType]


def directory_of_stack(root: Path, name: str) -> Path:
    """Return the folder of a stack's modules; raises InfraError for a stack that does not exist."""
    return _stack(root, name).directory


def settings_of_stack(root: Path, name: str) -> Settings:
    """Return the settings of a stack as Pulumi would read them; raises InfraError, SettingsError for wrong ones."""
    stack = _stack(root, name)
    config = {
        key: text if isinstance(text, str) else json.dumps(text, default=str) for key, text in stack.config.items()
    }
    return settings_of(name.rpartition("/")[2], stack.project, config)


def program_of_stack(root: Path, name: str) -> str:
    """Return a stack with its project, as its ledgers have it: `project/stack`."""
    project, _, short = name.rpartition("/")
    return f"{project.rpartition('/')[2] or _read(root / _PROJECT).get('name', '')}/{short}"


def targets(root: Path, name: str, role: str) -> list[Target]:
    """Return each database of a stack for a role; a server of its own has to prove that it is that one.

    Without a kind in the settings it is embedded, unless a program of one's own says otherwise: so the address counts
    too. Raises InfraError as dsns() does.
    """
    kind = _stack(root, name).setting("kind", group="server")

    def is_own(target: Target) -> bool:
        return kind in {"embedded", "docker"} or (kind is None and target.host == HOST)

    found = [parse_dsn(dsn) for dsn in dsns(root, name, role)]
    return [
        replace(target, options={**target.options, **REQUIRE_SCRAM}) if is_own(target) else target for target in found
    ]


def dsns(root: Path, name: str, role: str) -> list[str]:
    """Return the connection string of a role for each database of a stack, from the file that `up` wrote.

    A stack that writes none (`env_file: false`) is asked for its outputs. Raises InfraError for a stack that does not
    exist, and where neither can be read.
    """
    env_file = _stack(root, name).setting("env_file")
    if env_file is False:
        return _dsns_of_outputs(root, name, role)
    path = root / str(env_file or Settings.model_fields["env_file"].default).replace("{stack}", name.rpartition("/")[2])
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InfraError(
            f"cannot be read ({error.strerror})",
            place=str(path),
            remedy=f"run `make up STACK={name}`",
        ) from None
    pattern = re.compile(_DSN.format(role=role.upper()))
    matches = [pattern.fullmatch(line.strip()) for line in lines]
    found = ["".join(shlex.split(match["value"])) for match in matches if match]
    if not found:
        raise InfraError(
            f"has no connection string of the role {role}",
            place=str(path),
            remedy=f"run `make up STACK={name}`",
        )
    return found


def _dsns_of_outputs(root: Path, name: str, role: str) -> list[str]:
    """Return the connection strings that `pulumi` reads from the state, in the environment's backend."""
    command = ["pulumi", "stack", "output", "dsn", "--json", "--show-secrets", "--non-interactive", "--stack", name]
    try:
        result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError as error:
        reason = f"pulumi cannot be run ({error.strerror})"
    else:
        if not result.returncode:
            return [roles[role] for roles in json.loads(result.stdout).values()]
        reason = (result.stderr.strip().splitlines() or ["pulumi failed"])[-1].removeprefix("error: ")
    raise InfraError(
        f"the stack writes no file with its connection strings (env_file: false), and has no outputs: {reason}",
        place=f"stack {name}",
        remedy="export PULUMI_BACKEND_URL and PULUMI_CONFIG_PASSPHRASE as `up` had them",
    )


def _stack(root: Path, name: str) -> StackFile:
    short = name.rpartition("/")[2]
    for stack in stack_files(root):
        if stack.name == short:
            return stack
    raise InfraError(f"there is no Pulumi.{short}.yaml", place=f"stack {name}", remedy="name a stack of this project")


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InfraError(
            f"cannot be read ({error.strerror})", place=str(path), remedy="run the command in the root of the project"
        ) from None
    except yaml.YAMLError as error:
        raise InfraError(f"is not YAML ({type(error).__name__})", place=str(path), remedy="correct the file") from None
    return document if isinstance(document, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def _has_line(path: Path, setting: str) -> bool:
    return bool(_place_of(path, path, setting).line)


def _place_of(path: Path, shown_as: Path, setting: str) -> Place:
    """Return the line of a setting in a file, or the file if it has no such line."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        if re.match(rf"\s*(?:[\w-]+:)?{setting}\s*:", line):
            return Place(str(shown_as), number, len(line) - len(line.lstrip()) + 1, "", line)
    return Place(str(shown_as))
