"""Names that need quotes, that repeat, and that are shortened as SQLAlchemy shortens them."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, MetaData, String, Table, UniqueConstraint

convention = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}
metadata = MetaData(naming_convention=convention)

Table("User", metadata, Column("Id", Integer, primary_key=True), Column("select", String, unique=True, index=True))
Table(
    'a.b "quoted" table',
    metadata,
    Column("50% of it", Integer, primary_key=True),
    Column("the user", Integer, ForeignKey("User.Id"), index=True),
    CheckConstraint('"50% of it" > 0', name="half"),
)
Table(
    "a_table_with_a_name_of_forty_characters_x",
    metadata,
    Column("a_column_with_a_name_of_forty_characters", Integer, ForeignKey("User.Id"), primary_key=True, index=True),
    Column("another_column_with_a_name_that_is_long", String, unique=True),
    UniqueConstraint("a_column_with_a_name_of_forty_characters", "another_column_with_a_name_that_is_long"),
    CheckConstraint("true", name="a_check_with_a_name_of_more_than_thirty_characters"),
)
