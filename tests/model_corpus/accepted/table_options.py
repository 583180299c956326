"""Tables that are unlogged, partitioned, inherited from, in a tablespace, or of an access method."""

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, MetaData, Table, UniqueConstraint

metadata = MetaData()

Table("fast", metadata, Column("id", Integer, primary_key=True), prefixes=["UNLOGGED"])
Table(
    "zz_parent",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("size", Integer, CheckConstraint("size > 0", name="positive"), index=True),
    CheckConstraint("id > 0"),
)
Table(
    "aa_child",
    metadata,
    Column("extra", Integer),
    Column("size", Integer),
    CheckConstraint("extra > 0"),
    UniqueConstraint("extra"),
    postgresql_inherits="zz_parent",
)
Table("grandchild", metadata, Column("more", Integer), postgresql_inherits=("aa_child",))
measurements = Table(
    "measurements",
    metadata,
    Column("place", Integer, ForeignKey("zz_parent.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("value", Integer, index=True),
    CheckConstraint("value > 0"),
    postgresql_partition_by="RANGE (day)",
)
Table("placed", metadata, Column("id", Integer, primary_key=True), postgresql_tablespace="pg_default")
Table("by_method", metadata, Column("id", Integer), postgresql_using="heap")
Index("values", measurements.c.value, measurements.c.day.desc())
