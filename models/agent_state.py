"""Agent state: snapshots to resume from, the changes made to them, and the recoveries attempted with them."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, JsonObject, SetOnInsert, UuidKey


class AgentStateSnapshot(Base):
    __tablename__ = "agent_state_snapshots"
    __table_args__ = (
        UniqueConstraint("run_id", "checkpoint_type", "created_at", name="uq_run_checkpoint_time"),
        Index("idx_agent_state_run_created", "run_id", "created_at"),
        Index("idx_agent_state_thread_created", "thread_id", "created_at"),
        Index("idx_agent_state_recovery", "is_recovery_point", "created_at"),
        {"comment": "Saved states of an agent, to resume or recover from; each may build on a parent."},
    )

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    run_id: Mapped[str] = mapped_column(comment="The agent's run; no reference to table runs.")
    thread_id: Mapped[str] = mapped_column(comment="The conversation; no reference to table threads.")
    user_id: Mapped[str] = mapped_column(
        ForeignKey("userbase.id"), index=True, comment="The user that the agent works for."
    )
    version: Mapped[str] = mapped_column(default="1.0", comment="Version of the state itself.")
    schema_version: Mapped[str] = mapped_column(default="1.0", comment="Version of the shape of state_data.")
    checkpoint_type: Mapped[str] = mapped_column(
        default="manual", comment="One of manual, auto, recovery, phase_transition."
    )
    state_data: Mapped[JsonObject] = mapped_column(comment="The state, as serialization_format says.")
    serialization_format: Mapped[str] = mapped_column(default="json", comment="One of json, pickle, compressed_json.")
    compression_type: Mapped[str | None] = mapped_column(comment="One of gzip, zstd; null when not compressed.")
    step_count: Mapped[int] = mapped_column(default=0, comment="Steps taken when the state was saved.")
    agent_phase: Mapped[str | None] = mapped_column(
        comment="One of initialization, triage, data_analysis, optimization, action_planning, reporting, completion."
    )
    execution_context: Mapped[JsonObject | None] = mapped_column(comment="Surroundings needed to resume.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(index=True, comment="When the state was saved.")
    expires_at: Mapped[datetime | None] = mapped_column(index=True, comment="When it may be deleted; null for never.")
    is_recovery_point: Mapped[bool | None] = mapped_column(default=False, comment="Whether recovery may start here.")
    recovery_reason: Mapped[str | None] = mapped_column(comment="Why it was kept for recovery.")
    parent_snapshot_id: Mapped[str | None] = mapped_column(
        ForeignKey("agent_state_snapshots.id"), index=True, comment="The snapshot that this one builds on."
    )


class AgentStateTransaction(Base):
    __tablename__ = "agent_state_transactions"
    __table_args__ = (
        Index("idx_state_tx_run_status", "run_id", "status"),
        Index("idx_state_tx_started", "started_at"),
        {"comment": "Changes made to the state of an agent, each attached to a snapshot."},
    )

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    snapshot_id: Mapped[str] = mapped_column(
        ForeignKey("agent_state_snapshots.id"), index=True, comment="The snapshot that was changed."
    )
    run_id: Mapped[str] = mapped_column(comment="The agent's run; no reference to table runs.")
    operation_type: Mapped[str] = mapped_column(comment="One of create, update, merge, restore.")
    field_changes: Mapped[JsonObject | None] = mapped_column(comment="New values, by field.")
    previous_values: Mapped[JsonObject | None] = mapped_column(comment="Old values, by field, to roll back to.")
    triggered_by: Mapped[str] = mapped_column(comment="Name of the agent, or system.")
    execution_phase: Mapped[str | None] = mapped_column(comment="Phase in which the change was made.")
    execution_time_ms: Mapped[int | None] = mapped_column(comment="Duration in milliseconds.")
    memory_usage_mb: Mapped[int | None] = mapped_column(comment="Memory in use, in megabytes.")
    status: Mapped[str] = mapped_column(default="pending", comment="One of pending, committed, failed, rolled_back.")
    error_message: Mapped[str | None] = mapped_column(Text, comment="Why the change failed.")
    started_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the change began.")
    completed_at: Mapped[datetime | None] = mapped_column(comment="When it was committed, failed or rolled back.")


class AgentRecoveryLog(Base):
    __tablename__ = "agent_recovery_logs"
    __table_args__ = (
        Index("idx_recovery_run_initiated", "run_id", "initiated_at"),
        Index("idx_recovery_auto", "auto_recovery", "initiated_at"),
        Index("idx_recovery_status", "recovery_status"),
        {"comment": "Attempts to recover an agent, from one snapshot to another."},
    )

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    run_id: Mapped[str] = mapped_column(comment="The agent's run; no reference to table runs.")
    thread_id: Mapped[str] = mapped_column(index=True, comment="The conversation; no reference to table threads.")
    recovery_type: Mapped[str] = mapped_column(comment="One of restart, resume, rollback.")
    source_snapshot_id: Mapped[str | None] = mapped_column(
        ForeignKey("agent_state_snapshots.id"), index=True, comment="The snapshot recovered from."
    )
    target_snapshot_id: Mapped[str | None] = mapped_column(
        ForeignKey("agent_state_snapshots.id"), index=True, comment="The snapshot that the recovery led to."
    )
    failure_reason: Mapped[str | None] = mapped_column(comment="What went wrong before the recovery.")
    trigger_event: Mapped[str] = mapped_column(
        comment="What started it, such as crash, timeout, user_request, recovery_request."
    )
    auto_recovery: Mapped[bool | None] = mapped_column(default=False, comment="Whether it started by itself.")
    recovery_status: Mapped[str] = mapped_column(
        default="initiated", comment="One of initiated, in_progress, completed, failed."
    )
    recovered_data: Mapped[JsonObject | None] = mapped_column(comment="State that was brought back.")
    lost_data: Mapped[JsonObject | None] = mapped_column(comment="State that could not be brought back.")
    data_integrity_score: Mapped[int | None] = mapped_column(comment="How complete it is, 0 to 100; not enforced.")
    recovery_time_ms: Mapped[int | None] = mapped_column(comment="Duration in milliseconds.")
    data_size_kb: Mapped[int | None] = mapped_column(comment="Size of the recovered state in kilobytes.")
    initiated_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the recovery began.")
    completed_at: Mapped[datetime | None] = mapped_column(comment="When it was completed or failed.")
