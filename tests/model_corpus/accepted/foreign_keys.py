"""Foreign keys with every option, in circles, to themselves, and with columns of other names."""

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, MetaData, PrimaryKeyConstraint, Table

metadata = MetaData()

Table(
    "target",
    metadata,
    Column("a", Integer),
    Column("b", Integer),
    Column("c", Integer, unique=True),
    PrimaryKeyConstraint("a", "b"),
)
Table(
    "source",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("a", Integer),
    Column("b", Integer),
    Column("c", Integer, ForeignKey("target.c", onupdate="CASCADE", ondelete="SET DEFAULT", name="named")),
    Column("d", Integer, ForeignKey("target.c", deferrable=True, initially="DEFERRED")),
    Column("e", Integer, ForeignKey("target.c", deferrable=False)),
    Column("f", Integer, ForeignKey("target.c", postgresql_not_valid=True)),
    ForeignKeyConstraint(["a", "b"], ["target.a", "target.b"], match="FULL"),
    ForeignKeyConstraint(["b", "a"], ["target.a", "target.b"], ondelete="SET NULL (a)"),
)
Table("hen", metadata, Column("id", Integer, primary_key=True), Column("egg_id", Integer, ForeignKey("egg.id")))
Table(
    "egg",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hen_id", Integer, ForeignKey("hen.id", name="laid_by", use_alter=True)),
)
Table("left", metadata, Column("id", Integer, primary_key=True), Column("other", Integer, ForeignKey("right.id")))
Table("right", metadata, Column("id", Integer, primary_key=True), Column("other", Integer, ForeignKey("left.id")))
Table(
    "tree",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("Parent Id", Integer, ForeignKey("tree.id", ondelete="cascade"), key="parent_id"),
)
