-- Constraints: unique ones first, then foreign keys.
-- Written by `python -m infra generate` from models/; change it there, not here.

ALTER TABLE agent_state_snapshots
    ADD CONSTRAINT uq_run_checkpoint_time UNIQUE (run_id, checkpoint_type, created_at);

ALTER TABLE demo_scenarios
    ADD CONSTRAINT uq_demo_scenarios_industry_name UNIQUE (industry, scenario_name);

ALTER TABLE secrets
    ADD CONSTRAINT secrets_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE NO ACTION;

ALTER TABLE tool_usage_logs
    ADD CONSTRAINT tool_usage_logs_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE NO ACTION;

ALTER TABLE runs
    ADD CONSTRAINT runs_thread_id_fkey
    FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE NO ACTION;
ALTER TABLE runs
    ADD CONSTRAINT runs_assistant_id_fkey
    FOREIGN KEY (assistant_id) REFERENCES assistants (id) ON DELETE NO ACTION;

ALTER TABLE messages
    ADD CONSTRAINT messages_thread_id_fkey
    FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE NO ACTION;
ALTER TABLE messages
    ADD CONSTRAINT messages_assistant_id_fkey
    FOREIGN KEY (assistant_id) REFERENCES assistants (id) ON DELETE NO ACTION;
ALTER TABLE messages
    ADD CONSTRAINT messages_run_id_fkey
    FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE NO ACTION;

ALTER TABLE steps
    ADD CONSTRAINT steps_run_id_fkey
    FOREIGN KEY (run_id) REFERENCES runs (id) ON DELETE NO ACTION;
ALTER TABLE steps
    ADD CONSTRAINT steps_assistant_id_fkey
    FOREIGN KEY (assistant_id) REFERENCES assistants (id) ON DELETE NO ACTION;
ALTER TABLE steps
    ADD CONSTRAINT steps_thread_id_fkey
    FOREIGN KEY (thread_id) REFERENCES threads (id) ON DELETE NO ACTION;

ALTER TABLE agent_state_snapshots
    ADD CONSTRAINT agent_state_snapshots_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE NO ACTION;
ALTER TABLE agent_state_snapshots
    ADD CONSTRAINT agent_state_snapshots_parent_snapshot_id_fkey
    FOREIGN KEY (parent_snapshot_id) REFERENCES agent_state_snapshots (id) ON DELETE NO ACTION;

ALTER TABLE agent_state_transactions
    ADD CONSTRAINT agent_state_transactions_snapshot_id_fkey
    FOREIGN KEY (snapshot_id) REFERENCES agent_state_snapshots (id) ON DELETE NO ACTION;

ALTER TABLE agent_recovery_logs
    ADD CONSTRAINT agent_recovery_logs_source_snapshot_id_fkey
    FOREIGN KEY (source_snapshot_id) REFERENCES agent_state_snapshots (id) ON DELETE NO ACTION;
ALTER TABLE agent_recovery_logs
    ADD CONSTRAINT agent_recovery_logs_target_snapshot_id_fkey
    FOREIGN KEY (target_snapshot_id) REFERENCES agent_state_snapshots (id) ON DELETE NO ACTION;

ALTER TABLE supply_update_logs
    ADD CONSTRAINT supply_update_logs_supply_item_id_fkey
    FOREIGN KEY (supply_item_id) REFERENCES ai_supply_items (id) ON DELETE NO ACTION;
ALTER TABLE supply_update_logs
    ADD CONSTRAINT supply_update_logs_research_session_id_fkey
    FOREIGN KEY (research_session_id) REFERENCES research_sessions (id) ON DELETE NO ACTION;

ALTER TABLE analyses
    ADD CONSTRAINT analyses_created_by_id_fkey
    FOREIGN KEY (created_by_id) REFERENCES userbase (id) ON DELETE NO ACTION;

ALTER TABLE analysis_results
    ADD CONSTRAINT analysis_results_analysis_id_fkey
    FOREIGN KEY (analysis_id) REFERENCES analyses (id) ON DELETE NO ACTION;

ALTER TABLE corpora
    ADD CONSTRAINT corpora_created_by_id_fkey
    FOREIGN KEY (created_by_id) REFERENCES userbase (id) ON DELETE NO ACTION;

ALTER TABLE corpus_audit_logs
    ADD CONSTRAINT corpus_audit_logs_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE NO ACTION;

ALTER TABLE demo_sessions
    ADD CONSTRAINT demo_sessions_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE SET NULL;

ALTER TABLE demo_interactions
    ADD CONSTRAINT demo_interactions_session_id_fkey
    FOREIGN KEY (session_id) REFERENCES demo_sessions (id) ON DELETE CASCADE;

ALTER TABLE demo_metrics
    ADD CONSTRAINT demo_metrics_session_id_fkey
    FOREIGN KEY (session_id) REFERENCES demo_sessions (id) ON DELETE CASCADE;

ALTER TABLE demo_exports
    ADD CONSTRAINT demo_exports_session_id_fkey
    FOREIGN KEY (session_id) REFERENCES demo_sessions (id) ON DELETE CASCADE;
ALTER TABLE demo_exports
    ADD CONSTRAINT demo_exports_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE SET NULL;

ALTER TABLE demo_feedback
    ADD CONSTRAINT demo_feedback_session_id_fkey
    FOREIGN KEY (session_id) REFERENCES demo_sessions (id) ON DELETE CASCADE;
ALTER TABLE demo_feedback
    ADD CONSTRAINT demo_feedback_user_id_fkey
    FOREIGN KEY (user_id) REFERENCES userbase (id) ON DELETE SET NULL;
