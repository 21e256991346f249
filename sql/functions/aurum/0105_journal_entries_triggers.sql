-- depends: 0104_tasks_triggers
-- As for pillars.
CREATE TRIGGER journal_entries_immutable
BEFORE UPDATE ON journal_entries
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change('journal_entries', 'journal_entries_immutable_check', 'id', 'user_id');

CREATE TRIGGER journal_entries_maintain_insert
BEFORE INSERT ON journal_entries
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now() AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER journal_entries_maintain_update
BEFORE UPDATE ON journal_entries
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at)
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER journal_entries_updated_at
BEFORE UPDATE ON journal_entries
FOR EACH ROW
WHEN (
    old.updated_at IS DISTINCT FROM new.updated_at
    OR (
        old.title, old.content, old.mood, old.energy_level, old.tags, old.word_count, old.reading_time_minutes,
        old.archived, old.ai_insights_generated, old.sentiment_score
    ) IS DISTINCT FROM (
        new.title, new.content, new.mood, new.energy_level, new.tags, new.word_count, new.reading_time_minutes,
        new.archived, new.ai_insights_generated, new.sentiment_score
    )
)
EXECUTE FUNCTION platform.update_updated_at_column();

CREATE TRIGGER journal_entries_embedding_stale
BEFORE UPDATE OF title, content ON journal_entries
FOR EACH ROW
WHEN ((old.title, old.content) IS DISTINCT FROM (new.title, new.content))
EXECUTE FUNCTION forget_embedding_hash();

CREATE TRIGGER journal_entries_embedding_insert
BEFORE INSERT ON journal_entries
FOR EACH ROW
WHEN (
    NOT platform.is_service()
    AND (
        new.content_embedding IS NOT NULL
        OR new.title_embedding IS NOT NULL
        OR num_nonnulls(new.embedding_updated_at, new.embedding_hash, new.embedding_claimed_until) > 0
        OR new.embedding_model IS DISTINCT FROM 'text-embedding-3-small'
    )
)
EXECUTE FUNCTION platform.maintain_columns(
    '{"content_embedding": null, "title_embedding": null, "embedding_model": "text-embedding-3-small", '
    '"embedding_updated_at": null, "embedding_hash": null, "embedding_claimed_until": null}',
    '{}'
);

CREATE TRIGGER journal_entries_embedding_keep
BEFORE UPDATE OF content_embedding, title_embedding, embedding_model, embedding_updated_at, embedding_hash,
embedding_claimed_until ON journal_entries
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns(
    '{"content_embedding": null, "title_embedding": null, "embedding_model": "text-embedding-3-small", '
    '"embedding_updated_at": null, "embedding_hash": null, "embedding_claimed_until": null}',
    '{}'
);

CREATE TRIGGER journal_entries_count_insert
AFTER INSERT ON journal_entries
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('journal_entries');

CREATE TRIGGER journal_entries_count_update
AFTER UPDATE ON journal_entries
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('journal_entries');

CREATE TRIGGER journal_entries_count_delete
AFTER DELETE ON journal_entries
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('journal_entries');

CREATE TRIGGER journal_entries_log
AFTER INSERT OR DELETE OR UPDATE ON journal_entries
FOR EACH ROW
EXECUTE FUNCTION log_change('journal_entry', 'content_embedding', 'title_embedding');
