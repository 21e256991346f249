-- depends: 0035_characters_triggers
-- A voice stays with its character.
-- Also where users state the owner: else a UNIQUE column would tell them whether another's character has a voice,
-- before the foreign key refuses it.
CREATE TRIGGER voice_configs_owner
BEFORE INSERT ON voice_configs
FOR EACH ROW
WHEN (new.user_id IS NULL OR NOT platform.is_service())
EXECUTE FUNCTION inherit_owner('voice_configs', 'character_id', 'characters');

CREATE TRIGGER voice_configs_immutable
BEFORE UPDATE ON voice_configs
FOR EACH ROW
WHEN ((old.id, old.character_id, old.user_id) IS DISTINCT FROM (new.id, new.character_id, new.user_id))
EXECUTE FUNCTION platform.refuse_change(
    'voice_configs', 'voice_configs_immutable_check', 'id', 'character_id', 'user_id'
);

CREATE TRIGGER voice_configs_updated_at
BEFORE UPDATE ON voice_configs
FOR EACH ROW
EXECUTE FUNCTION platform.update_updated_at_column();
