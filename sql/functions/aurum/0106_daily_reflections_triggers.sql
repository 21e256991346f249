-- depends: 0105_journal_entries_triggers
-- Ids and owners stay; times are the database's.
CREATE TRIGGER daily_reflections_immutable
BEFORE UPDATE ON daily_reflections
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('daily_reflections', 'daily_reflections_immutable_check', 'id', 'user_id');

CREATE TRIGGER daily_reflections_maintain_insert
BEFORE INSERT ON daily_reflections
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now() AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER daily_reflections_maintain_update
BEFORE UPDATE ON daily_reflections
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at)
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER daily_reflections_updated_at
BEFORE UPDATE ON daily_reflections
FOR EACH ROW
WHEN (
    old.updated_at IS DISTINCT FROM new.updated_at
    OR (
        old.reflection_date, old.reflection_text, old.completion_score, old.mood, old.energy_level,
        old.biggest_accomplishment, old.challenges_faced, old.tomorrow_focus, old.gratitude_notes,
        old.lessons_learned, old.tasks_completed_count, old.focus_time_minutes, old.productivity_score,
        old.alignment_score
    ) IS DISTINCT FROM (
        new.reflection_date, new.reflection_text, new.completion_score, new.mood, new.energy_level,
        new.biggest_accomplishment, new.challenges_faced, new.tomorrow_focus, new.gratitude_notes,
        new.lessons_learned, new.tasks_completed_count, new.focus_time_minutes, new.productivity_score,
        new.alignment_score
    )
)
EXECUTE FUNCTION platform.update_updated_at_column();

CREATE TRIGGER daily_reflections_embedding_stale
BEFORE UPDATE OF reflection_text, biggest_accomplishment, challenges_faced ON daily_reflections
FOR EACH ROW
WHEN (
    (old.reflection_text, old.biggest_accomplishment, old.challenges_faced)
    IS DISTINCT FROM (new.reflection_text, new.biggest_accomplishment, new.challenges_faced)
)
EXECUTE FUNCTION forget_embedding_hash();

CREATE TRIGGER daily_reflections_embedding_insert
BEFORE INSERT ON daily_reflections
FOR EACH ROW
WHEN (
    NOT platform.is_service()
    AND (
        new.reflection_embedding IS NOT NULL
        OR new.accomplishment_embedding IS NOT NULL
        OR new.challenges_embedding IS NOT NULL
        OR num_nonnulls(new.embedding_updated_at, new.embedding_hash, new.embedding_claimed_until) > 0
        OR new.embedding_model IS DISTINCT FROM 'text-embedding-3-small'
    )
)
EXECUTE FUNCTION platform.maintain_columns(
    '{"reflection_embedding": null, "accomplishment_embedding": null, "challenges_embedding": null, '
    '"embedding_model": "text-embedding-3-small", "embedding_updated_at": null, "embedding_hash": null, '
    '"embedding_claimed_until": null}',
    '{}'
);

CREATE TRIGGER daily_reflections_embedding_keep
BEFORE UPDATE OF reflection_embedding, accomplishment_embedding, challenges_embedding, embedding_model,
embedding_updated_at, embedding_hash, embedding_claimed_until ON daily_reflections
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns(
    '{"reflection_embedding": null, "accomplishment_embedding": null, "challenges_embedding": null, '
    '"embedding_model": "text-embedding-3-small", "embedding_updated_at": null, "embedding_hash": null, '
    '"embedding_claimed_until": null}',
    '{}'
);
