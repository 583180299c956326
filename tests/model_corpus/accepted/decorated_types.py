"""Types of the models' own that ask the dialect for the type below them: drivers have other ones for values."""

from typing import Any

from sqlalchemy import CHAR, JSON, REAL, Column, Dialect, Double, Integer, MetaData, String, Table, Text, Unicode
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, UUID
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData()


class Described(TypeDecorator[Any]):
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(self.impl_instance)


class Guid(TypeDecorator[Any]):
    impl = CHAR
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(UUID() if dialect.name == "postgresql" else CHAR(32))


def described(inner: type[TypeEngine[Any]]) -> type[Described]:
    return type(f"Described{inner.__name__}", (Described,), {"impl": inner})


Table(
    "decorated_columns",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hex", described(CHAR)(32), unique=True),
    Column("text", described(Text)(collation="C"), nullable=False, server_default="it's"),
    Column("name", described(Unicode)(20)),
    Column("guid", Guid, index=True),
    Column("guids", ARRAY(Guid)),
    Column("texts", ARRAY(described(Text), dimensions=2)),
    Column("real", described(REAL)),
    Column("double", described(Double)),
    Column("moment", described(TIMESTAMP)(precision=3, timezone=True)),
    Column("data", described(JSON)),
    Column("binary", described(JSONB)),
    Column("of_variant", String().with_variant(described(Text)(), "postgresql")),
)
