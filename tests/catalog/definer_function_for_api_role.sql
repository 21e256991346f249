-- Definer functions that API roles may call, each with the reason why it must cross row-level security.
SELECT p.oid::regprocedure AS offender
FROM pg_proc AS p
WHERE p.pronamespace IN (SELECT oid FROM instance)
    AND p.prosecdef
    AND has_function_privilege('authenticated', p.oid, 'EXECUTE')
    AND p.proname NOT IN (
        'current_user_id', -- maps the token to the user, and the policies of users call it
        'respond_to_activity', -- users write neither activities nor the log of their consent
        'override_validation', -- users write no validations
        'soft_delete_user', -- nobody sees the row that the update makes
        'soft_delete_conversation', -- the same
        'get_document_with_stats', -- one's own document only; under row-level security its index could not be used
        'knowledge_base_is_active', -- tells of one knowledge base what the policy of its entries asks
        'record_insight_feedback', -- counts what nobody writes
        'refresh_user_statistics', -- users write nothing in the cache; the caller's own figures only
        'create_api_key', -- no API role touches the table of keys
        'revoke_api_key', -- the same
        'begin_conversation_earlier', -- users write no started_at; one's own conversation only
        'search_characters', -- published characters and one's own; under row-level security its index could not be used
        'search_documents', -- one's own; the same
        'search_knowledge' -- shows active knowledge bases only; under row-level security its index could not be used
    )
