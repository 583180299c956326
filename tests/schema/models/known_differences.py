"""The one list of deliberate differences between the catalog and the models; docs/decisions.md says them in words."""

from __future__ import annotations

from dataclasses import dataclass

# (place, aspect) -> (in the catalog, in the models); None where the aspect is missing on that side.
Differences = dict[tuple[str, str], tuple[str | None, str | None]]


@dataclass(frozen=True)
class KnownDifference:
    """One decision: its title, which is a row of the table in docs/decisions.md, its reason, and all it changes."""

    title: str
    reason: str
    differences: Differences


def _each_column(columns: dict[str, str], aspect: str, *, catalog: str, models: str) -> Differences:
    return {
        (f"{table}.{column}", aspect): (catalog, models) for table, names in columns.items() for column in names.split()
    }


def _indexes(columns: dict[str, str], *, prefix: str = "ix") -> dict[tuple[str, str], str]:
    return {
        (table, f"index {prefix}_{table}_{column}"): f"btree ({column})"
        for table, names in columns.items()
        for column in names.split()
    }


TIMES_WITH_TIME_ZONE = KnownDifference(
    title="Times with time zone",
    reason="a time without zone means another moment in every session's time zone; all other tables have the zone",
    differences=_each_column(
        {
            "demo_sessions": "started_at completed_at created_at updated_at",
            "demo_interactions": "timestamp",
            "demo_scenarios": "created_at updated_at",
            "demo_metrics": "timestamp",
            "demo_exports": "created_at expires_at",
            "demo_feedback": "submitted_at",
        },
        "type",
        catalog="timestamp without time zone",
        models="timestamp with time zone",
    ),
)

TIMES_OF_THE_CALL = KnownDifference(
    title="Times of the call",
    reason="a time fixed at import is the same for every row of a process, and breaks uq_run_checkpoint_time",
    differences=_each_column(
        {
            "userbase": "created_at updated_at plan_started_at",
            "secrets": "created_at updated_at",
            "tool_usage_logs": "created_at",
            "apex_optimizer_agent_runs": "timestamp",
            "apex_optimizer_agent_run_reports": "timestamp",
            "agent_state_snapshots": "created_at",
            "agent_state_transactions": "started_at",
            "agent_recovery_logs": "initiated_at",
            "supplies": "created_at updated_at",
            "supply_options": "created_at updated_at",
            "ai_supply_items": "last_updated created_at",
            "research_sessions": "created_at",
            "supply_update_logs": "updated_at",
            "references": "created_at updated_at",
            "analyses": "created_at updated_at",
            "analysis_results": "created_at",
            "corpora": "created_at updated_at",
            "corpus_audit_logs": "timestamp",
        },
        "ORM default",
        catalog="import-time UTC constant",
        models="UTC time of the call",
    )
    | _each_column(
        {
            "userbase": "updated_at",
            "secrets": "updated_at",
            "supplies": "updated_at",
            "supply_options": "updated_at",
            "references": "updated_at",
            "analyses": "updated_at",
            "corpora": "updated_at",
        },
        "on update",
        catalog="ORM only: import-time UTC constant",
        models="ORM only: UTC time of the call",
    ),
)

DEMO_UPDATES = KnownDifference(
    title="Updates of demo rows",
    reason="the migration asked for a new time at each update, which a migration cannot give; the ORM can",
    differences=_each_column(
        {"demo_sessions": "updated_at", "demo_scenarios": "updated_at"},
        "on update",
        catalog="declared in the migration but not stored in the database",
        models="ORM only: UTC time of the call",
    ),
)

INDEXES_FOR_FOREIGN_KEYS = KnownDifference(
    title="Indexes for foreign keys",
    reason="without one, every DELETE of a referred row reads the whole referring table, and so does the usual join",
    differences={
        place: (None, definition)
        for place, definition in _indexes(
            {
                "secrets": "user_id",
                "tool_usage_logs": "user_id",
                "runs": "thread_id assistant_id",
                "messages": "thread_id assistant_id run_id",
                "steps": "run_id assistant_id thread_id",
                "agent_state_snapshots": "parent_snapshot_id",
                "agent_recovery_logs": "source_snapshot_id target_snapshot_id",
                "supply_update_logs": "supply_item_id research_session_id",
                "analyses": "created_by_id",
                "analysis_results": "analysis_id",
                "corpora": "created_by_id",
            }
        ).items()
    },
)

REDUNDANT_INDEXES = KnownDifference(
    title="Redundant indexes",
    reason="a wider index or unique constraint begins with the same column, or an equal index is there: only cost",
    differences={
        place: (definition, None)
        for place, definition in {
            **_indexes(
                {
                    "agent_state_snapshots": "run_id thread_id",
                    "agent_state_transactions": "run_id",
                    "agent_recovery_logs": "run_id",
                }
            ),
            **_indexes({"demo_scenarios": "industry"}, prefix="idx"),
            # Equal to ix_agent_state_snapshots_expires_at, which has the name that the convention gives.
            ("agent_state_snapshots", "index idx_agent_state_expires"): "btree (expires_at)",
        }.items()
    },
)

IDENTITY = KnownDifference(
    title="Identity instead of serial",
    reason="an identity column owns its sequence as part of the column: no extra privileges, no default to lose",
    differences=_each_column(
        {
            "supply_options": "id",
            "demo_interactions": "id",
            "demo_scenarios": "id",
            "demo_metrics": "id",
            "demo_feedback": "id",
        },
        "server default",
        catalog="own sequence (serial)",
        models="identity, by default",
    ),
)

KNOWN_DIFFERENCES = (
    TIMES_WITH_TIME_ZONE,
    TIMES_OF_THE_CALL,
    DEMO_UPDATES,
    INDEXES_FOR_FOREIGN_KEYS,
    REDUNDANT_INDEXES,
    IDENTITY,
)
