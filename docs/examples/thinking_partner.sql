-- The examples of docs/thinking_partner.md, run by tests/test_docs.py on the demo data, each in a transaction that
-- is rolled back.
-- A user is 1fdcd8f8-b1dd-49fc-4b4a-9e6bbd508106.

-- append_session_message, as a user
SELECT
    sequence_number,
    role,
    content
FROM thinking_partner.append_session_message(
    p_session_id => (
        SELECT id FROM thinking_partner.get_or_create_chat_session(thinking_partner.current_user_id(), NULL)
    ),
    p_role => 'user',
    p_content => 'What did we decide about the price of the team plan?'
);

-- check_query_embedding, as a user
SELECT extensions.vector_dims(q.embedding) AS dimensions
FROM (SELECT array_fill(0.1, ARRAY[1536])::extensions.vector) AS q (embedding)
CROSS JOIN LATERAL thinking_partner.check_query_embedding(q.embedding);

-- claim_due_messages, as a service
SELECT
    subject,
    recipient_email,
    scheduled_for,
    claimed_until
FROM thinking_partner.claim_due_messages(p_limit => 10);

-- claim_pending_documents, as a service
SELECT
    filename,
    storage_path,
    processing_status,
    claimed_until
FROM thinking_partner.claim_pending_documents(p_limit => 10);

-- claim_tickets, as a service
SELECT
    task,
    agent_type,
    status,
    claimed_until
FROM thinking_partner.claim_tickets(p_limit => 10);

-- current_user_id, as a user
SELECT thinking_partner.current_user_id() AS user_id;

-- expire_subscriptions, as a service
UPDATE thinking_partner.workspaces
SET subscription_cancelled_at = now() - interval '1 month', subscription_expires_at = now()
WHERE subscription_status = 'pro';
SELECT thinking_partner.expire_subscriptions() AS expired;

-- forget_memory, as a user
SELECT
    content,
    is_active
FROM thinking_partner.forget_memory(
    p_id => (
        SELECT id
        FROM thinking_partner.memories
        ORDER BY created_at
        LIMIT 1
    )
);

-- get_document_with_stats, as a user
SELECT
    filename,
    processing_status,
    page_count,
    chunk_count,
    memory_count
FROM thinking_partner.get_document_with_stats(
    doc_id => (
        SELECT id
        FROM thinking_partner.documents
        WHERE file_type = 'pdf'
        ORDER BY created_at DESC
        LIMIT 1
    )
);

-- get_or_create_chat_session, as a user
SELECT
    id,
    scope,
    status,
    started_at
FROM thinking_partner.get_or_create_chat_session(
    p_user_id => thinking_partner.current_user_id(),
    p_project_id => (
        SELECT id
        FROM thinking_partner.projects
        WHERE name = 'Launch'
    ),
    p_scope => 'project'
);

-- get_or_create_workspace, as a user
SELECT
    id,
    name,
    subscription_status
FROM thinking_partner.get_or_create_workspace(p_name => 'My Workspace');

-- get_session_messages, as a user
SELECT
    sequence_number,
    role,
    content
FROM thinking_partner.get_session_messages(
    p_session_id => (
        SELECT id
        FROM thinking_partner.chat_sessions
        ORDER BY started_at DESC
        LIMIT 1
    )
);

-- match_chunks, as a user
SELECT
    content,
    page_number,
    similarity
FROM thinking_partner.match_chunks(
    -- In an application: what the embedding model made of the question.
    query_embedding => (
        SELECT embedding
        FROM thinking_partner.memories
        WHERE 'pricing' = ANY(tags)
        ORDER BY created_at
        LIMIT 1
    ),
    match_document_id => (
        SELECT id
        FROM thinking_partner.documents
        WHERE file_type = 'pdf'
        ORDER BY created_at
        LIMIT 1
    ),
    match_count => 3
);

-- prepare_statements, as a user
SELECT thinking_partner.prepare_statements();
SELECT
    name,
    parameter_types
FROM pg_catalog.pg_prepared_statements
WHERE name IN ('search_memories', 'session_history', 'match_chunks');

-- record_subscription_event, as a service
SELECT
    name,
    subscription_status,
    subscription_expires_at
FROM thinking_partner.record_subscription_event(
    p_workspace_id => (
        SELECT id
        FROM thinking_partner.workspaces
        WHERE subscription_status = 'free'
        ORDER BY id
        LIMIT 1
    ),
    p_event_type => 'subscription_created',
    p_ls_subscription_id => '1001',
    p_ls_customer_id => '2002',
    p_expires_at => now() + interval '1 month',
    p_payload => '{"data": {"id": "1001", "attributes": {"status": "active"}}}'
);

-- search_chunks, as a user
SELECT
    filename,
    page_number,
    content,
    similarity
FROM thinking_partner.search_chunks(
    -- In an application: what the embedding model made of the question.
    query_embedding => (
        SELECT embedding
        FROM thinking_partner.memories
        WHERE 'pricing' = ANY(tags)
        ORDER BY created_at
        LIMIT 1
    ),
    match_project_id => (
        SELECT id
        FROM thinking_partner.projects
        WHERE name = 'Launch'
    ),
    match_count => 3
);

-- search_memories, as a user
SELECT
    content,
    tags,
    similarity,
    relevance
FROM thinking_partner.search_memories(
    -- In an application: what the embedding model made of the question.
    query_embedding => (
        SELECT embedding
        FROM thinking_partner.memories
        WHERE 'pricing' = ANY(tags)
        ORDER BY created_at
        LIMIT 1
    ),
    match_user_id => thinking_partner.current_user_id(),
    match_project_id => (
        SELECT id
        FROM thinking_partner.projects
        WHERE name = 'Launch'
    ),
    match_count => 3
);
