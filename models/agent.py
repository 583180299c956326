"""Agents: assistants, the threads they work on, runs with their messages and steps, and the optimizer's trace."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, GivenKey, JsonArray, JsonObject, SetOnInsert, UuidKey


class Assistant(Base):
    __tablename__ = "assistants"
    __table_args__ = ({"comment": "Assistants: a model with instructions and tools, shaped like OpenAI's objects."},)

    id: Mapped[GivenKey] = mapped_column(comment="Identifier supplied by the caller.")
    object: Mapped[str] = mapped_column(default="assistant", comment="Kind of object: assistant.")
    created_at: Mapped[int] = mapped_column(comment="When it was made, in Unix seconds.")
    name: Mapped[str | None] = mapped_column(comment="Name shown to people.")
    description: Mapped[str | None] = mapped_column(comment="What the assistant is for.")
    model: Mapped[str] = mapped_column(comment="Name of the language model it uses.")
    instructions: Mapped[str | None] = mapped_column(comment="System instructions given to the model.")
    tools: Mapped[JsonArray] = mapped_column(default=list, comment="Tools that the assistant may call.")
    file_ids: Mapped[list[str]] = mapped_column(default=list, comment="Files attached to the assistant.")
    metadata_: Mapped[JsonObject | None] = mapped_column(comment="Free key-value pairs of the caller.")


class Thread(Base):
    __tablename__ = "threads"
    __table_args__ = ({"comment": "Conversations: what messages belong to and runs work on."},)

    id: Mapped[GivenKey] = mapped_column(comment="Identifier supplied by the caller.")
    object: Mapped[str] = mapped_column(default="thread", comment="Kind of object: thread.")
    created_at: Mapped[int] = mapped_column(comment="When it was made, in Unix seconds.")
    metadata_: Mapped[JsonObject | None] = mapped_column(comment="Free key-value pairs of the caller.")


class Run(Base):
    __tablename__ = "runs"
    __table_args__ = ({"comment": "Runs: one execution of an assistant on a thread."},)

    id: Mapped[GivenKey] = mapped_column(comment="Identifier supplied by the caller.")
    object: Mapped[str] = mapped_column(default="thread.run", comment="Kind of object: thread.run.")
    created_at: Mapped[int] = mapped_column(comment="When it was made, in Unix seconds.")
    thread_id: Mapped[str] = mapped_column(
        ForeignKey("threads.id"), index=True, comment="The conversation it works on."
    )
    assistant_id: Mapped[str] = mapped_column(
        ForeignKey("assistants.id"), index=True, comment="The assistant that is executed."
    )
    status: Mapped[str] = mapped_column(comment="Where the run stands.")
    required_action: Mapped[JsonObject | None] = mapped_column(comment="What the caller must do before it goes on.")
    last_error: Mapped[JsonObject | None] = mapped_column(comment="The error that it last met.")
    expires_at: Mapped[int | None] = mapped_column(comment="When it will expire, in Unix seconds.")
    started_at: Mapped[int | None] = mapped_column(comment="When it started, in Unix seconds.")
    cancelled_at: Mapped[int | None] = mapped_column(comment="When it was cancelled, in Unix seconds.")
    failed_at: Mapped[int | None] = mapped_column(comment="When it failed, in Unix seconds.")
    completed_at: Mapped[int | None] = mapped_column(comment="When it was completed, in Unix seconds.")
    model: Mapped[str | None] = mapped_column(comment="Language model used instead of the assistant's.")
    instructions: Mapped[str | None] = mapped_column(comment="Instructions used instead of the assistant's.")
    tools: Mapped[JsonArray] = mapped_column(default=list, comment="Tools that this run may call.")
    file_ids: Mapped[list[str]] = mapped_column(default=list, comment="Files available to this run.")
    metadata_: Mapped[JsonObject | None] = mapped_column(comment="Free key-value pairs of the caller.")


class Message(Base):
    __tablename__ = "messages"
    __table_args__ = ({"comment": "Messages of a thread, written by a user or by an assistant in a run."},)

    id: Mapped[GivenKey] = mapped_column(comment="Identifier supplied by the caller.")
    object: Mapped[str] = mapped_column(default="thread.message", comment="Kind of object: thread.message.")
    created_at: Mapped[int] = mapped_column(comment="When it was written, in Unix seconds.")
    thread_id: Mapped[str] = mapped_column(
        ForeignKey("threads.id"), index=True, comment="The conversation it belongs to."
    )
    role: Mapped[str] = mapped_column(comment="Who speaks, such as user or assistant.")
    content: Mapped[JsonArray] = mapped_column(comment="Parts of the message: text, images, file references.")
    assistant_id: Mapped[str | None] = mapped_column(
        ForeignKey("assistants.id"), index=True, comment="The assistant that wrote it, if one did."
    )
    run_id: Mapped[str | None] = mapped_column(
        ForeignKey("runs.id"), index=True, comment="The run that it was written in, if any."
    )
    file_ids: Mapped[list[str]] = mapped_column(default=list, comment="Files attached to the message.")
    metadata_: Mapped[JsonObject | None] = mapped_column(comment="Free key-value pairs of the caller.")


class Step(Base):
    __tablename__ = "steps"
    __table_args__ = ({"comment": "Steps: what a run did, one by one."},)

    id: Mapped[GivenKey] = mapped_column(comment="Identifier supplied by the caller.")
    object: Mapped[str] = mapped_column(default="thread.run.step", comment="Kind of object: thread.run.step.")
    created_at: Mapped[int] = mapped_column(comment="When it was made, in Unix seconds.")
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id"), index=True, comment="The run it is part of.")
    assistant_id: Mapped[str] = mapped_column(
        ForeignKey("assistants.id"), index=True, comment="The assistant that took it."
    )
    thread_id: Mapped[str] = mapped_column(
        ForeignKey("threads.id"), index=True, comment="The conversation it was taken for."
    )
    type: Mapped[str] = mapped_column(comment="What kind of step it is.")
    status: Mapped[str] = mapped_column(comment="Where the step stands.")
    step_details: Mapped[JsonObject] = mapped_column(comment="What was done, in a shape that depends on the type.")
    last_error: Mapped[JsonObject | None] = mapped_column(comment="The error that it last met.")
    expired_at: Mapped[int | None] = mapped_column(comment="When it expired, in Unix seconds.")
    cancelled_at: Mapped[int | None] = mapped_column(comment="When it was cancelled, in Unix seconds.")
    failed_at: Mapped[int | None] = mapped_column(comment="When it failed, in Unix seconds.")
    completed_at: Mapped[int | None] = mapped_column(comment="When it was completed, in Unix seconds.")
    metadata_: Mapped[JsonObject | None] = mapped_column(comment="Free key-value pairs of the caller.")


class ApexOptimizerAgentRun(Base):
    __tablename__ = "apex_optimizer_agent_runs"
    __table_args__ = ({"comment": "Trace of the optimizer agent: a row for each step of an optimizer run."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    run_id: Mapped[str] = mapped_column(index=True, comment="The optimizer run; no reference to table runs.")
    step_name: Mapped[str] = mapped_column(comment="Name of the step.")
    step_input: Mapped[JsonObject | None] = mapped_column(comment="What the step was given.")
    step_output: Mapped[JsonObject | None] = mapped_column(comment="What the step produced.")
    run_log: Mapped[str | None] = mapped_column(comment="Log text of the step.")
    timestamp: Mapped[SetOnInsert | None] = mapped_column(comment="When the step was recorded.")


class ApexOptimizerAgentRunReport(Base):
    __tablename__ = "apex_optimizer_agent_run_reports"
    __table_args__ = ({"comment": "Final reports of the optimizer agent, one for each of its runs."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    run_id: Mapped[str] = mapped_column(
        unique=True, index=True, comment="The optimizer run (unique); no reference to table runs."
    )
    report: Mapped[str] = mapped_column(comment="Text of the report.")
    timestamp: Mapped[SetOnInsert | None] = mapped_column(comment="When the report was written.")
