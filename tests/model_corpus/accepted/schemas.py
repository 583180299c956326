"""Tables, enums, domains and sequences in schemas, by table and by metadata, and keys between them."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from sqlalchemy import Column, Enum, ForeignKey, Index, Integer, MetaData, Sequence, String, Table
from sqlalchemy.dialects.postgresql import DOMAIN

metadata = MetaData(schema="Main Schema")

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", Enum("a", "b", name="kind", inherit_schema=True)),
    Column("status", Enum("on", "off", name="status", schema="types")),
    Column("code", DOMAIN("code", String(4), schema="types")),
)
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, Sequence("order_numbers", schema="numbers"), primary_key=True),
    Column("user_id", Integer, ForeignKey("Main Schema.users.id"), index=True),
    schema="shop",
    comment="Orders.",
)
Table("users", metadata, Column("id", Integer, ForeignKey("shop.orders.id"), primary_key=True), schema="shop")
Table("users", metadata, Column("id", Integer, ForeignKey("shop.users.id"), primary_key=True), schema="public")
Index("by_user", orders.c.user_id, orders.c.id)
