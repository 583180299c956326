"""Indexes and constraints with everything that PostgreSQL adds to SQL."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSRANGE, ExcludeConstraint

metadata = MetaData()

things = Table(
    "things",
    metadata,
    Column("id", Integer),
    Column("name", String, index=True),
    Column("email", String, unique=True, index=True),
    Column("data", JSONB),
    Column("during", TSRANGE),
    Column("Odd Name", String, index=True),
    PrimaryKeyConstraint("id", name="things_key", postgresql_include=["name"]),
    UniqueConstraint("name", "email", name="both", postgresql_nulls_not_distinct=True),
    UniqueConstraint("data", name="later", deferrable=True, initially="DEFERRED", postgresql_include=["name"]),
    CheckConstraint("length(name) > 0", name="named", postgresql_not_valid=True),
    ExcludeConstraint(("during", "&&"), name="no_overlap", where=text("name <> ''"), deferrable=True),
    Index("expression", text("lower(name) DESC NULLS LAST")),
)
Index("lower_names", func.lower(things.c.name), unique=True)
Index("partial", things.c.name, postgresql_where=things.c.email.is_(None))
Index("operators", things.c.name, postgresql_ops={"name": "text_pattern_ops"})
Index("by_gin", things.c.data, postgresql_using="gin", postgresql_with={"fastupdate": "off"})
Index("online", things.c.email, postgresql_concurrently=True)
Index("included", things.c.name, postgresql_include=["email"], postgresql_tablespace="pg_default")
Index("distinct_nulls", things.c.name, unique=True, postgresql_nulls_not_distinct=True)
Index("only_elsewhere", things.c.name).ddl_if(dialect="sqlite")
things.append_constraint(CheckConstraint("false", name="only_elsewhere_too").ddl_if(dialect="sqlite"))
