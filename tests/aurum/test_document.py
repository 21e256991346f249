"""Everything that sections 1 to 7 of the document add is there under its name."""

from __future__ import annotations

import pytest

from tests.people import Person

VECTOR = "extensions.vector(1536)"
TIME = "timestamp with time zone"

# Table, column → type, as the document gives it.
COLUMNS = {
    "journal_entries": {
        "content_embedding": VECTOR, "title_embedding": VECTOR, "embedding_model": "text",
        "embedding_updated_at": TIME, "ai_insights_generated": "boolean", "sentiment_score": "numeric(3,2)",
        "archived": "boolean", "archived_at": TIME,
    },
    "tasks": {
        "description_embedding": VECTOR, "name_embedding": VECTOR, "embedding_model": "text",
        "embedding_updated_at": TIME, "hrm_priority_score": "numeric(3,2)", "hrm_alignment_score": "numeric(3,2)",
        "hrm_reasoning_summary": "text", "hrm_last_analyzed": TIME, "ai_suggested_timeblock": "text",
        "obstacle_risk": "text", "actual_duration": "integer", "actual_start_time": TIME, "actual_end_time": TIME,
        "focus_time_minutes": "integer", "interruption_count": "integer", "context_switches": "integer",
        "energy_level_at_start": "text", "energy_level_at_completion": "text", "area_id": "uuid", "pillar_id": "uuid",
    },
    "projects": {
        "combined_embedding": VECTOR, "embedding_model": "text", "embedding_updated_at": TIME,
        "hrm_coherence_score": "numeric(3,2)", "hrm_risk_assessment": "text", "hrm_suggested_adjustments": "jsonb",
        "hrm_health_score": "numeric(3,2)", "estimated_hours": "integer", "actual_hours_spent": "numeric(6,2)",
        "last_activity_date": TIME, "pillar_id": "uuid",
    },
    "insights": {
        "id": "uuid", "user_id": "uuid", "entity_type": "text", "entity_id": "uuid", "insight_type": "text",
        "title": "text", "summary": "text", "detailed_reasoning": "jsonb", "confidence_score": "numeric(3,2)",
        "impact_score": "numeric(3,2)", "reasoning_path": "jsonb", "supporting_data": "jsonb",
        "llm_session_id": "text", "llm_context": "jsonb", "llm_model_used": "text", "user_feedback": "text",
        "feedback_details": "jsonb", "application_count": "integer", "is_active": "boolean", "is_pinned": "boolean",
        "expires_at": TIME, "tags": "text[]", "version": "integer", "previous_version_id": "uuid", "created_at": TIME,
        "updated_at": TIME, "last_accessed_at": TIME,
    },
    "daily_reflections": {
        "id": "uuid", "user_id": "uuid", "reflection_date": "date", "reflection_text": "text",
        "completion_score": "integer", "mood": "character varying(50)", "energy_level": "integer",
        "biggest_accomplishment": "text", "challenges_faced": "text", "tomorrow_focus": "text",
        "gratitude_notes": "text", "lessons_learned": "text", "tasks_completed_count": "integer",
        "focus_time_minutes": "integer", "productivity_score": "integer", "alignment_score": "numeric(3,2)",
        "reflection_embedding": VECTOR, "accomplishment_embedding": VECTOR, "challenges_embedding": VECTOR,
        "embedding_model": "text", "embedding_updated_at": TIME, "created_at": TIME, "updated_at": TIME,
    },
    "ai_conversation_memory": {
        "id": "uuid", "user_id": "uuid", "conversation_date": "date", "session_id": "uuid", "message_role": "text",
        "message_content": "text", "message_embedding": VECTOR, "context_entities": "jsonb", "tokens_used": "integer",
        "model_used": "text", "response_time_ms": "integer", "was_helpful": "boolean", "created_at": TIME,
    },
    "time_entries": {
        "id": "uuid", "user_id": "uuid", "entity_type": "text", "entity_id": "uuid", "start_time": TIME,
        "end_time": TIME, "duration_minutes": "integer", "is_active": "boolean", "activity_type": "text",
        "energy_level": "integer", "productivity_rating": "integer", "notes": "text", "created_at": TIME,
        "updated_at": TIME,
    },
    "user_behavior_patterns": {
        "id": "uuid", "user_id": "uuid", "pattern_type": "text", "pattern_data": "jsonb",
        "confidence_score": "numeric(3,2)", "sample_size": "integer", "detected_at": TIME, "valid_until": TIME,
        "is_active": "boolean", "created_at": TIME, "updated_at": TIME,
    },
    "user_profiles": {
        "user_tier": "text", "longest_streak": "integer", "total_focus_hours": "numeric(8,2)",
        "average_daily_completion_rate": "numeric(3,2)", "preferred_working_hours": "jsonb", "timezone": "text",
        "ai_onboarding_completed": "boolean", "ai_features_enabled": "boolean", "last_activity_at": TIME,
    },
    "user_stats": {
        "total_ai_interactions": "integer", "insights_generated": "integer", "insights_applied": "integer",
        "ai_satisfaction_score": "numeric(3,2)", "total_focus_time_minutes": "integer",
        "average_task_completion_time": "integer", "task_estimation_accuracy": "numeric(3,2)",
        "weekly_active_days": "integer", "current_momentum_score": "numeric(3,2)",
    },
    "hierarchy_view": {
        "task_id": "uuid", "task_name": "text", "user_id": "uuid", "project_id": "uuid", "project_name": "text",
        "area_id": "uuid", "area_name": "text", "pillar_id": "uuid", "pillar_name": "text", "task_status": "text",
        "task_priority": "text", "due_date": TIME, "hrm_priority_score": "numeric(3,2)",
        "hrm_alignment_score": "numeric(3,2)",
    },
    "user_statistics_cache": {
        "id": "uuid", "user_id": "uuid", "stat_date": "date", "stat_type": "text", "pillar_stats": "jsonb",
        "area_stats": "jsonb", "project_stats": "jsonb", "task_stats": "jsonb", "time_allocation": "jsonb",
        "productivity_metrics": "jsonb", "created_at": TIME, "updated_at": TIME,
    },
    "audit_log": {
        "id": "uuid", "user_id": "uuid", "action": "text", "entity_type": "text", "entity_id": "uuid",
        "old_values": "jsonb", "new_values": "jsonb", "ip_address": "inet", "user_agent": "text", "created_at": TIME,
    },
}  # fmt: skip

