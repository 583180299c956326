"""Partitions and partitions of these, by listeners; their indexes and keys; parents with children in other schemas."""

# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from datetime import date

from sqlalchemy import (
    DDL,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    event,
)

metadata = MetaData()

regions = Table("regions", metadata, Column("code", String(2), primary_key=True))
events = Table(
    "events",
    metadata,
    Column("id", Integer),
    Column("day", Date),
    Column("region", ForeignKey("regions.code")),
    Column("size", Integer, CheckConstraint("size >= 0"), nullable=False, server_default="0"),
    PrimaryKeyConstraint("day", "region", "id"),
    Index("events_by_size", "size", postgresql_using="brin", postgresql_with={"pages_per_range": 16}),
    postgresql_partition_by="RANGE (day)",
)
for year in (2025, 2026):
    bounds = f"FOR VALUES FROM ('{date(year, 1, 1)}') TO ('{date(year + 1, 1, 1)}')"
    event.listen(
        events,
        "after_create",
        DDL(f"CREATE TABLE %(fullname)s_{year} PARTITION OF %(fullname)s {bounds} PARTITION BY LIST (region)"),
    )
    event.listen(
        events, "after_create", DDL(f"CREATE TABLE events_{year}_de PARTITION OF events_{year} FOR VALUES IN ('de')")
    )
    event.listen(events, "after_create", DDL(f"CREATE TABLE events_{year}_rest PARTITION OF events_{year} DEFAULT"))
event.listen(events, "after_create", DDL("CREATE INDEX only_2026 ON events_2026 (size, day)"))
event.listen(events, "after_create", DDL("ALTER TABLE events_2025_de SET (fillfactor = 70, autovacuum_enabled = off)"))

Table(
    "references_partitions",
    metadata,
    Column("day", Date, primary_key=True),
    Column("region", String(2), primary_key=True),
    Column("id", Integer, primary_key=True),
    Column("region_of_child", ForeignKey("regions.code", ondelete="SET NULL")),
)
