"""Users and auth: accounts, the credentials they keep, and a log of the tools they call."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from models.base import Base, JsonObject, SetOnInsert, SetOnUpdate, UuidKey


class User(Base):
    __tablename__ = "userbase"
    __table_args__ = ({"comment": "Accounts: identity, administrative role, plan and billing state."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    email: Mapped[str] = mapped_column(unique=True, index=True, comment="Address used to sign in; unique.")
    full_name: Mapped[str | None] = mapped_column(index=True, comment="Name shown to other people.")
    hashed_password: Mapped[str | None] = mapped_column(comment="Hash of the password; null for accounts without one.")
    picture: Mapped[str | None] = mapped_column(comment="URL of the profile picture.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the account was made.")
    updated_at: Mapped[SetOnUpdate | None] = mapped_column(comment="When the application last changed the account.")
    is_active: Mapped[bool | None] = mapped_column(default=True, comment="Whether the account may sign in.")
    is_superuser: Mapped[bool | None] = mapped_column(
        default=False, comment="Whether the account is an application superuser."
    )
    role: Mapped[str | None] = mapped_column(
        default="standard_user", comment="One of standard_user, power_user, developer, admin, super_admin."
    )
    permissions: Mapped[JsonObject | None] = mapped_column(
        default=dict, comment="Fine-grained grants beyond those of the role."
    )
    is_developer: Mapped[bool | None] = mapped_column(
        default=False, comment="Whether the account belongs to a developer."
    )
    plan_tier: Mapped[str | None] = mapped_column(default="free", comment="One of free, pro, enterprise, developer.")
    plan_expires_at: Mapped[datetime | None] = mapped_column(comment="When the plan ends, if it does.")
    feature_flags: Mapped[JsonObject | None] = mapped_column(
        default=dict, comment="Features switched on or off for the account."
    )
    tool_permissions: Mapped[JsonObject | None] = mapped_column(
        default=dict, comment="Overrides of the plan's permissions, by tool."
    )
    plan_started_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the current plan began.")
    auto_renew: Mapped[bool | None] = mapped_column(default=False, comment="Whether the plan renews by itself.")
    payment_status: Mapped[str | None] = mapped_column(default="active", comment="One of active, suspended, cancelled.")
    trial_period: Mapped[bool | None] = mapped_column(
        default=False, comment="Whether the account is on trial; a flag, not a length."
    )

    # The one cascade that the application does itself; the foreign key has no action of its own.
    secrets: Mapped[list["Secret"]] = relationship(back_populates="user", cascade="all, delete-orphan")


class Secret(Base):
    __tablename__ = "secrets"
    __table_args__ = ({"comment": "Credentials that a user keeps, encrypted by the application."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    user_id: Mapped[str] = mapped_column(ForeignKey("userbase.id"), index=True, comment="The owner.")
    key: Mapped[str] = mapped_column(comment="What the credential is for.")
    encrypted_value: Mapped[str] = mapped_column(comment="The credential; encrypted before it is sent here.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(comment="When the credential was stored.")
    updated_at: Mapped[SetOnUpdate | None] = mapped_column(comment="When the application last changed it.")

    user: Mapped[User] = relationship(back_populates="secrets")


class ToolUsageLog(Base):
    __tablename__ = "tool_usage_logs"
    __table_args__ = ({"comment": "One row for each tool call, for quotas and analytics."},)

    id: Mapped[UuidKey] = mapped_column(comment="Random UUID as text.")
    user_id: Mapped[str] = mapped_column(ForeignKey("userbase.id"), index=True, comment="Who called the tool.")
    tool_name: Mapped[str] = mapped_column(index=True, comment="Name of the tool.")
    category: Mapped[str | None] = mapped_column(index=True, comment="Group that the tool belongs to.")
    execution_time_ms: Mapped[int | None] = mapped_column(default=0, comment="Duration of the call in milliseconds.")
    tokens_used: Mapped[int | None] = mapped_column(comment="Model tokens that the call consumed.")
    cost_cents: Mapped[int | None] = mapped_column(comment="Cost of the call in cents.")
    status: Mapped[str] = mapped_column(index=True, comment="One of success, error, permission_denied, rate_limited.")
    plan_tier: Mapped[str] = mapped_column(comment="Plan of the user at the time of the call.")
    permission_check_result: Mapped[JsonObject | None] = mapped_column(
        comment="What the permission check decided, and why."
    )
    arguments: Mapped[JsonObject | None] = mapped_column(comment="Arguments that the tool was called with.")
    created_at: Mapped[SetOnInsert | None] = mapped_column(index=True, comment="When the tool was called.")