# The document's definition after ON, but for the parameters of HNSW, which docs/deviations.md explains.
HNSW = "WITH (m='24', ef_construction='128')"
OPS = "extensions.vector_cosine_ops"
INDEXES = {
    "idx_journal_content_embedding": f"journal_entries USING hnsw (content_embedding {OPS}) {HNSW}",
    "idx_task_description_embedding": f"tasks USING hnsw (description_embedding {OPS}) {HNSW}"
    " WHERE ((description IS NOT NULL) AND (description <> ''::text))",
    "idx_tasks_hierarchy": "tasks USING btree (user_id, pillar_id, area_id, project_id)",
    "idx_tasks_hrm_priority": "tasks USING btree (user_id, completed, hrm_priority_score DESC)"
    " WHERE (completed = false)",
    "idx_project_embedding": f"projects USING hnsw (combined_embedding {OPS}) {HNSW}",
    "idx_projects_hierarchy": "projects USING btree (user_id, pillar_id, area_id)",
    "idx_insights_user_entity": "insights USING btree (user_id, entity_type, entity_id)",
    "idx_insights_active": "insights USING btree (user_id, is_active, created_at DESC)",
    "idx_insights_type": "insights USING btree (user_id, insight_type, created_at DESC)",
    "idx_insights_expiry": "insights USING btree (expires_at) WHERE (expires_at IS NOT NULL)",
    "idx_insights_feedback": "insights USING btree (user_id, user_feedback) WHERE (user_feedback IS NOT NULL)",
    "idx_daily_reflections_user_date": "daily_reflections USING btree (user_id, reflection_date DESC)",
    "idx_daily_reflections_mood": "daily_reflections USING btree (user_id, mood, reflection_date DESC)",
    "idx_reflection_embedding": f"daily_reflections USING hnsw (reflection_embedding {OPS}) {HNSW}",
    "idx_conversation_embedding": f"ai_conversation_memory USING hnsw (message_embedding {OPS}) {HNSW}",
    "idx_conversation_user_session": "ai_conversation_memory USING btree (user_id, session_id, created_at)",
    "idx_time_entries_user_date": "time_entries USING btree (user_id, start_time DESC)",
    "idx_time_entries_active": "time_entries USING btree (user_id, is_active) WHERE (is_active = true)",
    "idx_time_entries_entity": "time_entries USING btree (entity_type, entity_id)",
    "idx_behavior_patterns_user_type": "user_behavior_patterns USING btree (user_id, pattern_type, is_active)",
    "idx_user_profiles_activity": "user_profiles USING btree (last_activity_at DESC)",
    "idx_hierarchy_view_user": "hierarchy_view USING btree (user_id)",
    "idx_hierarchy_view_pillar": "hierarchy_view USING btree (user_id, pillar_id)",
    "idx_stats_cache_user_date": "user_statistics_cache USING btree (user_id, stat_date DESC, stat_type)",
    "idx_audit_log_user": "audit_log USING btree (user_id, created_at DESC)",
    "idx_audit_log_entity": "audit_log USING btree (entity_type, entity_id, created_at DESC)",
}

