-- depends: 0025_character_stats
-- What everybody sees, visitors included: no prompt, no metadata, no owner, and nothing of drafts. Owner's rights,
-- since row-level security shows the tables to owners only.
CREATE VIEW published_characters WITH (security_barrier = TRUE) AS
SELECT
    c.id,
    c.name,
    c.slug,
    c.description,
    c.mode,
    c.character_type,
    c.vrm_model_id,
    c.voice_config,
    c.llm_model,
    c.created_at,
    c.updated_at,
    c.published_at,
    c.conversation_count,
    c.average_rating
FROM characters AS c
WHERE c.status = 'published';
REVOKE ALL ON published_characters FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON VIEW published_characters IS 'Published characters, as everybody may see them.';

CREATE VIEW published_models WITH (security_barrier = TRUE) AS
SELECT
    m.id,
    m.name,
    m.category,
    m.file_url,
    m.preview_url,
    m.polygon_count,
    m.file_size_mb,
    m.tags
FROM vrm_models AS m
WHERE EXISTS (
    SELECT 1
    FROM characters AS c
    WHERE c.vrm_model_id = m.id AND c.status = 'published'
);
REVOKE ALL ON published_models FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON VIEW published_models IS 'The models that published characters wear.';

CREATE VIEW published_voices WITH (security_barrier = TRUE) AS
SELECT
    v.character_id,
    v.provider,
    v.voice_id,
    v.speed,
    v.pitch,
    v.volume,
    v.emotion_settings
FROM voice_configs AS v
INNER JOIN characters AS c ON v.character_id = c.id
WHERE c.status = 'published';
REVOKE ALL ON published_voices FROM PUBLIC, anon, authenticated, service_role;
COMMENT ON VIEW published_voices IS 'How published characters speak.';
