-- depends: 0106_daily_reflections_triggers
-- Ids and owners stay; times are the database's.
CREATE TRIGGER ai_conversation_memory_immutable
BEFORE UPDATE ON ai_conversation_memory
FOR EACH ROW
WHEN ((old.id, old.user_id) IS DISTINCT FROM (new.id, new.user_id))
EXECUTE FUNCTION platform.refuse_change(
    'ai_conversation_memory', 'ai_conversation_memory_immutable_check', 'id', 'user_id'
);

CREATE TRIGGER ai_conversation_memory_maintain_insert
BEFORE INSERT ON ai_conversation_memory
FOR EACH ROW
WHEN (new.created_at IS DISTINCT FROM now() AND NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER ai_conversation_memory_maintain_update
BEFORE UPDATE ON ai_conversation_memory
FOR EACH ROW
WHEN (old.created_at IS DISTINCT FROM new.created_at)
EXECUTE FUNCTION platform.maintain_columns('{}', '{"created_at": "now"}');

CREATE TRIGGER ai_conversation_memory_embedding_stale
BEFORE UPDATE OF message_content ON ai_conversation_memory
FOR EACH ROW
WHEN ((old.message_content) IS DISTINCT FROM (new.message_content))
EXECUTE FUNCTION forget_embedding_hash();

CREATE TRIGGER ai_conversation_memory_embedding_insert
BEFORE INSERT ON ai_conversation_memory
FOR EACH ROW
WHEN (
    NOT platform.is_service()
    AND (
        new.message_embedding IS NOT NULL
        OR num_nonnulls(new.embedding_updated_at, new.embedding_hash, new.embedding_claimed_until) > 0
        OR new.embedding_model IS DISTINCT FROM 'text-embedding-3-small'
    )
)
EXECUTE FUNCTION platform.maintain_columns(
    '{"message_embedding": null, "embedding_model": "text-embedding-3-small", '
    '"embedding_updated_at": null, "embedding_hash": null, "embedding_claimed_until": null}',
    '{}'
);

CREATE TRIGGER ai_conversation_memory_embedding_keep
BEFORE UPDATE OF message_embedding, embedding_model, embedding_updated_at, embedding_hash,
embedding_claimed_until ON ai_conversation_memory
FOR EACH ROW
WHEN (NOT platform.is_service())
EXECUTE FUNCTION platform.maintain_columns(
    '{"message_embedding": null, "embedding_model": "text-embedding-3-small", '
    '"embedding_updated_at": null, "embedding_hash": null, "embedding_claimed_until": null}',
    '{}'
);

CREATE TRIGGER ai_conversation_memory_count_insert
AFTER INSERT ON ai_conversation_memory
REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('messages');

CREATE TRIGGER ai_conversation_memory_count_update
AFTER UPDATE ON ai_conversation_memory
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('messages');

CREATE TRIGGER ai_conversation_memory_count_delete
AFTER DELETE ON ai_conversation_memory
REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT
EXECUTE FUNCTION count_for_user_stats('messages');
