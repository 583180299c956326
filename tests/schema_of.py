"""A folder of modules with the models that its settings name, as the tests use both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from infra.folder.modules_yaml import FolderSettings, read_folder_settings
from infra.generate.from_models import generate_modules
from infra.generate.imported_models import ImportedModels, import_models
from infra.generate.table_modules import TableModule, table_modules
from infra.generate.written_files import hand_written_modules

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import MetaData


@dataclass(frozen=True)
class Schema:
    """A folder of modules, its settings and its models; `modules` are those with tables, by name."""

    directory: Path
    settings: FolderSettings
    models: ImportedModels
    modules: dict[str, TableModule]

    @property
    def metadata(self) -> MetaData:
        """Return the one metadata of the models."""
        (metadata,) = self.models.metadata
        return metadata

    def generate(self) -> dict[str, str]:
        """Return the text of every generated module by file name."""
        return generate_modules(self.models, self.settings, hand_written_modules(self.directory))


def read_schema(directory: Path) -> Schema:
    """Read the settings of a folder whose first module alone is written by hand, and import its models."""
    settings = read_folder_settings(directory)
    models = import_models(
        settings.models, python_path=settings.python_path, identity=settings.autoincrement == "identity"
    )
    modules = {
        f"{number:02}-{module.title}": module for number, module in enumerate(table_modules(models, settings), 2)
    }
    return Schema(directory, settings, models, modules)
