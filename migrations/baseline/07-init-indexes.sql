-- Indexes, unique ones included: a group for each table.
-- Written by `python -m infra generate` from models/; change it there, not here.

CREATE UNIQUE INDEX ix_userbase_email ON userbase (email);
CREATE INDEX ix_userbase_full_name ON userbase (full_name);

CREATE INDEX ix_secrets_user_id ON secrets (user_id);

CREATE INDEX ix_tool_usage_logs_user_id ON tool_usage_logs (user_id);
CREATE INDEX ix_tool_usage_logs_tool_name ON tool_usage_logs (tool_name);
CREATE INDEX ix_tool_usage_logs_category ON tool_usage_logs (category);
CREATE INDEX ix_tool_usage_logs_status ON tool_usage_logs (status);
CREATE INDEX ix_tool_usage_logs_created_at ON tool_usage_logs (created_at);

CREATE INDEX ix_runs_thread_id ON runs (thread_id);
CREATE INDEX ix_runs_assistant_id ON runs (assistant_id);

CREATE INDEX ix_messages_thread_id ON messages (thread_id);
CREATE INDEX ix_messages_assistant_id ON messages (assistant_id);
CREATE INDEX ix_messages_run_id ON messages (run_id);

CREATE INDEX ix_steps_run_id ON steps (run_id);
CREATE INDEX ix_steps_assistant_id ON steps (assistant_id);
CREATE INDEX ix_steps_thread_id ON steps (thread_id);

CREATE INDEX ix_apex_optimizer_agent_runs_run_id ON apex_optimizer_agent_runs (run_id);

CREATE UNIQUE INDEX ix_apex_optimizer_agent_run_reports_run_id ON apex_optimizer_agent_run_reports (run_id);

CREATE INDEX idx_agent_state_run_created ON agent_state_snapshots (run_id, created_at);
CREATE INDEX idx_agent_state_thread_created ON agent_state_snapshots (thread_id, created_at);
CREATE INDEX ix_agent_state_snapshots_user_id ON agent_state_snapshots (user_id);
CREATE INDEX ix_agent_state_snapshots_created_at ON agent_state_snapshots (created_at);
CREATE INDEX ix_agent_state_snapshots_expires_at ON agent_state_snapshots (expires_at);
CREATE INDEX idx_agent_state_recovery ON agent_state_snapshots (is_recovery_point, created_at);
CREATE INDEX ix_agent_state_snapshots_parent_snapshot_id ON agent_state_snapshots (parent_snapshot_id);

CREATE INDEX ix_agent_state_transactions_snapshot_id ON agent_state_transactions (snapshot_id);
CREATE INDEX idx_state_tx_run_status ON agent_state_transactions (run_id, status);
CREATE INDEX idx_state_tx_started ON agent_state_transactions (started_at);

CREATE INDEX idx_recovery_run_initiated ON agent_recovery_logs (run_id, initiated_at);
CREATE INDEX ix_agent_recovery_logs_thread_id ON agent_recovery_logs (thread_id);
CREATE INDEX ix_agent_recovery_logs_source_snapshot_id ON agent_recovery_logs (source_snapshot_id);
CREATE INDEX ix_agent_recovery_logs_target_snapshot_id ON agent_recovery_logs (target_snapshot_id);
CREATE INDEX idx_recovery_auto ON agent_recovery_logs (auto_recovery, initiated_at);
CREATE INDEX idx_recovery_status ON agent_recovery_logs (recovery_status);

CREATE INDEX ix_supplies_name ON supplies (name);

CREATE UNIQUE INDEX ix_supply_options_name ON supply_options (name);

CREATE INDEX ix_ai_supply_items_provider ON ai_supply_items (provider);
CREATE INDEX ix_ai_supply_items_model_name ON ai_supply_items (model_name);

CREATE INDEX ix_supply_update_logs_supply_item_id ON supply_update_logs (supply_item_id);
CREATE INDEX ix_supply_update_logs_research_session_id ON supply_update_logs (research_session_id);

CREATE INDEX ix_references_name ON "references" (name);

CREATE INDEX ix_analyses_name ON analyses (name);
CREATE INDEX ix_analyses_created_by_id ON analyses (created_by_id);

CREATE INDEX ix_analysis_results_analysis_id ON analysis_results (analysis_id);

CREATE UNIQUE INDEX ix_corpora_name ON corpora (name);
CREATE INDEX ix_corpora_created_by_id ON corpora (created_by_id);

CREATE INDEX ix_corpus_audit_logs_timestamp ON corpus_audit_logs (timestamp);
CREATE INDEX ix_corpus_audit_logs_user_id ON corpus_audit_logs (user_id);
CREATE INDEX ix_corpus_audit_logs_action ON corpus_audit_logs (action);
CREATE INDEX ix_corpus_audit_logs_status ON corpus_audit_logs (status);
CREATE INDEX ix_corpus_audit_logs_corpus_id ON corpus_audit_logs (corpus_id);
CREATE INDEX ix_corpus_audit_logs_resource_type ON corpus_audit_logs (resource_type);
CREATE INDEX ix_corpus_audit_logs_resource_id ON corpus_audit_logs (resource_id);
CREATE INDEX ix_corpus_audit_logs_ip_address ON corpus_audit_logs (ip_address);
CREATE INDEX ix_corpus_audit_logs_request_id ON corpus_audit_logs (request_id);
CREATE INDEX ix_corpus_audit_logs_session_id ON corpus_audit_logs (session_id);

CREATE INDEX idx_demo_sessions_user_id ON demo_sessions (user_id);
CREATE INDEX idx_demo_sessions_industry ON demo_sessions (industry);
CREATE INDEX idx_demo_sessions_status ON demo_sessions (status);
CREATE INDEX idx_demo_sessions_started_at ON demo_sessions (started_at);

CREATE INDEX idx_demo_interactions_session_id ON demo_interactions (session_id);
CREATE INDEX idx_demo_interactions_type ON demo_interactions (interaction_type);
CREATE INDEX idx_demo_interactions_timestamp ON demo_interactions (timestamp);

CREATE INDEX idx_demo_scenarios_active ON demo_scenarios (is_active);

CREATE INDEX idx_demo_metrics_session_id ON demo_metrics (session_id);
CREATE INDEX idx_demo_metrics_type ON demo_metrics (metric_type);
CREATE INDEX idx_demo_metrics_timestamp ON demo_metrics (timestamp);

CREATE INDEX idx_demo_exports_session_id ON demo_exports (session_id);
CREATE INDEX idx_demo_exports_user_id ON demo_exports (user_id);
CREATE INDEX idx_demo_exports_status ON demo_exports (status);
CREATE INDEX idx_demo_exports_created_at ON demo_exports (created_at);

CREATE INDEX idx_demo_feedback_session_id ON demo_feedback (session_id);
CREATE INDEX idx_demo_feedback_user_id ON demo_feedback (user_id);
CREATE INDEX idx_demo_feedback_rating ON demo_feedback (rating);
CREATE INDEX idx_demo_feedback_submitted_at ON demo_feedback (submitted_at);
