"""Rules for every schema, as queries over the catalog that return no row: they hold for tables not yet written."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

QUERIES = sorted((Path(__file__).parent / "catalog").glob("*.sql"))

INSTANCES_SQL = """
CREATE TEMPORARY VIEW instance AS
SELECT n.oid, n.nspname AS name
FROM pg_namespace AS n
WHERE EXISTS (SELECT 1 FROM pg_class AS c WHERE c.relnamespace = n.oid AND c.relname = '_companion_ledger')
"""


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_no_offender(shared_database: str, query: Path) -> None:
    with psycopg.connect(shared_database) as conn:
        conn.execute(INSTANCES_SQL)
        found = conn.execute("SELECT count(*) FROM instance").fetchone()
        assert found is not None and found[0] >= 4
        assert conn.execute(query.read_bytes()).fetchall() == []
        conn.rollback()


# What a careless file could do, and the query that must notice. Each is run as the owner, in the schema hugo.
FAULTS = {
    "table_without_rls": "ALTER TABLE messages DISABLE ROW LEVEL SECURITY",
    "table_without_service_policy": "DROP POLICY messages_service_all ON messages",
    "table_without_primary_key": "ALTER TABLE jobs DROP CONSTRAINT jobs_pkey",
    "table_without_comment": "COMMENT ON TABLE messages IS NULL",
    "function_without_comment": "COMMENT ON FUNCTION current_user_id() IS NULL",
    "foreign_key_without_index": "DROP INDEX conversations_app_idx",
    "foreign_key_to_another_schema": "ALTER TABLE jobs ADD CONSTRAINT jobs_fkey FOREIGN KEY (name)"
    " REFERENCES hugo_acme.jobs (name) NOT VALID",
    "definer_function_without_search_path": "ALTER FUNCTION current_user_id() RESET search_path",
    "definer_function_for_api_role": "ALTER FUNCTION get_user_context(uuid, text) SECURITY DEFINER",
    "grant_to_public": "GRANT EXECUTE ON FUNCTION expire_user_memories() TO PUBLIC",
    "grant_beyond_rows": "GRANT TRUNCATE ON messages TO authenticated",
    "grant_on_history": "GRANT SELECT ON _companion_ledger TO service_role",
    "grant_to_create": "GRANT CREATE ON SCHEMA hugo TO authenticated",
    "function_needed_but_not_granted": "REVOKE EXECUTE ON FUNCTION current_user_id() FROM authenticated",
    "policy_for_everybody": "CREATE POLICY open ON messages USING (false)",
    "policy_with_subquery": "ALTER POLICY messages_user_access ON messages USING (user_id = current_user_id())",
    "policy_without_index": "DROP INDEX messages_user_recent_idx, messages_user_app_recent_idx",
    "view_with_owners_rights": "CREATE VIEW recent AS SELECT content FROM messages",
    "function_that_names_its_table": "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RAISE NOTICE ''%'', TG_TABLE_NAME; END'",
    "identity_column_that_is_no_bigint": "CREATE TABLE t (n integer GENERATED ALWAYS AS IDENTITY)",
    "index_that_repeats_another": "CREATE INDEX again ON messages (role)",
    "index_or_constraint_that_is_not_valid": "ALTER TABLE jobs ADD CONSTRAINT c_check CHECK (name <> '') NOT VALID",
    "default_privileges_of_our_own": "ALTER DEFAULT PRIVILEGES IN SCHEMA hugo GRANT SELECT ON TABLES TO anon",
    "updated_at_trigger_that_misses_a_column": "ALTER TABLE knowledge_bases ADD COLUMN language text",
    "function_with_extension_setting": "ALTER FUNCTION current_user_id() SET companion.scale = 1",
    "name_without_pattern": "ALTER TABLE jobs ADD CONSTRAINT wrong CHECK (name <> '')",
}


def test_every_query_has_a_fault_it_must_notice() -> None:
    assert sorted(FAULTS) == [query.stem for query in QUERIES]


@pytest.mark.parametrize("query", QUERIES, ids=lambda path: path.stem)
def test_offender_is_noticed(shared_database: str, query: Path) -> None:
    with psycopg.connect(shared_database) as conn:
        conn.execute(INSTANCES_SQL)
        conn.execute("SET search_path = hugo, platform, pg_temp")
        conn.execute(FAULTS[query.stem].encode())
        assert conn.execute(query.read_bytes()).fetchall() != []
        conn.rollback()
