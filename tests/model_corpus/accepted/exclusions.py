"""Exclusion constraints of every method, with expressions, operator classes, conditions and comments."""

from sqlalchemy import Boolean, Column, Integer, MetaData, Table, func, literal_column, text
from sqlalchemy.dialects.postgresql import CIDR, INT4RANGE, TSTZRANGE, ExcludeConstraint

metadata = MetaData()

Table(
    "bookings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("room", INT4RANGE),
    Column("during", TSTZRANGE),
    Column("confirmed", Boolean),
    Column("network", CIDR),
    Column("place", Integer),
    ExcludeConstraint(
        ("room", "&&"), ("during", "&&"), name="one_booking", where="confirmed", deferrable=True, initially="DEFERRED"
    ),
    ExcludeConstraint((func.int4range(literal_column("place"), literal_column("place") + 1), "&&")),
    ExcludeConstraint(("network", "&&"), ops={"network": "inet_ops"}, name="One Network", comment="It's one."),
    ExcludeConstraint(("place", "="), using="hash"),
    ExcludeConstraint(("place", "="), using="btree", where=text("confirmed AND place > 5")),
)
