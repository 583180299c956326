"""Defaults, generated columns, checks and conditions with constants of Python: escapes, dates, enums, lists."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false

import datetime as dt
import enum
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Enum,
    FetchedValue,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Uuid,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, array

metadata = MetaData(schema="constants")


class Switch(enum.Enum):
    ON = "on"
    OFF = "off"


constants = Table(
    "constants",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("format", Text, server_default=text("to_char(now(), 'HH24%')")),
    Column("flag", Boolean, server_default=true()),
    Column("nothing", Boolean, server_default=null()),
    Column("uuid", Uuid, server_default=func.gen_random_uuid()),
    Column("moment", DateTime(timezone=True), server_default=text("now() + interval '1 day'"), onupdate=func.now()),
    Column("json", JSONB, server_default=func.jsonb_build_object("a", 1)),
    Column("number", Integer, server_default=cast("5", Integer)),
    Column("decimal", Numeric, server_default="1.50"),
    Column("switch", Enum(Switch), server_default=Switch.ON.name),
    Column("array", ARRAY(Text), server_default=array(["a", "b"])),
    Column("fetched", Text, server_default=FetchedValue(), server_onupdate=FetchedValue()),
    Column("escapes", Text, server_default="a\\b\nc%(x)s :y %%"),
    Column("colon", Text, server_default=text("'a\\:b'")),
    Column("column", Text, server_default=literal_column("'x' || 'y'")),
    Column("call", Text, server_default=func.coalesce(literal("q'%"), "z")),
    Column("tab", Text, server_default=text("E'tab\\t'")),
    Column("day", Date, server_default=dt.date(2020, 1, 1).isoformat()),
    Column("generated", Text, Computed("lower(tab) || '%' || 'it''s'"), comment='It\'s\n50% "generated" \\.'),
)
column = constants.c
for name, condition in {
    "in": column.switch.in_([Switch.ON, Switch.OFF]),
    "moment": column.moment > dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc),
    "decimal": column.decimal.between(Decimal("0.5"), 10),
    "like": column.format.like("50%"),
    "pattern": column.format.regexp_match("^a%b:c$"),
    "uuid": column.uuid != UUID(int=0),
    "json": column.json["k"].astext != "x",
    "or": or_(column.flag.is_(True), column.nothing.is_(None)),
}.items():
    constants.append_constraint(CheckConstraint(condition, name=f"by_{name}"))
Index("of_switch", column.id, postgresql_where=column.switch == Switch.ON)
Index("of_day", column.id, postgresql_where=column.day >= dt.date(2024, 1, 1))
Index("of_flag", column.id, postgresql_where=column.flag)
Index("of_texts", column.tab, postgresql_where=column.tab.in_(["x", "it's", "50%"]))
