-- The examples of docs/othello.md, run by tests/test_docs.py on the demo data, each in a transaction that is
-- rolled back.
-- A user is 7b52fb97-b990-8c9e-6373-0b6ded8c4eb9.

-- archive_inactive_conversations, as a service
SELECT othello.archive_inactive_conversations(p_older_than => '6 months') AS archived;

-- claim_due_interventions, as a service
INSERT INTO othello.interventions (user_id, category, title, message, scheduled_for)
VALUES (
    (
        SELECT id
        FROM othello.users
        WHERE email = 'person1@demo.example'
    ),
    'health_nudge', 'Screens off at ten', 'You wanted to be reminded. Sleep well!', now()
);
SELECT
    title,
    message,
    status,
    delivered_at
FROM othello.claim_due_interventions(p_limit => 10);

-- close_session, as a service
SELECT othello.close_session(p_token => othello.open_session(u.id, '192.0.2.7', 'Browser/1.0')) AS is_closed
FROM othello.users AS u
WHERE u.email = 'person1@demo.example';

-- current_user_id, as a user
SELECT othello.current_user_id() AS user_id;

-- effective_tier, as a user
SELECT
    scope,
    othello.effective_tier(othello.current_user_id(), scope) AS tier
FROM othello.consent_scopes
ORDER BY scope;

-- expire_inactive_sessions, as a service
SELECT othello.expire_inactive_sessions(p_idle => '30 minutes', p_max_age => '7 days') AS ended;

-- is_password_hash, as a service
SELECT
    othello.is_password_hash('$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW') AS bcrypt,
    othello.is_password_hash('secret') AS plain;

-- is_preference_value, as a user
SELECT
    othello.is_preference_value('3', 'number') AS digits,
    othello.is_preference_value('three', 'number') AS words;

-- make_session_token, as a service
SELECT othello.make_session_token() AS token;

-- merge_json, as a user
SELECT othello.merge_json(
    p_target => '{"theme": "dark", "nudges": {"daily": 3, "sound": true}}',
    p_patch => '{"nudges": {"daily": 1, "sound": null}}'
) AS merged;

-- merge_traits, as a user
SELECT
    trait_data,
    last_analyzed_at
FROM othello.merge_traits('{"openness": 0.7, "preferences": {"communication_style": "direct"}}');

-- open_session, as a service
SELECT othello.open_session(p_user_id => id, p_ip => '192.0.2.7', p_user_agent => 'Browser/1.0') AS token
FROM othello.users
WHERE email = 'person1@demo.example';

-- override_validation, as a user
SELECT
    agent_activity_id,
    result,
    concerns,
    overridden_by_user
FROM othello.override_validation(
    p_id => (
        SELECT id
        FROM othello.ethical_validations
        WHERE override_allowed
        ORDER BY id DESC
        LIMIT 1
    ),
    p_reason => 'I asked for it myself.'
);

-- pending_suggestions, as a user
SELECT
    id,
    title,
    scope,
    reasoning
FROM othello.pending_suggestions(p_limit => 5);

-- respond_to_activity, as a user
SELECT
    title,
    scope,
    status
FROM othello.respond_to_activity(
    p_activity_id => (SELECT id FROM othello.pending_suggestions(1)),
    p_action => 'approved',
    p_reason => 'Good idea.'
);

-- rotate_session, as a service
SELECT othello.rotate_session(p_token => othello.open_session(u.id, '192.0.2.7', 'Browser/1.0')) AS new_token
FROM othello.users AS u
WHERE u.email = 'person1@demo.example';

-- session_token_hash, as a service
SELECT othello.session_token_hash('the token of a request') AS session_token;

-- soft_delete_conversation, as a user
SELECT othello.soft_delete_conversation(
    p_conversation_id => (
        SELECT id
        FROM othello.conversations
        ORDER BY created_at
        LIMIT 1
    )
);
SELECT
    count(*) AS conversations_left,
    min(created_at) AS oldest
FROM othello.conversations;

-- soft_delete_user, as a user
SELECT othello.soft_delete_user(othello.current_user_id());
SELECT othello.current_user_id() IS NULL AS is_deleted;

-- touch_session, as a service
SELECT othello.touch_session(p_token => othello.open_session(u.id, '192.0.2.7', 'Browser/1.0')) AS user_id
FROM othello.users AS u
WHERE u.email = 'person1@demo.example';