CONSTRAINTS = {
    "chk_task_status": "status", "chk_task_priority": "priority", "chk_project_status": "status",
    "chk_project_priority": "priority", "chk_area_importance": "importance", "chk_project_importance": "importance",
    "chk_completion_percentage": "completion_percentage", "unique_user_date": "user_id, reflection_date",
    "unique_user_stat_date": "user_id, stat_date, stat_type",
}  # fmt: skip

# Columns of sections 1 to 4 whose defaults applications count on.
DEFAULTS = {
    ("tasks", "hrm_priority_score"): "0.5",
    ("tasks", "hrm_alignment_score"): "0.5",
    ("tasks", "embedding_model"): "'text-embedding-3-small'::text",
    ("tasks", "focus_time_minutes"): "0",
    ("tasks", "interruption_count"): "0",
    ("tasks", "context_switches"): "0",
    ("projects", "hrm_coherence_score"): "0.5",
    ("projects", "hrm_health_score"): "0.5",
    ("projects", "actual_hours_spent"): "0",
    ("projects", "status"): "'not_started'::text",
    ("journal_entries", "ai_insights_generated"): "false",
    ("journal_entries", "archived"): "false",
    ("insights", "llm_model_used"): "'gemini-1.5-flash'::text",
    ("insights", "version"): "1",
    ("daily_reflections", "reflection_date"): "CURRENT_DATE",
    ("ai_conversation_memory", "session_id"): "gen_random_uuid()",
    ("user_profiles", "user_tier"): "'standard'::text",
    ("user_profiles", "timezone"): "'UTC'::text",
    ("user_profiles", "ai_features_enabled"): "true",
    ("user_stats", "current_momentum_score"): "0.5",
}


@pytest.mark.rule("AUR-02", "accepts")
@pytest.mark.parametrize("table", COLUMNS)
def test_every_column_of_the_document_is_there(db: Person, table: str) -> None:
    sql = """
    SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
    """
    found = dict(db.rows(sql, [table]))
    assert {column: found.get(column) for column in COLUMNS[table]} == COLUMNS[table]


@pytest.mark.rule("AUR-02", "accepts")
def test_every_index_of_the_document_is_there_and_valid(db: Person) -> None:
    sql = """
    SELECT c.relname, regexp_replace(pg_get_indexdef(i.indexrelid), '^.* ON (ONLY )?([^. ]+\\.)?', '')
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE c.relnamespace = %s::regnamespace AND i.indisvalid
    """
    found = {name: definition for name, definition in db.rows(sql, [db.schema]) if name in INDEXES}
    assert found == INDEXES


@pytest.mark.rule("AUR-02", "accepts")
def test_every_constraint_that_the_document_names_is_there_and_validated(db: Person) -> None:
    sql = """
    SELECT k.conname, string_agg(a.attname, ', ' ORDER BY n)
    FROM pg_constraint AS k CROSS JOIN unnest(k.conkey) WITH ORDINALITY AS c (attnum, n)
    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = c.attnum
    WHERE k.connamespace = %s::regnamespace AND k.convalidated GROUP BY k.oid, k.conname
    """
    found = {name: columns for name, columns in db.rows(sql, [db.schema]) if name in CONSTRAINTS}
    assert found == CONSTRAINTS


@pytest.mark.rule("AUR-02", "accepts")
def test_defaults_are_those_of_the_document(db: Person) -> None:
    sql = """
    SELECT c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid)
    FROM pg_attrdef AS d JOIN pg_class AS c ON c.oid = d.adrelid
    JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
    WHERE c.relnamespace = %s::regnamespace
    """
    found = {(table, column): default for table, column, default in db.rows(sql, [db.schema])}
    assert {key: found.get(key) for key in DEFAULTS} == DEFAULTS


@pytest.mark.rule("AUR-02", "refuses")
def test_what_the_document_replaces_is_gone(db: Person) -> None:
    for column in ("deleted", "deleted_at"):
        with db.refused(sqlstate="42703"):
            db.run(f"SELECT {column} FROM journal_entries")
    replaced = ["projects_status_check", "tasks_status_check", "tasks_priority_check", "areas_importance_check"]
    sql = "SELECT conname FROM pg_constraint WHERE connamespace = %s::regnamespace AND conname = ANY(%s)"
    assert db.rows(sql, [db.schema, replaced]) == []
