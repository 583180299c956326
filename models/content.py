"""Content: lookup values of the user interface, analyses with their results, corpora and their audit trail."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, JsonObject, SetOnInsert, SetOnUpdate, UuidKey


class Reference(Base):
    __tablename__ = "references"  # a reserved word: SQL has to quote it
    __table_args__ = ({"comment": "Named values that the user interface offers to choose from."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    name: Mapped[str] = mapped_column(index=True, comment="Name used in text and code.")
    friendly_name: Mapped[str] = mapped_column(comment="Name shown to people.")
    description: Mapped[str | None] = mapped_column(comment="What the value stands for.")
    type: Mapped[str] = mapped_column(comment="One of source, time_period.")
    value: Mapped[str] = mapped_column(comment="The value itself.")
    version: Mapped[str] = mapped_column(default="1.0", comment="Version of the value.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the value was added.")
    updated_at: Mapped[SetOnUpdate | None] = mapped_column(comment="When the application last changed it.")


class Analysis(Base):
    __tablename__ = "analyses"
    __table_args__ = ({"comment": "Analyses that users start."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    name: Mapped[str] = mapped_column(index=True, comment="Name of the analysis.")
    description: Mapped[str | None] = mapped_column(comment="What is analysed.")
    status: Mapped[str | None] = mapped_column(default="pending", comment="One of pending, running, completed, failed.")
    created_by_id: Mapped[str | None] = mapped_column(
        ForeignKey("userbase.id"), index=True, comment="The user who started it."
    )
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When it was started.")
    updated_at: Mapped[SetOnUpdate | None] = mapped_column(comment="When the application last changed it.")


class AnalysisResult(Base):
    __tablename__ = "analysis_results"
    __table_args__ = ({"comment": "What an analysis produced."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    analysis_id: Mapped[str | None] = mapped_column(
        ForeignKey("analyses.id"), index=True, comment="The analysis it belongs to."
    )
    data: Mapped[JsonObject | None] = mapped_column(comment="The result.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When it was produced.")


class Corpus(Base):
    __tablename__ = "corpora"
    __table_args__ = ({"comment": "Registered corpora; the content of each is in a ClickHouse table of its own."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    name: Mapped[str] = mapped_column(unique=True, index=True, comment="Name of the corpus; unique.")
    description: Mapped[str | None] = mapped_column(comment="What the corpus holds.")
    table_name: Mapped[str | None] = mapped_column(comment="Name of the ClickHouse table with the content.")
    status: Mapped[str | None] = mapped_column(
        default="pending", comment="Such as pending, creating, available, updating, completed, failed, deleting."
    )
    domain: Mapped[str | None] = mapped_column(default="general", comment="Subject area.")
    metadata_: Mapped[JsonObject | None] = mapped_column(comment="Free key-value pairs.")
    created_by_id: Mapped[str | None] = mapped_column(
        ForeignKey("userbase.id"), index=True, comment="The user who registered it."
    )
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When it was registered.")
    updated_at: Mapped[SetOnUpdate | None] = mapped_column(comment="When the application last changed it.")


class CorpusAuditLog(Base):
    __tablename__ = "corpus_audit_logs"
    __table_args__ = ({"comment": "Audit trail: one row for each operation on a corpus."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    timestamp: Mapped[SetOnInsert | None] = mapped_column(index=True, comment="When the operation took place.")
    user_id: Mapped[str | None] = mapped_column(
        ForeignKey("userbase.id"), index=True, comment="Who did it, if a user did."
    )
    action: Mapped[str] = mapped_column(
        index=True,
        comment="One of create, update, delete, search, generate, upload, validate, export, import, backup, restore.",
    )
    status: Mapped[str] = mapped_column(index=True, comment="One of success, failure, partial, in_progress, cancelled.")
    corpus_id: Mapped[str | None] = mapped_column(index=True, comment="The corpus; no reference to corpora.")
    resource_type: Mapped[str] = mapped_column(index=True, comment="Such as corpus, document, embedding.")
    resource_id: Mapped[str | None] = mapped_column(index=True, comment="What was acted on.")
    operation_duration_ms: Mapped[float | None] = mapped_column(comment="Duration in milliseconds.")
    result_data: Mapped[JsonObject | None] = mapped_column(comment="What the operation gave back.")
    user_agent: Mapped[str | None] = mapped_column(comment="The client's own description.")
    ip_address: Mapped[str | None] = mapped_column(index=True, comment="The client's address.")
    request_id: Mapped[str | None] = mapped_column(index=True, comment="The request that it was part of.")
    session_id: Mapped[str | None] = mapped_column(index=True, comment="The session that it was part of.")
    configuration: Mapped[JsonObject | None] = mapped_column(default=dict, comment="Settings of the operation.")
    performance_metrics: Mapped[JsonObject | None] = mapped_column(default=dict, comment="What was measured.")
    error_details: Mapped[JsonObject | None] = mapped_column(comment="What went wrong.")
    compliance_flags: Mapped[list[str] | None] = mapped_column(
        default=list, comment="Compliance rules that the operation touches."
    )
