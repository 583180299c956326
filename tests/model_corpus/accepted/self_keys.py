"""Keys of several columns from a table to itself: in a schema, MATCH FULL, deferred, in a partitioned table."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Computed,
    ForeignKeyConstraint,
    Identity,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

metadata = MetaData(schema="Tree's")

Table(
    "nodes",
    metadata,
    Column("tenant", Integer),
    Column("id", Integer, Identity(start=1000)),
    Column("parent_tenant", Integer),
    Column("parent_id", Integer),
    Column("Path", String(collation="C"), nullable=False),
    Column("depth", Integer, Computed("length(\"Path\") - length(replace(\"Path\", '/', ''))", persisted=True)),
    Column("label", String, Computed("lower(\"Path\" || '%')")),
    PrimaryKeyConstraint("tenant", "id"),
    UniqueConstraint("tenant", "Path", name="one path", postgresql_nulls_not_distinct=True),
    ForeignKeyConstraint(
        ["parent_tenant", "parent_id"],
        ["Tree's.nodes.tenant", "Tree's.nodes.id"],
        match="FULL",
        deferrable=True,
        initially="DEFERRED",
        use_alter=True,
        name="parent",
    ),
    ForeignKeyConstraint(["tenant", "Path"], ["Tree's.nodes.tenant", "Tree's.nodes.Path"], onupdate="CASCADE"),
    CheckConstraint("(parent_tenant, parent_id) IS DISTINCT FROM (tenant, id)"),
    CheckConstraint("depth BETWEEN 0 AND 100 AND \"Path\" !~ '%%'", name="depth"),
)
Table(
    "versions",
    metadata,
    Column("tenant", Integer),
    Column("id", Integer),
    Column("version", Integer),
    Column("before", Integer),
    PrimaryKeyConstraint("tenant", "id", "version", name="versions of nodes"),
    ForeignKeyConstraint(["tenant", "id"], ["Tree's.nodes.tenant", "Tree's.nodes.id"], ondelete="CASCADE"),
    ForeignKeyConstraint(
        ["tenant", "id", "before"],
        ["Tree's.versions.tenant", "Tree's.versions.id", "Tree's.versions.version"],
        match="FULL",
        ondelete="SET NULL",
    ),
    postgresql_partition_by="LIST (tenant)",
)
