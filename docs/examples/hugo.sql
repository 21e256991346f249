-- The examples of docs/hugo.md, run by tests/test_docs.py on the demo data, each in a transaction that is rolled back.
-- A user is 2c71c836-c6f9-68aa-dbe3-edf45d5487dd.

-- archive_old_conversations, as a service
SELECT hugo.archive_old_conversations();
SELECT
    count(*) AS archived,
    min(closed_at) AS oldest
FROM hugo.archived_conversations;

-- close_conversation, as a user
SELECT
    title,
    status,
    message_count,
    closed_at
FROM hugo.close_conversation(
    p_conversation_id => (
        SELECT id
        FROM hugo.conversations
        WHERE status = 'active'
        ORDER BY last_message_at DESC
        LIMIT 1
    )
);

-- close_inactive_conversations, as a service
SELECT hugo.close_inactive_conversations() AS closed;

-- current_user_id, as a user
SELECT hugo.current_user_id() AS user_id;

-- decay_memory_importance, as a service
SELECT hugo.decay_memory_importance();
SELECT
    content,
    importance,
    created_at
FROM hugo.user_memories
WHERE coalesce(last_accessed_at, created_at) < now() - interval '30 days'
ORDER BY importance DESC
LIMIT 3;

-- expire_user_memories, as a service
SELECT hugo.expire_user_memories();
SELECT
    count(*) AS kept,
    min(expires_at) AS next_to_expire
FROM hugo.user_memories;

-- get_chat_context, as a user
SELECT
    display_name,
    personality_schema ->> 'tone' AS tone,
    knowledge_bases,
    current_focus_area,
    recent_messages -> 0 ->> 'content' AS newest_message
FROM hugo.get_chat_context(p_app_id => 'hugo_health', p_user_id => hugo.current_user_id());

-- get_user_context, as a user
SELECT
    profile ->> 'subscription_tier' AS tier,
    progress ->> 'total_conversations' AS conversations,
    memories -> 0 ->> 'content' AS most_important_memory
FROM hugo.get_user_context(p_user_id => hugo.current_user_id(), p_app_id => 'hugo_health');

-- increment_ke_access, as a service
SELECT hugo.increment_ke_access(
    entry_id => (
        SELECT id
        FROM hugo.knowledge_entries
        WHERE title = 'Anchor it'
    )
);
SELECT
    title,
    access_count,
    last_accessed_at
FROM hugo.knowledge_entries
WHERE title = 'Anchor it';

-- increment_knowledge_access, as a service
SELECT hugo.increment_knowledge_access(
    ARRAY(SELECT id FROM hugo.search_knowledge('listening or trust', 'hugo_matchmaker', 3))
);
SELECT
    title,
    access_count
FROM hugo.knowledge_entries
ORDER BY access_count DESC
LIMIT 3;

-- knowledge_base_is_active, as a user
SELECT
    kb_id,
    hugo.knowledge_base_is_active(id) AS is_active
FROM hugo.knowledge_bases
ORDER BY kb_id;

-- knowledge_content_hash, as a service
SELECT
    title,
    hugo.knowledge_content_hash(title, content) AS content_hash
FROM hugo.knowledge_entries
ORDER BY title
LIMIT 3;

-- knowledge_search_vector, as a service
SELECT hugo.knowledge_search_vector(
    p_title => 'Anchor it', p_content => 'Tie the new habit to an old one.', p_tags => '{habits,routine}'
) AS search_vector;

-- prepare_statements, as a user
SELECT hugo.prepare_statements();
EXECUTE search_knowledge ('fear of rejection', 'hugo_matchmaker', 3);

-- promote_personality_schema, as a service
INSERT INTO hugo.personality_schemas (schema_id, version, layer, parent_schema_id, created_by, schema)
SELECT
    schema_id,
    '1.1.0' AS version,
    layer,
    parent_schema_id,
    'editor' AS created_by,
    schema || '{"tone": "casual"}' AS schema
FROM hugo.personality_schemas
WHERE schema_id = 'health_companion' AND version = '1.0.0';
UPDATE hugo.personality_schemas
SET status = 'testing'
WHERE schema_id = 'health_companion' AND version = '1.1.0';
SELECT
    schema_id,
    version,
    status,
    rollout_percentage
FROM hugo.promote_personality_schema(
    p_id => (
        SELECT id
        FROM hugo.personality_schemas
        WHERE schema_id = 'health_companion' AND version = '1.1.0'
    )
);

-- search_knowledge, as a user
SELECT
    title,
    kb_id,
    relevance
FROM hugo.search_knowledge(p_query => 'fear of rejection', p_app_id => 'hugo_matchmaker', p_limit => 3);

-- set_knowledge_vector, as a service
SELECT
    title,
    hugo.set_knowledge_vector(
        p_entry_id => id, p_vector_store_id => 'hugo/' || id, p_content_hash => content_hash
    ) AS is_synced
FROM hugo.sync_knowledge_to_vector(p_batch_size => 3);

-- sync_knowledge_to_vector, as a service
SELECT
    id,
    title,
    content_hash
FROM hugo.sync_knowledge_to_vector(p_batch_size => 3);
