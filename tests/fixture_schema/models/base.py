"""The declarative base of the fixture, with metadata of its own."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import DateTime, MetaData, String
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

from models.base import NAMING_CONVENTION
from models.table_module import SeedRows, TableModule


class Base(DeclarativeBase):
    """The base of every model of the fixture."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, TypeEngine[Any]]] = {
        str: String(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(),
        list[str]: ARRAY(String()),
    }


def tables_of(creates: str, *models: type[Base], seeds: tuple[SeedRows, ...] = ()) -> TableModule:
    """Return the module that creates the tables of these models, in this order."""
    files = dict.fromkeys(f"{model.__module__.replace('.', '/')}.py" for model in models)
    return TableModule(
        creates, tuple(files), tuple(Base.metadata.tables[model.__tablename__] for model in models), seeds
    )
