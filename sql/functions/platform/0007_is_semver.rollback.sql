DROP FUNCTION is_semver(text);
