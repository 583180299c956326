"""Every keyword that SQLAlchemy's dialect of PostgreSQL has for tables, constraints and indexes, beside indexes.py."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    cast,
    collate,
    func,
)
from sqlalchemy.dialects.postgresql import INT4RANGE, JSONB

metadata = MetaData(schema="keywords")

words = Table(
    "words",
    metadata,
    Column("id", Integer),
    Column("name", Text),
    Column("data", JSONB),
    Column("during", INT4RANGE),
    Column("more", Text),
    PrimaryKeyConstraint("id", name="words_key", postgresql_include=["name"]),
    CheckConstraint("id > 0", postgresql_not_valid=True),
    ForeignKeyConstraint(["id"], ["keywords.words.id"], postgresql_not_valid=True),
    UniqueConstraint("name", postgresql_include=["more"], postgresql_nulls_not_distinct=True),
    UniqueConstraint("name", "more", postgresql_nulls_not_distinct=False),
    postgresql_with_oids=False,
    postgresql_ignore_search_path=True,
    postgresql_using="heap",
    postgresql_tablespace="pg_default",
)
Index("by_hash", words.c.name, postgresql_using="hash")
Index("by_brin", words.c.id, postgresql_using="brin", postgresql_with={"pages_per_range": 4, "autosummarize": True})
Index("by_path", words.c.data, postgresql_using="gin", postgresql_ops={"data": "jsonb_path_ops"})
Index("by_gist", words.c.during, postgresql_using="gist", postgresql_with={"fillfactor": 60, "buffering": "on"})
Index("by_spgist", words.c.name, postgresql_using="spgist")
Index("by_label", func.lower(words.c.name).label("low"), postgresql_ops={"low": "text_pattern_ops"})
Index("by_collation", collate(words.c.name, "C").desc().nulls_last(), postgresql_include=[words.c.more])
Index("by_attribute", words.c.data["k"].astext, words.c.id % 10)
Index("by_cast", cast(words.c.name, Integer), unique=True, postgresql_nulls_not_distinct=False)
