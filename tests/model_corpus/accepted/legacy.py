"""Models as written for SQLAlchemy 1.4 and before: mixins, abstract and concrete bases, odd table arguments."""

# pyright: basic, reportArgumentType=false, reportAttributeAccessIssue=false

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    FetchedValue,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    PickleType,
    Sequence,
    String,
    UniqueConstraint,
    desc,
    func,
    literal_column,
    text,
)
from sqlalchemy.ext.declarative import AbstractConcreteBase, ConcreteBase, declared_attr
from sqlalchemy.orm import as_declarative, backref, column_property, declarative_base, relationship

Base: Any = declarative_base(
    metadata=MetaData(naming_convention={"ix": "%(column_0_label)s_ix", "ck": "ck_%(table_name)s_%(constraint_name)s"})
)


class Named:
    @declared_attr
    def __tablename__(cls) -> str:  # noqa: N805
        return cls.__name__.lower()

    __table_args__: Any = {"comment": "By a mixin."}  # noqa: RUF012
    id = Column(Integer, primary_key=True)


class Tracked:
    created = Column(DateTime, server_default=func.now(), nullable=False)
    updated = Column(DateTime, server_default=FetchedValue(), server_onupdate=FetchedValue())

    @declared_attr
    def author_id(cls):  # noqa: N805
        return Column("author", ForeignKey("author.id", ondelete="SET NULL"), nullable=True, index=True)


class Author(Named, Base):
    name = Column(String(100), unique=True)
    active = Column(Boolean(name="active", create_constraint=True), default=True)
    balance = Column(Numeric(10, 2, asdecimal=True), CheckConstraint("balance >= 0", name="balance"))
    blob = Column(PickleType)


class Abstract(Tracked, Base):
    __abstract__ = True
    number = Column(BigInteger, Identity(always=True), primary_key=True)


class Book(Abstract):
    __tablename__ = "book"
    __table_args__: Any = (
        UniqueConstraint("title", "author", name="one_title"),
        Index("newest", desc("created"), text("lower(title)")),
        {"comment": "It's a book.", "schema": None, "info": {"x": 1}},
    )
    title = Column(String, nullable=False)
    sequel_of = Column(BigInteger, ForeignKey("book.number"))
    sequels = relationship("Book", backref=backref("first", remote_side="Book.number"))
    initial = Column(String(1), Computed("upper(left(title, 1))"), index=True)
    shown = column_property(literal_column("title || '!'"))


class Tag(Base):
    __tablename__ = "tag"
    book = Column(BigInteger, ForeignKey("book.number", onupdate="CASCADE", ondelete="CASCADE"), primary_key=True)
    place = Column(Integer, Sequence("tag_place", start=10), primary_key=True)
    above_book = Column(BigInteger)
    above_place = Column(Integer)
    __table_args__ = (
        ForeignKeyConstraint(["above_book", "above_place"], ["tag.book", "tag.place"], match="FULL", name="above"),
    )


class Vehicle(ConcreteBase, Base):
    __tablename__ = "vehicle"
    id = Column(Integer, primary_key=True)
    wheels = Column(Integer, server_default="4")


class Truck(Vehicle):
    __tablename__ = "truck"
    id = Column(Integer, primary_key=True)
    load = Column(Integer)
    __mapper_args__ = {"concrete": True, "polymorphic_identity": "truck"}  # noqa: RUF012


class Shape(AbstractConcreteBase, Base):
    pass


class Circle(Shape):
    __tablename__ = "circle"
    id = Column(Integer, primary_key=True)
    radius = Column(Integer)
    __mapper_args__ = {"concrete": True, "polymorphic_identity": "circle"}  # noqa: RUF012


@as_declarative()
class ByDecorator:
    metadata: Any


class Note(ByDecorator):
    __tablename__ = "note"
    id = Column(Integer, primary_key=True)
    text = Column("Text", String, server_default=text("'it''s'"))
