"""Options of types: precision, fields, dimensions, names and schemas of enums, checks and defaults of domains."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import enum

from sqlalchemy import (
    Boolean,
    Column,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects import postgresql

metadata = MetaData(schema="options")


class Quote(enum.Enum):
    SINGLE = "it's"
    DOUBLE = 'a "b"'
    PERCENT = "50%"


def values(members: type[enum.Enum]) -> list[str]:
    return [member.value for member in members]


Table(
    "options",
    metadata,
    Column("interval", postgresql.INTERVAL(precision=3)),
    Column("fields", postgresql.INTERVAL(fields="DAY TO SECOND", precision=2)),
    Column("seconds", Interval(second_precision=4)),
    Column("epoch", Interval(native=False)),
    Column("time", postgresql.TIME(precision=2, timezone=True)),
    Column("stamp", postgresql.TIMESTAMP(precision=0)),
    Column("cube", postgresql.ARRAY(Text, dimensions=3)),
    Column("vector", postgresql.ARRAY(Numeric(5, 2), zero_indexes=True, as_tuple=True)),
    Column("by_value", Enum(Quote, values_callable=values)),
    Column("in_schema", Enum(Quote, name="quote_in_schema", inherit_schema=True)),
    Column("text", Enum(Quote, native_enum=False, length=42, create_constraint=True, name="q", values_callable=values)),
    Column("letters", Enum("x", "y", native_enum=False, create_constraint=True)),
    Column("of_metadata", postgresql.ENUM("p", "q", name="of_metadata", schema="options", metadata=metadata)),
    Column("created", postgresql.ENUM(Quote, name="created", create_type=True)),
    Column("enums", postgresql.ARRAY(postgresql.ENUM("1", "2", name="digit"), dimensions=2)),
    Column("boolean", Boolean(create_constraint=True, name="never_written")),
    Column("over", postgresql.DOMAIN("over", Integer, check=text("VALUE > 0"), not_null=True, schema="options")),
    Column("short", postgresql.DOMAIN("short", Text, collation="C", check="VALUE <> '%'", default=text("'x'"))),
    Column("domains", postgresql.ARRAY(postgresql.DOMAIN("of_array", Integer, schema="options"))),
    Column("float", Float(53)),
    Column("single", Float(precision=10)),
    Column("whole", Numeric(10, 0)),
    Column("character", postgresql.CHAR),
    Column("bits", postgresql.BIT(7, varying=True)),
    Column("query", postgresql.TSQUERY),
    Column("configuration", postgresql.REGCONFIG),
    Column("ranges", postgresql.NUMMULTIRANGE),
    Column("days", postgresql.DATERANGE),
    Column("json", postgresql.JSON(none_as_null=True)),
    Column("uuid", postgresql.UUID(as_uuid=False)),
    Column("binary", LargeBinary(10)),
)
