"""Demo: visits of prospects, what was said, measured and exported in them, and the scenarios to choose from."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, func, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, GivenKey, IdentityKey, JsonObject, utc_now
from models.demo_seed import DEMO_SCENARIOS


class DemoSession(Base):
    __tablename__ = "demo_sessions"
    __table_args__ = (
        Index("idx_demo_sessions_user_id", "user_id"),
        Index("idx_demo_sessions_industry", "industry"),
        Index("idx_demo_sessions_status", "status"),
        Index("idx_demo_sessions_started_at", "started_at"),
        {"comment": "Visits of prospects to the demo."},
    )

    id: Mapped[GivenKey] = mapped_column(String(36), comment="Identifier supplied by the caller.")
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("userbase.id", ondelete="SET NULL"), comment="The visitor's account, if signed in."
    )
    industry: Mapped[str] = mapped_column(String(50), comment="Industry that the visitor chose.")
    company_name: Mapped[str | None] = mapped_column(String(255), comment="The visitor's company.")
    company_size: Mapped[str | None] = mapped_column(String(50), comment="Size class of the company.")
    status: Mapped[str] = mapped_column(
        String(20), server_default="active", comment="One of active, completed, abandoned."
    )
    progress_percentage: Mapped[float] = mapped_column(
        server_default=text("0"), comment="How far the visitor got, 0 to 100."
    )
    started_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the visit began.")
    completed_at: Mapped[datetime | None] = mapped_column(comment="When the visitor reached the end.")
    session_metadata: Mapped[JsonObject | None] = mapped_column("metadata", JSONB, comment="Free key-value pairs.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the row was made.")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=utc_now, comment="When the application last changed the row."
    )


class DemoInteraction(Base):
    __tablename__ = "demo_interactions"
    __table_args__ = (
        Index("idx_demo_interactions_session_id", "session_id"),
        Index("idx_demo_interactions_type", "interaction_type"),
        Index("idx_demo_interactions_timestamp", "timestamp"),
        {"comment": "Exchanges between a visitor and the demo."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Number given by the database.")
    session_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("demo_sessions.id", ondelete="CASCADE"), comment="The visit it belongs to."
    )
    interaction_type: Mapped[str] = mapped_column(String(50), comment="What kind of exchange it was.")
    message: Mapped[str | None] = mapped_column(Text, comment="What the visitor wrote.")
    response: Mapped[str | None] = mapped_column(Text, comment="What the demo answered.")
    agents_involved: Mapped[list[str] | None] = mapped_column(comment="Agents that worked on the answer.")
    metrics: Mapped[JsonObject | None] = mapped_column(JSONB, comment="What was measured during the exchange.")
    timestamp: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it took place.")
    duration_ms: Mapped[int | None] = mapped_column(comment="Duration in milliseconds.")


class DemoScenario(Base):
    __tablename__ = "demo_scenarios"
    __table_args__ = (
        UniqueConstraint("industry", "scenario_name", name="uq_demo_scenarios_industry_name"),
        Index("idx_demo_scenarios_active", "is_active"),
        {"comment": "Scripted scenarios for the demo, by industry.", "info": {"first_rows": DEMO_SCENARIOS}},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Number given by the database.")
    industry: Mapped[str] = mapped_column(String(50), comment="Industry it is written for.")
    scenario_name: Mapped[str] = mapped_column(String(255), comment="Name; unique within the industry.")
    description: Mapped[str | None] = mapped_column(Text, comment="What the scenario shows, for people.")
    prompt_template: Mapped[str] = mapped_column(
        Text, comment="Prompt for the agents; {company_name} and {company_size} are filled in from the visit."
    )
    optimization_scenarios: Mapped[JsonObject | None] = mapped_column(
        JSONB, comment="Object with strategies, an array of labels to choose from."
    )
    typical_metrics: Mapped[JsonObject | None] = mapped_column(
        JSONB, comment="Object with baseline and optimized, each a set of numbers."
    )
    is_active: Mapped[bool] = mapped_column(server_default=true(), comment="Whether it is offered.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When the row was made.")
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), onupdate=utc_now, comment="When the application last changed the row."
    )


class DemoMetric(Base):
    __tablename__ = "demo_metrics"
    __table_args__ = (
        Index("idx_demo_metrics_session_id", "session_id"),
        Index("idx_demo_metrics_type", "metric_type"),
        Index("idx_demo_metrics_timestamp", "timestamp"),
        {"comment": "Numbers before and after optimization, as shown in a visit."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Number given by the database.")
    session_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("demo_sessions.id", ondelete="CASCADE"), comment="The visit it belongs to."
    )
    metric_type: Mapped[str] = mapped_column(String(50), comment="What is measured.")
    baseline_value: Mapped[float] = mapped_column(comment="Value before optimization.")
    optimized_value: Mapped[float] = mapped_column(comment="Value after optimization.")
    improvement_percentage: Mapped[float] = mapped_column(comment="Improvement in percent of the baseline.")
    confidence_score: Mapped[float | None] = mapped_column(comment="How far the numbers can be trusted.")
    timestamp: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was measured.")


class DemoExport(Base):
    __tablename__ = "demo_exports"
    __table_args__ = (
        Index("idx_demo_exports_session_id", "session_id"),
        Index("idx_demo_exports_user_id", "user_id"),
        Index("idx_demo_exports_status", "status"),
        Index("idx_demo_exports_created_at", "created_at"),
        {"comment": "Files exported from a visit."},
    )

    id: Mapped[GivenKey] = mapped_column(String(36), comment="Identifier supplied by the caller.")
    session_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("demo_sessions.id", ondelete="CASCADE"), comment="The visit it was made from."
    )
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("userbase.id", ondelete="SET NULL"), comment="Who asked for it, if signed in."
    )
    export_format: Mapped[str] = mapped_column(String(20), comment="Format of the file.")
    file_path: Mapped[str | None] = mapped_column(String(500), comment="Where the file is stored.")
    file_url: Mapped[str | None] = mapped_column(String(500), comment="Where the file can be fetched.")
    sections_included: Mapped[list[str] | None] = mapped_column(comment="Sections that the file contains.")
    status: Mapped[str] = mapped_column(String(20), server_default="pending", comment="Where the export stands.")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was asked for.")
    expires_at: Mapped[datetime | None] = mapped_column(comment="When the file may be deleted.")


class DemoFeedback(Base):
    __tablename__ = "demo_feedback"
    __table_args__ = (
        Index("idx_demo_feedback_session_id", "session_id"),
        Index("idx_demo_feedback_user_id", "user_id"),
        Index("idx_demo_feedback_rating", "rating"),
        Index("idx_demo_feedback_submitted_at", "submitted_at"),
        {"comment": "What visitors thought of the demo."},
    )

    id: Mapped[IdentityKey] = mapped_column(comment="Number given by the database.")
    session_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("demo_sessions.id", ondelete="CASCADE"), comment="The visit it is about."
    )
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("userbase.id", ondelete="SET NULL"), comment="Who gave it, if signed in."
    )
    rating: Mapped[int | None] = mapped_column(comment="The visitor's rating; no range is enforced.")
    feedback_text: Mapped[str | None] = mapped_column(Text, comment="The visitor's own words.")
    would_recommend: Mapped[bool | None] = mapped_column(comment="Whether the visitor would recommend the product.")
    conversion_intent: Mapped[str | None] = mapped_column(String(50), comment="How likely a purchase is.")
    feedback_metadata: Mapped[JsonObject | None] = mapped_column("metadata", JSONB, comment="Free key-value pairs.")
    submitted_at: Mapped[datetime] = mapped_column(server_default=func.now(), comment="When it was given.")
