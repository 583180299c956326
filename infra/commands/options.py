"""The options that several commands have, and what they stand for."""

# ruff: noqa: PLC0415 (each command imports what it needs when it runs, so that the program starts quickly)

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from infra.modules.module import DEFAULT_DIRECTORY

if TYPE_CHECKING:
    from infra.folder.modules_yaml import FolderSettings
    from infra.generate.imported_models import ImportedModels

MODULES_DIRECTORY = Annotated[
    Path | None, typer.Option(help="The directory of the SQL modules; by default that of --stack, else sql.")
]
OF_STACK = Annotated[str, typer.Option("--stack", help="Take the modules of this stack.")]
STACK = Annotated[str, typer.Option(envvar="STACK", help="The stack.")]
BIN_DIR = Annotated[
    Path | None, typer.Option(help="The folder of PostgreSQL's programs, e.g. /usr/lib/postgresql/15/bin.")
]


def modules_directory(directory: Path | None, stack: str) -> Path:
    """Return the directory that was named, else that of the stack that was named, else the default."""
    if directory is not None or not stack:
        return directory or Path(DEFAULT_DIRECTORY)
    from infra.check.stack_files import directory_of_stack

    return directory_of_stack(Path(), stack)


def models_of(settings: "FolderSettings") -> "ImportedModels | None":
    """Import the models that the settings name, None if they name none."""
    if not settings.models:
        return None
    from infra.generate.imported_models import import_models

    return import_models(
        settings.models,
        python_path=settings.python_path,
        hand_written=settings.hand_written,
        identity=settings.autoincrement == "identity",
    )
