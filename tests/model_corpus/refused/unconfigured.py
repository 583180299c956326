"""A relationship to a class that does not exist."""

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Orphan(Base):
    __tablename__ = "orphan"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent: Mapped["NoSuchParent"] = relationship()  # noqa: F821 # pyright: ignore[reportUndefinedVariable]
