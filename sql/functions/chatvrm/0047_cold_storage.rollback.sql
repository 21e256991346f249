DROP FUNCTION mark_audio_cold(uuid, text);
DROP FUNCTION claim_audio_for_cold_storage(integer);
