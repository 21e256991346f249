-- The examples of docs/platform.md, run by tests/test_docs.py on the demo data, each in a transaction that is
-- rolled back.

-- exact_search_limit, as a service
SELECT platform.exact_search_limit('chatvrm.document_chunks') AS exact_up_to;

-- exchange_hnsw_settings, as a service
SELECT platform.exchange_hnsw_settings('{strict_order, 400}') AS before;

-- is_cron_schedule, as a visitor
SELECT
    platform.is_cron_schedule('*/10 6-22 * * 1-5') AS accepted,
    platform.is_cron_schedule('0 0 31 2 *') AS never_comes;

-- is_email, as a visitor
SELECT
    platform.is_email('ada@demo.example') AS accepted,
    platform.is_email('ada@localhost') AS no_domain;

-- is_identifier, as a visitor
SELECT
    platform.is_identifier('hugo_matchmaker') AS accepted,
    platform.is_identifier('Hugo Matchmaker') AS refused;

-- is_jsonb_text_array, as a visitor
SELECT
    platform.is_jsonb_text_array('["empathy", "humour"]') AS accepted,
    platform.is_jsonb_text_array('["empathy", 1]') AS refused;

-- is_jsonb_unit_object, as a visitor
SELECT
    platform.is_jsonb_unit_object('{"openness": 0.8, "warmth": 1}') AS accepted,
    platform.is_jsonb_unit_object('{"openness": 80}') AS out_of_range;

-- is_maintainer, as a service
SELECT platform.is_maintainer('chatvrm.conversations'::regclass) AS may_write_counters;

-- is_not_blank, as a visitor
SELECT
    platform.is_not_blank('Luna') AS accepted,
    platform.is_not_blank(E' \t\u200B') AS only_white_space;

-- is_semver, as a visitor
SELECT
    platform.is_semver('2.0.0-rc.1') AS accepted,
    platform.is_semver('v2.0') AS refused;

-- is_service, as a service
SELECT platform.is_service() AS is_service;

-- is_set, as a visitor
SELECT
    platform.is_set(ARRAY['read', 'write']) AS accepted,
    platform.is_set(ARRAY['read', 'read']) AS duplicate;

-- is_uuid_v4, as a visitor
SELECT
    platform.is_uuid_v4(gen_random_uuid()) AS accepted,
    platform.is_uuid_v4('00000000-0000-0000-0000-000000000000') AS not_random;
