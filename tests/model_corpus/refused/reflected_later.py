"""A table whose columns only a database knows: without one the model has a part of them."""

from sqlalchemy.ext.declarative import DeferredReflection
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class Reflected(DeferredReflection):
    __abstract__ = True


class User(Reflected, Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
