"""Supply: the AI models that can be bought, what they cost, and the research that keeps this up to date."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import JSON, ForeignKey, Numeric, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, IdentityKey, JsonArray, JsonObject, JsonValue, SetOnInsert, SetOnUpdate, UuidKey

PRICE = Numeric(10, 4)


class Supply(Base):
    __tablename__ = "supplies"
    __table_args__ = ({"comment": "Plain named supply entries."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    name: Mapped[str] = mapped_column(index=True, comment="Name of the entry.")
    description: Mapped[str | None] = mapped_column(comment="What the entry is.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the entry was made.")
    updated_at: Mapped[SetOnUpdate | None] = mapped_column(comment="When the application last changed it.")


class SupplyOption(Base):
    __tablename__ = "supply_options"
    __table_args__ = ({"comment": "Offers of a model by a provider, with price and quality."},)

    id: Mapped[IdentityKey] = mapped_column(comment="Number given by the database.")
    provider: Mapped[str] = mapped_column(comment="Who offers the model.")
    family: Mapped[str] = mapped_column(comment="Family that the model belongs to.")
    name: Mapped[str] = mapped_column(unique=True, index=True, comment="Name of the offer; unique.")
    hosting_type: Mapped[str | None] = mapped_column(
        default="api_provider", comment="How the model is hosted, such as api_provider."
    )
    cost_per_million_tokens_usd: Mapped[JsonObject] = mapped_column(
        comment="Price structure, in US dollars per million tokens."
    )
    quality_score: Mapped[float] = mapped_column(comment="Quality of the model's answers.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the offer was added.")
    updated_at: Mapped[SetOnUpdate | None] = mapped_column(comment="When the application last changed it.")


class AISupplyItem(Base):
    __tablename__ = "ai_supply_items"
    __table_args__ = ({"comment": "Detailed catalog of AI models."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    provider: Mapped[str] = mapped_column(index=True, comment="Who offers the model.")
    model_name: Mapped[str] = mapped_column(index=True, comment="Name of the model.")
    model_version: Mapped[str | None] = mapped_column(comment="Version of the model, as its provider calls it.")
    pricing_input: Mapped[Decimal | None] = mapped_column(PRICE, comment="Price per million input tokens.")
    pricing_output: Mapped[Decimal | None] = mapped_column(PRICE, comment="Price per million output tokens.")
    pricing_currency: Mapped[str | None] = mapped_column(default="USD", comment="Currency of the prices.")
    context_window: Mapped[int | None] = mapped_column(comment="Longest context, in tokens.")
    max_output_tokens: Mapped[int | None] = mapped_column(comment="Longest answer, in tokens.")
    capabilities: Mapped[JsonArray | None] = mapped_column(comment="What the model can do, as an array.")
    availability_status: Mapped[str | None] = mapped_column(
        default="available", comment="One of available, deprecated, preview, waitlist."
    )
    api_endpoints: Mapped[JsonObject | None] = mapped_column(comment="Where the model can be called.")
    performance_metrics: Mapped[JsonObject | None] = mapped_column(comment="Measured speed and quality.")
    last_updated: Mapped[SetOnInsert | None] = mapped_column(comment="When the facts were last brought up to date.")
    research_source: Mapped[str | None] = mapped_column(comment="Where the facts come from.")
    confidence_score: Mapped[float | None] = mapped_column(comment="How far the facts can be trusted.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the item was added.")


class ResearchSession(Base):
    __tablename__ = "research_sessions"
    __table_args__ = ({"comment": "Research queries about supply, and what came of each."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    query: Mapped[str] = mapped_column(Text, comment="What was asked.")
    session_id: Mapped[str | None] = mapped_column(comment="Identifier at the external research service.")
    status: Mapped[str | None] = mapped_column(
        default="pending", comment="One of pending, researching, processing, completed, failed."
    )
    research_plan: Mapped[JsonObject | None] = mapped_column(comment="How the research was to proceed.")
    questions_answered: Mapped[JsonArray | None] = mapped_column(comment="Questions that found an answer.")
    raw_results: Mapped[JsonObject | None] = mapped_column(comment="Results as they were received.")
    processed_data: Mapped[JsonObject | None] = mapped_column(comment="Facts extracted from the results.")
    citations: Mapped[JsonArray | None] = mapped_column(comment="Sources of the facts.")
    initiated_by: Mapped[str | None] = mapped_column(comment="A user id, or scheduler; no reference to userbase.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the query was made.")
    completed_at: Mapped[datetime | None] = mapped_column(comment="When the research ended.")
    error_message: Mapped[str | None] = mapped_column(Text, comment="Why the research failed.")


class SupplyUpdateLog(Base):
    __tablename__ = "supply_update_logs"
    __table_args__ = ({"comment": "Changes to the fields of catalog items, for audits."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    supply_item_id: Mapped[str] = mapped_column(
        ForeignKey("ai_supply_items.id"), index=True, comment="The item that was changed."
    )
    field_updated: Mapped[str] = mapped_column(comment="Name of the changed field.")
    old_value: Mapped[JsonValue | None] = mapped_column(JSON, comment="Value before the change.")
    new_value: Mapped[JsonValue | None] = mapped_column(JSON, comment="Value after the change.")
    research_session_id: Mapped[str | None] = mapped_column(
        ForeignKey("research_sessions.id"), index=True, comment="The research that led to the change, if any."
    )
    update_reason: Mapped[str | None] = mapped_column(comment="Why it was changed.")
    updated_by: Mapped[str] = mapped_column(comment="A user id, or system; no reference to userbase.")
    updated_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the change was made.")
