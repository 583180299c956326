"""The settings of a folder of SQL modules: the file modules.yaml in it, in which every key is optional."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from infra.folder.yaml_file import YamlFile
from infra.modules.module import FOLDER_SETTINGS, require_directory

if TYPE_CHECKING:
    from pathlib import Path

    import yaml

_TITLE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_A_TITLE = "write lower-case words with hyphens between them, without a number"

Division = Literal["package", "file"]
Autoincrement = Literal["identity", "serial"]


@dataclass(frozen=True)
class ModuleContent:
    """What one generated module creates: the tables of Python modules or packages, and tables by name."""

    creates: str = ""  # its first line; by default that of the docstring of the models
    source: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    place: str = ""


@dataclass(frozen=True)
class FolderSettings:
    """The values of modules.yaml, or the defaults; each field but `path` is a key of the file."""

    path: str
    models: tuple[str, ...] = ()  # Python modules and packages
    python_path: tuple[str, ...] = ()
    modules: Division | dict[str, ModuleContent] = "package"
    first: int = 0  # the number of the first generated module; 0: after the hand-written ones at the beginning
    indexes: str = "indexes"
    constraints: str = "constraints"
    autoincrement: Autoincrement = "identity"
    hand_written: tuple[str, ...] = ()  # tables that the models map, and hand-written modules create


_KEYS = ("models", "python_path", "modules", "first", "indexes", "constraints", "autoincrement", "hand_written")


def read_folder_settings(directory: Path) -> FolderSettings:
    """Read modules.yaml of a folder, or return the defaults; raises InfraError with all problems, a line each."""
    require_directory(directory)
    path = directory / FOLDER_SETTINGS
    if not path.is_file():
        return FolderSettings(str(path))
    file = YamlFile(path)
    nodes = file.known_items(file.root, _KEYS)
    settings = FolderSettings(
        str(path),
        models=_dotted(file, nodes.get("models")),
        python_path=file.texts(nodes["python_path"]) if "python_path" in nodes else (),
        modules=_modules(file, nodes.get("modules")),
        first=_first(file, nodes.get("first")),
        indexes=_title(file, nodes.get("indexes"), "indexes"),
        constraints=_title(file, nodes.get("constraints"), "constraints"),
        autoincrement=_autoincrement(file, nodes.get("autoincrement")),
        hand_written=file.texts(nodes["hand_written"]) if "hand_written" in nodes else (),
    )
    file.require_no_problems("nothing was done")
    return settings


def _dotted(file: YamlFile, node: yaml.Node | None) -> tuple[str, ...]:
    names = file.texts(node) if node else ()
    for name in names:
        if node and name and not _DOTTED.fullmatch(name):
            file.add_problem(node, f"{name} is not the name of a Python module", "write `app.models`, not a path")
    return names


def _title(file: YamlFile, node: yaml.Node | None, default: str) -> str:
    if node is None:
        return default
    title = file.text(node)
    if title and not _TITLE.fullmatch(title):
        file.add_problem(node, f"{title} cannot be the name of a module", _A_TITLE)
    return title


def _first(file: YamlFile, node: yaml.Node | None) -> int:
    if node is None:
        return 0
    text = file.text(node)
    if not re.fullmatch(r"0*[1-9][0-9]{0,3}", text):
        file.add_problem(node, f"{text} is not the number of a module", "write a whole number from 1")
        return 0
    return int(text)


def _autoincrement(file: YamlFile, node: yaml.Node | None) -> Autoincrement:
    text = file.text(node) if node else "identity"
    if text == "identity" or text == "serial":  # noqa: PLR1714 (narrows the type)
        return text
    if node:
        file.add_problem(node, f"{text} is not a kind of autoincrement", "write identity or serial")
    return "identity"


def _modules(file: YamlFile, node: yaml.Node | None) -> Division | dict[str, ModuleContent]:
    if node is None or node.value == "package":
        return "package"
    if node.value == "file":
        return "file"
    contents: dict[str, ModuleContent] = {}
    for title, key, value in file.items(node):
        if not _TITLE.fullmatch(title):
            file.add_problem(key, f"{title} cannot be the name of a module", _A_TITLE)
        nodes = file.known_items(value, ("creates", "from", "tables"))
        contents[title] = ModuleContent(
            creates=file.text(nodes["creates"]) if "creates" in nodes else "",
            source=_dotted(file, nodes.get("from")),
            tables=file.texts(nodes["tables"]) if "tables" in nodes else (),
            place=file.place(key),
        )
    return contents
