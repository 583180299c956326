"""The declarative base of all models: names of constraints as PostgreSQL chooses them, and recurring column types."""

from datetime import datetime, timezone
from typing import Annotated, Any, ClassVar
from uuid import uuid4

from sqlalchemy import JSON, DateTime, Double, Identity, MetaData, String
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeEngine

# The names that PostgreSQL gives to unnamed constraints, so that both ways to a schema agree on every name. Index names
# are the application's: PostgreSQL's own would be <table>_<column>_idx.
NAMING_CONVENTION = {
    "pk": "%(table_name)s_pkey",
    "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
    "uq": "%(table_name)s_%(column_0_N_name)s_key",
    "ck": "%(table_name)s_%(column_0_name)s_check",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


class Base(DeclarativeBase):
    """The base of every model. Each Python type maps to one column type; `X | None` means nullable."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar[dict[Any, TypeEngine[Any]]] = {
        str: String(),
        float: Double(),
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSON(),
        list[Any]: JSON(),
        list[str]: ARRAY(String()),
    }


def new_uuid() -> str:
    """Return a new random UUID as text, the form in which the application keeps its keys."""
    return str(uuid4())


def utc_now() -> datetime:
    """Return the current time in UTC; columns have the function itself as default, so each row has its own time."""
    return datetime.now(timezone.utc)


UuidKey = Annotated[str, mapped_column(primary_key=True, default=new_uuid)]
GivenKey = Annotated[str, mapped_column(primary_key=True)]  # the caller supplies it, there is no default
IdentityKey = Annotated[int, mapped_column(Identity(), primary_key=True)]

SetOnInsert = Annotated[datetime, mapped_column(default=utc_now)]
SetOnUpdate = Annotated[datetime, mapped_column(default=utc_now, onupdate=utc_now)]

JsonObject = dict[str, Any]
JsonArray = list[Any]
JsonValue = dict[str, Any] | list[Any] | str | float | bool
