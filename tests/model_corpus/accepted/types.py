"""Enums, domains and sequences are created before their use, once, in their order; and types of all kinds."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import enum
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    DateTime,
    Double,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Sequence,
    String,
    Table,
    Text,
    Time,
    Unicode,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeDecorator, UserDefinedType

metadata = MetaData()


class Colour(enum.Enum):
    """Not in the order of the alphabet."""

    RED = 1
    GREEN = 2
    BLUE = 3


class Lsn(UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "pg_LSN"


class Mood(TypeDecorator[str]):
    impl = Enum("sad", "it's ok", 'very "happy"', "100%", name="Mood")
    cache_ok = True


shared = Enum("x", "y", name="shared")
of_metadata = Enum("p", "q", name="of_metadata", metadata=metadata)
unused = Enum("u", name="unused", metadata=metadata)
positive = postgresql.DOMAIN("positive", Integer, check="VALUE > 0", not_null=True, default="1")
tagged = postgresql.DOMAIN("tagged", String(4, collation="C"), constraint_name="short", check="VALUE <> ''")

Table("users_of_enums", metadata, Column("a", Enum(Colour)), Column("b", shared), Column("c", ARRAY(shared)))
Table("more_users", metadata, Column("a", shared, server_default="x"), Column("b", Mood), Column("c", of_metadata))
Table(
    "checked",
    metadata,
    Column("by_check", Enum("m", "n", native_enum=False, create_constraint=True, name="by_check")),
    Column("by_length", Enum("m", "nnnn", native_enum=False, length=10)),
    Column("flag", Boolean(create_constraint=True, name="flag_is_boolean")),
)
Table("domains", metadata, Column("n", positive), Column("t", tagged), Column("many", postgresql.ARRAY(positive)))

Sequence("alone", metadata=metadata, start=5, increment=5, minvalue=5, maxvalue=500, cycle=True, cache=7)
numbers: Sequence = Sequence("numbers", metadata=metadata, data_type=Integer)
Table("numbered", metadata, Column("n", Integer, numbers, server_default=numbers.next_value()))

Table(
    "many_types",
    metadata,
    Column("c01", String),
    Column("c02", String(10, collation="C")),
    Column("c03", Unicode(20)),
    Column("c04", Text(collation="POSIX")),
    Column("c05", Numeric),
    Column("c06", Numeric(12, 3)),
    Column("c07", Float),
    Column("c08", Float(20)),
    Column("c09", Double),
    Column("c10", DateTime),
    Column("c11", DateTime(timezone=True)),
    Column("c12", postgresql.TIMESTAMP(timezone=True, precision=3)),
    Column("c13", Time(timezone=True)),
    Column("c14", Interval),
    Column("c15", postgresql.INTERVAL(fields="YEAR TO MONTH")),
    Column("c16", LargeBinary),
    Column("c17", Uuid),
    Column("c18", Uuid(as_uuid=False, native_uuid=False)),
    Column("c19", postgresql.INET),
    Column("c20", postgresql.CIDR),
    Column("c21", postgresql.MACADDR8),
    Column("c22", postgresql.JSONB, server_default=text("'{}'")),
    Column("c23", postgresql.JSONPATH),
    Column("c24", postgresql.BIT(5)),
    Column("c25", postgresql.BIT(varying=True)),
    Column("c26", postgresql.MONEY),
    Column("c27", postgresql.OID),
    Column("c28", postgresql.REGCLASS),
    Column("c29", postgresql.TSVECTOR),
    Column("c30", postgresql.TSTZMULTIRANGE),
    Column("c31", postgresql.ARRAY(Integer, dimensions=2)),
    Column("c32", Lsn),
    Column("c33", String().with_variant(postgresql.CITEXT(), "oracle")),
    Column("c34", Text, server_default="it's 50% \\ done"),
    Column("c35", DateTime(timezone=True), server_default=func.current_timestamp()),
    Column("c36", Boolean, server_default=text("false"), nullable=False),
    Column("c37", Text, server_default=text("'a' || 'b'")),
    Column("c38", Text, server_default=""),
    Column("c39", String(30), server_default=func.concat("a", "b")),
)
