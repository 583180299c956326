"""Declarative models of what imported modules create, written by sqlacodegen, and what such models do not declare."""

from __future__ import annotations

import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import MetaData, inspect

from infra.catalog.difference import differences
from infra.check.comparing import display_name
from infra.check.create_models import create_models
from infra.check.engine import engine_on
from infra.check.folding import fold_parts
from infra.errors import InfraError
from infra.generate.imported_models import import_models

if TYPE_CHECKING:
    from infra.catalog.catalog import Catalog
    from infra.catalog.difference import Difference
    from infra.postgres.connection.scratch_target import ScratchTarget
    from infra.server.scratch.scratch_server import ScratchServer

_VERDICTS = {"missing": "not in the models", "extra": "only in the models", "different": "otherwise in the models"}
_NO_SCHEMAS = {"information_schema", "public"}  # tables of public have no schema in models


def require_new_models(path: Path) -> None:
    """Raise InfraError where models cannot be written to a path: it is taken, or sqlacodegen is not installed."""
    if path.exists():
        raise InfraError("exists already", place=str(path), remedy="name a new file by --models")
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise InfraError("is not the name of a Python module", place=str(path), remedy="name a file such as models.py")
    if find_spec("sqlacodegen") is None:
        raise InfraError(
            "sqlacodegen, which writes models, is not installed", place="--models", remedy="`pip install sqlacodegen`"
        )


def declarative_models(scratch: ScratchTarget) -> str:
    """Return the text of a Python module with models of the tables in a database."""
    from sqlacodegen.generators import DeclarativeGenerator  # noqa: PLC0415 (an optional dependency)

    engine, metadata = engine_on(scratch), MetaData()
    schemas = [name for name in inspect(engine).get_schema_names() if name not in _NO_SCHEMAS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what reflection passes over is found by comparing
        for schema in [None, *schemas]:
            metadata.reflect(engine, schema=schema)
        return DeclarativeGenerator(metadata, engine, ()).generate()


def undeclared(server: ScratchServer, text: str, catalog: Catalog, extensions: list[str]) -> list[str]:
    """Return a line for each object that `create_all` of the models creates otherwise than the modules, or not at all.

    `text` is that of the models, `catalog` what the modules create. Raises InfraError for models that do not work.
    """
    with tempfile.TemporaryDirectory(prefix="platform-postgres-models-") as folder:
        Path(folder, "imported_models.py").write_text(text, encoding="utf-8")
        models = import_models(["imported_models"], python_path=[folder], identity=False)
        created = create_models(server, models, extensions).catalog
    groups = fold_parts(differences(catalog, created))
    return [_line(group.main) for group in groups]


def _line(difference: Difference) -> str:
    return f"{_VERDICTS[difference.verdict]}: {display_name(difference.identity)}"
