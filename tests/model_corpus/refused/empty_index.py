"""An index that names no columns."""

from sqlalchemy import Column, Index, Integer, MetaData, Table

metadata = MetaData()
Table("tags", metadata, Column("a", Integer), Index("index_tags_request_id"))
