"""Types that tables of two schemas and of two metadata share, and a table that joins tables of other metadata."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

import enum

from sqlalchemy import ARRAY, Column, Enum, ForeignKey, Integer, MetaData, String, Table, text
from sqlalchemy.dialects.postgresql import DOMAIN, ENUM


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


shop = MetaData(schema="sales")
stock = MetaData(schema="stock")
joins = MetaData()


def values(levels: type[enum.Enum]) -> list[str]:
    return [level.value for level in levels]


level = Enum(Level, name="level", schema="kinds", values_callable=values)
code = DOMAIN("code", String(8), schema="kinds", check="VALUE <> ''")

orders = Table(
    "orders",
    shop,
    Column("id", Integer, primary_key=True),
    Column("level", level, nullable=False, server_default=text("'high'::kinds.level")),
    Column("codes", ARRAY(code)),
)
items = Table(
    "items",
    stock,
    Column("id", Integer, primary_key=True),
    Column("level", level, server_default="low"),
    Column("levels", ARRAY(level, dimensions=2), server_default="{}"),
    Column("code", code),
)
Table(
    "orders_items",
    joins,
    Column("order_id", ForeignKey(orders.c.id, ondelete="CASCADE"), primary_key=True),
    Column("item_id", ForeignKey(items.c.id), primary_key=True, index=True),
    Column("level", ENUM(name="level", schema="kinds", create_type=False)),
)
