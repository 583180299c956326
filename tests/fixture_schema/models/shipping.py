"""Ways to send an order, with rows to start with."""

from datetime import datetime
from typing import Any

from sqlalchemy import Identity, Index, UniqueConstraint, func, true
from sqlalchemy.orm import Mapped, mapped_column

from tests.fixture_schema.models.base import Base

SHIPPING_METHODS: dict[str, Any] = {
    "key": ["carrier", "name"],
    "rows": [
        {"carrier": "Post", "name": "Letter", "terms": "Up to 1 kg; it's not insured.", "rates": {"DE": 2.5}},
        {
            "carrier": "Post",
            "name": "Parcel",
            "terms": "Up to 30 kg, insured. It is handed over against a signature, or kept at the post office for a "
            "week when nobody is at home; after that it is sent back.",
            "rates": {"DE": 5, "FR": 9},
        },
        {"carrier": "Courier", "name": "Same day", "terms": "Within the city.", "rates": {"DE": 19}},
    ],
}


class ShippingMethod(Base):
    __tablename__ = "shipping_methods"
    __table_args__ = (
        UniqueConstraint("carrier", "name", name="uq_shipping_methods_carrier_name"),
        Index("idx_shipping_methods_active", "is_active", "name"),
        Index("idx_shipping_methods_created", "created_at"),
        {"comment": "Ways to send an order.", "info": {"first_rows": SHIPPING_METHODS}},
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True, comment="Number given by the database.")
    carrier: Mapped[str] = mapped_column(comment="Who carries it.")
    name: Mapped[str] = mapped_column(comment="Name shown to customers.")
    terms: Mapped[str] = mapped_column(comment="Conditions, as customers read them.")
    rates: Mapped[dict[str, Any]] = mapped_column(comment="Prices in euros, by country code.")
    is_active: Mapped[bool] = mapped_column(server_default=true(), comment="Whether customers may choose it.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was added.")
