"""Contracts: the same everywhere, current, and each change of one told by its rule; whether a database keeps one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import make_conninfo

from runner.contract import changes, document, export
from runner.contract.check import check
from runner.contract.document import Contract
from runner.errors import UsageError
from runner.files.tree import PLATFORM
from runner.history.instances import Target
from runner.migrate.apply import apply
from runner.postgres import embedded
from tests.databases import INSTANCES
from tests.runner.command import run as run_with_tree
from tests.runner.poolers import Pooler
from tests.servers import make_folder

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "contract"
EVERYWHERE = [(PLATFORM, PLATFORM), *((system, schema) for system, schemas in INSTANCES.items() for schema in schemas)]


@pytest.fixture
def conn(shared_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection whose one transaction is rolled back."""
    with psycopg.connect(shared_database) as connection:
        yield connection
        connection.rollback()


def run(*arguments: str) -> tuple[int, str, str]:
    return run_with_tree(*arguments, tree=ROOT / "sql")


def ours(system: str) -> Contract:
    return document.read(FOLDER / f"{system}.json")


@pytest.mark.parametrize(("system", "place"), EVERYWHERE)
def test_it_is_current_and_the_same_in_every_instance(conn: psycopg.Connection[Any], system: str, place: str) -> None:
    found = document.contract_of(conn, system, place)
    if place == "public":
        # That schema is open to everybody as it is.
        told = changes.changes(ours(system), found)
        assert told == [changes.Change("schema", "granted", "USAGE to PUBLIC")]
        found["schema"] = ours(system)["schema"]
    assert document.write(found) == (FOLDER / f"{system}.json").read_text(), "stale: run `make contract`"


def test_every_system_has_one() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {system for system, _ in EVERYWHERE}


# What is done to an instance, and what it changes in the contract: thing, rule and how.
CASES: list[tuple[str, str, list[tuple[str, str, str]]]] = [
    # Tables and views
    ("hugo", "CREATE TABLE mine (id integer)", [("table mine", "table-added", "added")]),
    ("hugo", "DROP TABLE job_runs", [("table job_runs", "table-dropped", "dropped")]),
    ("hugo", "COMMENT ON TABLE apps IS 'x'", [("table apps", "comment-changed", "")]),
    (
        "hugo",
        "ALTER TABLE apps DISABLE ROW LEVEL SECURITY",
        [("table apps", "row-security-changed", "row_security: True -> False")],
    ),
    (
        "hugo",
        "ALTER TABLE apps FORCE ROW LEVEL SECURITY",
        [("table apps", "row-security-changed", "forced: False -> True")],
    ),
    ("chatvrm", "CREATE VIEW mine AS SELECT 1 AS one", [("view mine", "view-added", "added")]),
    ("chatvrm", "DROP VIEW published_models", [("view published_models", "view-dropped", "dropped")]),
    (
        "chatvrm",
        "ALTER VIEW published_models RESET (security_barrier)",
        [("view published_models", "view-security-changed", "['security_barrier=true'] -> []")],
    ),
    # Columns
    ("hugo", "ALTER TABLE apps ADD mine text", [("column apps.mine", "column-added", "text")]),
    ("hugo", "ALTER TABLE apps ADD mine text NOT NULL", [("column apps.mine", "column-added-required", "text")]),
    ("hugo", "ALTER TABLE apps ADD mine text NOT NULL DEFAULT ''", [("column apps.mine", "column-added", "text")]),
    ("hugo", "ALTER TABLE job_runs DROP message", [("column job_runs.message", "column-dropped", "dropped")]),
    (
        "hugo",
        "ALTER TABLE job_runs ALTER message TYPE varchar(9)",
        [("column job_runs.message", "type-narrower", "text -> character varying(9)")],
    ),
    (
        "hugo",
        "ALTER TABLE archived_messages ALTER tokens_used TYPE bigint",
        [("column archived_messages.tokens_used", "type-wider", "integer -> bigint")],
    ),
    (
        "hugo",
        "ALTER TABLE job_runs ALTER message TYPE bytea USING message::bytea",
        [("column job_runs.message", "type-changed", "text -> bytea")],
    ),
    ("hugo", "ALTER TABLE apps ALTER domain DROP NOT NULL", [("column apps.domain", "null-allowed", "")]),
    ("hugo", "ALTER TABLE job_runs ALTER message SET NOT NULL", [("column job_runs.message", "null-refused", "")]),
    (
        "hugo",
        "ALTER TABLE job_runs ALTER message SET DEFAULT 'x'",
        [("column job_runs.message", "default-added", "None -> 'x'::text")],
    ),
    (
        "hugo",
        "ALTER TABLE job_runs ALTER started_at DROP DEFAULT",
        [("column job_runs.started_at", "default-dropped", "clock_timestamp() -> None")],
    ),
    (
        "hugo",
        "ALTER TABLE job_runs ALTER started_at SET DEFAULT now()",
        [("column job_runs.started_at", "default-changed", "clock_timestamp() -> now()")],
    ),
    (
        "hugo",
        "ALTER TABLE knowledge_entries ALTER search_vector DROP EXPRESSION",
        [("column knowledge_entries.search_vector", "generated-dropped", "knowledge_search_vector(")],
    ),
    (
        "hugo",
        "ALTER TABLE job_runs DROP message, ADD message text GENERATED ALWAYS AS ('x') STORED",
        [
            ("column job_runs.message", "comment-changed", ""),
            ("column job_runs.message", "generated-added", "None -> 'x'::text"),
        ],
    ),
    (
        "hugo",
        "ALTER TABLE job_runs ALTER id SET GENERATED ALWAYS",
        [("column job_runs.id", "identity-stricter", "by default -> always")],
    ),
    (
        "hugo",
        "ALTER TABLE job_runs ALTER id DROP IDENTITY",
        [("column job_runs.id", "identity-dropped", "by default -> None")],
    ),
    (
        "hugo",
        'ALTER TABLE job_runs ALTER message TYPE text COLLATE "C"',
        [("column job_runs.message", "collation-changed", 'None -> "C"')],
    ),
    # Constraints
    (
        "hugo",
        "ALTER TABLE apps ADD CONSTRAINT mine CHECK (app_id <> 'x')",
        [("constraint apps.mine", "check-tighter", "added")],
    ),
    (
        "hugo",
        "ALTER TABLE messages DROP CONSTRAINT messages_role_check",
        [("constraint messages.messages_role_check", "check-looser", "dropped")],
    ),
    (
        "hugo",
        "ALTER TABLE messages DROP CONSTRAINT messages_role_check,"
        " ADD CONSTRAINT messages_role_check CHECK (role IN ('user'))",
        [("constraint messages.messages_role_check", "check-changed", "CHECK ((role = ANY (ARRAY['user'::text, ")],
    ),
    (
        "hugo",
        "ALTER TABLE messages RENAME CONSTRAINT messages_role_check TO mine",
        [("constraint messages.messages_role_check", "constraint-renamed", "to mine")],
    ),
    (
        "hugo",
        "ALTER TABLE messages DROP CONSTRAINT messages_role_check,"
        " ADD CONSTRAINT messages_role_check CHECK (role IN ('user', 'assistant')) NOT VALID",
        [("constraint messages.messages_role_check", "constraint-unvalidated", "")],
    ),
    (
        "hugo",
        "ALTER TABLE apps ADD CONSTRAINT mine UNIQUE (domain)",
        [("constraint apps.mine", "unique-added", "added")],
    ),
    (
        "hugo",
        "ALTER TABLE job_runs DROP CONSTRAINT job_runs_pkey",
        [("constraint job_runs.job_runs_pkey", "unique-dropped", "dropped")],
    ),
    (
        "hugo",
        "ALTER TABLE job_runs DROP CONSTRAINT job_runs_pkey, ADD CONSTRAINT job_runs_pkey PRIMARY KEY (id, job)",
        [("constraint job_runs.job_runs_pkey", "unique-changed", "PRIMARY KEY (id) -> PRIMARY KEY (id, job)")],
    ),
    (
        "hugo",
        "ALTER TABLE job_runs ADD CONSTRAINT mine FOREIGN KEY (job) REFERENCES jobs (name)",
        [("constraint job_runs.mine", "foreign-key-added", "added")],
    ),
    (
        "hugo",
        "ALTER TABLE messages DROP CONSTRAINT messages_conversation_id_fkey",
        [("constraint messages.messages_conversation_id_fkey", "foreign-key-dropped", "dropped")],
    ),
    (
        "hugo",
        "ALTER TABLE messages DROP CONSTRAINT messages_conversation_id_fkey, ADD CONSTRAINT"
        " messages_conversation_id_fkey FOREIGN KEY (conversation_id, user_id, app_id)"
        " REFERENCES conversations (id, user_id, app_id)",
        [("constraint messages.messages_conversation_id_fkey", "foreign-key-changed", "FOREIGN KEY (")],
    ),
    # Indexes
    ("hugo", "DROP INDEX messages_role_idx", [("index messages.messages_role_idx", "index-changed", "dropped")]),
    (
        "hugo",
        "CREATE UNIQUE INDEX mine ON apps (domain)",
        [("index apps.mine", "unique-added", "USING btree (domain)")],
    ),
    ("hugo", "DROP INDEX job_runs_running_key", [("index job_runs.job_runs_running_key", "unique-dropped", "")]),
    (
        "hugo",
        "DROP INDEX messages_role_idx; CREATE UNIQUE INDEX messages_role_idx ON messages (role)",
        [("index messages.messages_role_idx", "unique-added", "USING btree (role)")],
    ),
    # Triggers
    (
        "hugo",
        "CREATE TRIGGER mine BEFORE INSERT ON apps FOR EACH ROW EXECUTE FUNCTION fill_message()",
        [("trigger apps.mine", "trigger-added", "added")],
    ),
    (
        "hugo",
        "DROP TRIGGER messages_fill ON messages",
        [("trigger messages.messages_fill", "trigger-dropped", "dropped")],
    ),
    (
        "hugo",
        "ALTER TABLE messages DISABLE TRIGGER messages_fill",
        [("trigger messages.messages_fill", "trigger-changed", "enabled: None -> no")],
    ),
    # Types
    ("othello", "CREATE TYPE mine AS ENUM ('a')", [("type mine", "type-added", "added")]),
    ("othello", "CREATE DOMAIN mine AS integer", [("type mine", "type-added", "added")]),
    (
        "othello",
        "ALTER TYPE consent_action ADD VALUE 'shrugged'",
        [("type consent_action", "label-added", "shrugged")],
    ),
    # Policies
    (
        "hugo",
        "CREATE POLICY mine ON apps FOR SELECT TO authenticated USING (true)",
        [("policy apps.mine", "policy-reads-more", "added")],
    ),
    (
        "hugo",
        "CREATE POLICY mine ON apps AS RESTRICTIVE FOR SELECT TO authenticated USING (true)",
        [("policy apps.mine", "policy-reads-less", "added")],
    ),
    (
        "hugo",
        "CREATE POLICY mine ON apps FOR INSERT TO authenticated WITH CHECK (true)",
        [("policy apps.mine", "policy-writes-more", "added")],
    ),
    (
        "hugo",
        "DROP POLICY messages_user_access ON messages",
        [
            ("policy messages.messages_user_access", "policy-reads-less", "dropped"),
            ("policy messages.messages_user_access", "policy-writes-less", "dropped"),
        ],
    ),
    (
        "hugo",
        "ALTER POLICY messages_user_access ON messages TO anon",
        [
            ("policy messages.messages_user_access", "policy-reads-otherwise", "roles: ['authenticated'] -> ['anon']"),
            ("policy messages.messages_user_access", "policy-writes-otherwise", "roles: ['authenticated'] -> ['anon']"),
        ],
    ),
    # Grants
    ("hugo", "GRANT SELECT ON messages TO anon", [("table messages", "granted", "SELECT to anon")]),
    (
        "hugo",
        "GRANT UPDATE (role) ON messages TO anon",
        [("table messages", "granted", "UPDATE (role) to anon")],
    ),
    (
        "hugo",
        "REVOKE SELECT, DELETE ON messages FROM authenticated",
        [
            ("table messages", "write-revoked", "DELETE from authenticated"),
            ("table messages", "select-revoked", "SELECT from authenticated"),
        ],
    ),
    (
        "chatvrm",
        "REVOKE SELECT ON published_models FROM anon",
        [("view published_models", "select-revoked", "SELECT from anon")],
    ),
    (
        "hugo",
        "REVOKE USAGE ON SCHEMA hugo FROM anon",
        [("schema", "schema-usage-revoked", "USAGE from anon")],
    ),
    # Functions
    (
        "hugo",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1",
        [("function mine()", "function-added", "added")],
    ),
    (
        "hugo",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql RETURN 1; REVOKE ALL ON FUNCTION mine() FROM PUBLIC",
        [("function mine()", "function-internal", "added")],
    ),
    (
        "hugo",
        "DROP FUNCTION conversation_title CASCADE",
        [("function conversation_title(p_content text)", "function-internal", "dropped")],
    ),
    (
        "hugo",
        "DROP FUNCTION get_user_context",
        [("function get_user_context(p_user_id uuid, p_app_id text)", "function-dropped", "dropped")],
    ),
    (
        "hugo",
        "CREATE FUNCTION get_user_context(p_user_id text) RETURNS int LANGUAGE sql RETURN 1",
        [("function get_user_context(p_user_id text)", "function-ambiguous", "added")],
    ),
    (
        "hugo",
        "REVOKE EXECUTE ON FUNCTION get_user_context FROM authenticated",
        [("function get_user_context(p_user_id uuid, p_app_id text)", "execute-revoked", "EXECUTE from authentic")],
    ),
    (
        "hugo",
        "ALTER FUNCTION get_user_context VOLATILE",
        [("function get_user_context(p_user_id uuid, p_app_id text)", "volatility-weaker", "stable -> volatile")],
    ),
    (
        "hugo",
        "ALTER FUNCTION get_user_context IMMUTABLE",
        [("function get_user_context(p_user_id uuid, p_app_id text)", "volatility-stronger", "stable -> immutable")],
    ),
    (
        "hugo",
        "ALTER FUNCTION get_user_context SECURITY DEFINER",
        [("function get_user_context(p_user_id uuid, p_app_id text)", "security-changed", "invoker -> definer")],
    ),
    (
        "hugo",
        "ALTER FUNCTION get_user_context STRICT",
        [("function get_user_context(p_user_id uuid, p_app_id text)", "strictness-changed", "None -> True")],
    ),
    (
        "hugo",
        "DROP FUNCTION prepare_statements; CREATE FUNCTION prepare_statements() RETURNS void LANGUAGE sql AS ''",
        [
            ("prepared statement get_chat_context", "prepared-statement-dropped", "dropped"),
            ("prepared statement search_knowledge", "prepared-statement-dropped", "dropped"),
        ],
    ),
    # Jobs
    ("hugo", "DELETE FROM jobs WHERE name = 'decay-memories'", [("job decay-memories", "job-changed", "dropped")]),
]  # fmt: skip


@pytest.mark.parametrize(("system", "done", "expected"), CASES, ids=[done for _, done, _ in CASES])
def test_a_change_is_told_by_its_rule(
    conn: psycopg.Connection[Any], system: str, done: str, expected: list[tuple[str, str, str]]
) -> None:
    conn.execute(f"SET LOCAL search_path = {system}, platform, extensions".encode())
    conn.execute(done.encode())
    found = changes.changes(ours(system), document.contract_of(conn, system, system))
    # The replaced prepare_statements() of one case is open to all, and no comment of it is left.
    told = [one for one in found if "prepare_statements" not in one.thing]
    assert [(one.thing, one.rule) for one in told] == [(thing, rule) for thing, rule, _ in expected]
    for one, (_, _, how) in zip(told, expected, strict=True):
        assert one.how.startswith(how)


F = "functions", "search_knowledge(p_query text, p_app_id text, p_limit integer)"
T = "tables", "messages"
C = (*T, "columns", "model")
K = (*T, "constraints", "messages_role_check")

# Pairs of what a contract says at one place, and the rules by which they differ; `None` is nothing at all.
EDITS: list[tuple[tuple[str, ...], Any, Any, list[str]]] = [
    ((*C, "type"), "character varying(10)", "character varying(9)", ["type-narrower"]),
    ((*C, "type"), "character varying(10)", "character varying", ["type-wider"]),
    ((*C, "type"), "character varying(10)", "text", ["type-wider"]),
    ((*C, "type"), "numeric(5,2)", "numeric(6,2)", ["type-wider"]),
    ((*C, "type"), "numeric(5,2)", "numeric(5,3)", ["type-changed"]),
    ((*C, "type"), "numeric", "bigint", ["type-narrower"]),
    ((*C, "type"), "uuid", "text", ["type-changed"]),
    ((*C, "identity"), None, "by default", ["identity-relaxed"]),
    ((*C, "identity"), "always", "by default", ["identity-relaxed"]),
    ((*C, "generated"), "a", "b", ["generated-changed"]),
    ((*K, "validated"), False, None, ["constraint-validated"]),
    ((*K, "comment"), "a", "b", ["comment-changed"]),
    ((*T, "partition_by"), None, "RANGE (created_at)", ["partitioning-changed"]),
    ((*T, "triggers", "messages_fill", "raises"), ["a_check"], ["b_check"], ["trigger-dropped", "trigger-added"]),
    (("types", "mood"), {"labels": ["a"]}, None, ["type-dropped"]),
    (("types", "mood"), {"labels": ["a", "b"]}, {"labels": ["a"]}, ["label-dropped"]),
    (("types", "mood"), {"labels": ["a", "b"]}, {"labels": ["b", "c", "a"]}, ["label-added", "labels-reordered"]),
    (("types", "mood"), {"type": "text"}, {"type": "integer"}, ["type-changed"]),
    ((*F, "result"), "SETOF a", "SETOF b", ["result-changed"]),
    ((*F, "kind"), None, "procedure", ["kind-changed"]),
    ((*F, "raises"), ["a_check"], [], ["refusal-dropped"]),
    ((*F, "raises"), ["a_check"], ["a_check", "b_check"], ["refusal-added"]),
    ((*F, "arguments"), "a text", "a text, b integer", ["parameter-changed"]),
    ((*F, "arguments"), "a text", "a text, b text DEFAULT 'x, (y'::text, c integer DEFAULT 1", ["parameter-added"] * 2),
    ((*F, "arguments"), "a text, b integer", "a text", ["parameter-changed"]),
    ((*F, "arguments"), "a text", "b text", ["parameter-changed"]),
    ((*F, "arguments"), "a text", "a uuid", ["parameter-changed"]),
    ((*F, "arguments"), "a text", "a text DEFAULT ''::text", ["parameter-default-added"]),
    ((*F, "arguments"), "a text DEFAULT ''::text", "a text", ["parameter-default-changed"]),
    ((*F, "arguments"), "a integer DEFAULT 1", "a integer DEFAULT 2", ["parameter-default-changed"]),
    (("prepared_statements", "search_knowledge", "statement"), "a", "b", ["prepared-statement-changed"]),
    (("prepared_statements", "mine"), None, {}, ["prepared-statement-added"]),
    # CHECKs, as the server writes them out
    ((*K, "definition"), "CHECK ((a > 0))", "CHECK (((a > 0) AND (b > 0)))", ["check-tighter"]),
    ((*K, "definition"), "CHECK (((a > 0) AND (b > 0)))", "CHECK ((b > 0))", ["check-looser"]),
    ((*K, "definition"), "CHECK (((a > 0) AND (b > 0)))", "CHECK (((b > 0) AND (a > 0)))", ["check-rewritten"]),
    ((*K, "definition"), "CHECK (((a > 0) AND (b > 0)))", "CHECK (((a > 0) AND (c > 0)))", ["check-changed"]),
    ((*K, "definition"), "CHECK ((a > 0))", "CHECK ((a > 1))", ["check-tighter"]),
    ((*K, "definition"), "CHECK ((a >= '-5'::integer))", "CHECK ((a >= '-6'::integer))", ["check-looser"]),
    ((*K, "definition"), "CHECK ((length(a) <= 100))", "CHECK ((length(a) <= 99))", ["check-tighter"]),
    ((*K, "definition"), "CHECK ((length(a) <= 100))", "CHECK ((length(a) < 100))", ["check-changed"]),
    (
        (*K, "definition"),
        "CHECK (((a >= 0.0) AND (a <= (1)::double precision)))",
        "CHECK (((a >= 0.5) AND (a <= (2)::double precision)))",
        ["check-changed"],
    ),
    ((*K, "definition"), "CHECK (((a IS NULL) OR (a > 0)))", "CHECK (((a IS NULL) OR (a > 9)))", ["check-tighter"]),
    ((*K, "definition"), "CHECK ((a > 0))", "CHECK (((a IS NULL) OR (a > 0)))", ["check-looser"]),
    ((*K, "definition"), "CHECK (((a IS NULL) OR (a > 0)))", "CHECK ((a > 0))", ["check-tighter"]),
    ((*K, "definition"), "CHECK ((NOT (a > 0)))", "CHECK ((NOT (a > 1)))", ["check-changed"]),
    ((*K, "definition"), "CHECK (((a > 0) = (b > 0)))", "CHECK (((a > 0) = (b > 1)))", ["check-changed"]),
    (
        (*K, "definition"),
        "CHECK (((a)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[])))",
        "CHECK (((a)::text = ANY ((ARRAY['y'::character varying])::text[])))",
        ["check-tighter"],
    ),
    (
        (*K, "definition"),
        "CHECK ((a = ANY (ARRAY['x'::text, 'it''s, AND (b'::text])))",
        "CHECK ((a = ANY (ARRAY['it''s, AND (b'::text, 'x'::text, 'z'::text])))",
        ["check-looser"],
    ),
    ((*K, "definition"), "CHECK ((a = ANY (ARRAY[1, 2])))", "CHECK ((a = ANY (ARRAY[2, 3])))", ["check-changed"]),
    (
        (*K, "definition"),
        "CHECK (CASE\n    WHEN (a IS NULL) THEN true\n    ELSE (a = ANY (ARRAY[0, 1]))\nEND)",
        "CHECK (CASE\n    WHEN (a IS NULL) THEN true\n    ELSE (a = ANY (ARRAY[0]))\nEND)",
        ["check-changed"],
    ),
    ((*K, "definition"), "CHECK ((a <> ALL (ARRAY[1])))", "CHECK ((a <> ALL (ARRAY[1, 2])))", ["check-changed"]),
]  # fmt: skip


def edited(place: tuple[str, ...], value: Any) -> Contract:
    """Return Hugo's contract with another value at one place."""
    contract = ours("hugo")
    inner = contract
    for key in place[:-1]:
        inner = inner[key]
    if value is None:
        inner.pop(place[-1], None)
    else:
        inner[place[-1]] = value
    return contract


@pytest.mark.parametrize(("place", "was", "now", "rules"), EDITS)
def test_a_change_that_is_hard_to_make_is_told_as_well(
    place: tuple[str, ...], was: Any, now: Any, rules: list[str]
) -> None:
    assert [one.rule for one in changes.changes(edited(place, was), edited(place, now))] == rules
    assert changes.changes(edited(place, was), edited(place, was)) == []


number = st.integers(-2, 3)
column = st.sampled_from("ab")
atom = st.one_of(
    st.builds("{} {} {}".format, column, st.sampled_from(["<", "<=", ">", ">=", "=", "<>"]), number),
    st.builds("{} {} ({}, {})".format, column, st.sampled_from(["IN", "NOT IN"]), number, number),
    st.builds("{} IS {}".format, column, st.sampled_from(["NULL", "NOT NULL"])),
    st.builds("ARRAY[a, b] {} ARRAY[{}, {}]".format, st.sampled_from(["<@", "@>", "&&"]), number, number),
)
condition = st.recursive(
    atom,
    lambda inner: st.one_of(
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["AND", "AND", "OR", "="]), inner),
        st.builds("NOT ({})".format, inner),
        st.builds("CASE WHEN {} THEN {} ELSE {} END".format, inner, inner, inner),
    ),
    max_leaves=4,
)


@st.composite
def conditions(draw: st.DrawFn) -> tuple[str, str]:
    """Two conditions, often alike: an arm more or less, another number, or altogether others."""
    one = draw(condition)
    change = draw(st.sampled_from(["another", "arm", "choice", "number", "number", "number"]))
    if change == "another":
        return one, draw(condition)
    if change in ("arm", "choice"):
        return one, f"({one}) {'AND' if change == 'arm' else 'OR'} ({draw(condition)})"
    numbers = [*re.finditer(r"-?\d", one)] or [re.match("", one)]
    place = draw(st.sampled_from(numbers))
    return one, f"{one[: place.start()]}{draw(number) if place[0] else ''}{one[place.end() :]}"


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pair=conditions())
def test_a_tighter_check_takes_no_row_that_was_refused(conn: psycopg.Connection[Any], pair: tuple[str, str]) -> None:
    """Nor does a looser one refuse a row that was taken: shown on all rows of a small world."""
    definitions, taken = [], []
    for one in pair:
        with conn.transaction(force_rollback=True):
            conn.execute(f"CREATE TEMPORARY TABLE t (a integer, b integer, CONSTRAINT c CHECK ({one}))".encode())
            found = conn.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'c'").fetchone()
            world = "unnest(ARRAY[NULL, -3, -2, -1, 0, 1, 2, 3, 4])"
            rows = conn.execute(f"SELECT a, b FROM {world} AS a, {world} AS b WHERE ({one}) IS NOT FALSE".encode())
            taken.append({*rows.fetchall()})
        assert found is not None
        definitions.append(found[0])
    told = [one.rule for one in changes.changes(*(edited((*K, "definition"), one) for one in definitions))]
    before, after = taken
    if told == ["check-tighter"]:
        assert after <= before
    elif told == ["check-looser"]:
        assert after >= before
    elif told in ([], ["check-rewritten"]):
        assert after == before
    else:
        assert told == ["check-changed"]


def test_a_function_that_nobody_may_call_breaks_nobody() -> None:
    key = "conversation_title(p_content text)"
    (told,) = changes.changes(ours("hugo"), edited(("functions", key, "result"), "integer"))
    assert (told.rule, told.breaks) == ("function-internal", ())


def test_a_signature_in_the_place_of_another_is_one_change() -> None:
    now = ours("hugo")
    said = now["functions"].pop(F[1])
    arguments = said["arguments"] + ", p_offset integer DEFAULT 0"
    now["functions"]["search_knowledge(p_query text, p_app_id text, p_limit integer, p_offset integer)"] = {
        **said, "arguments": arguments
    }  # fmt: skip
    (told,) = changes.changes(ours("hugo"), now)
    assert (told.rule, told.breaks) == ("parameter-added", ())


def test_a_system_may_come_and_go() -> None:
    both = {"hugo": ours("hugo"), "othello": ours("othello")}
    one = {"hugo": both["hugo"]}
    assert [told.rule for told in changes.changes_of_all(both, one)["othello"]] == ["system-dropped"]
    assert [told.rule for told in changes.changes_of_all(one, both)["othello"]] == ["system-added"]


def test_each_rule_is_shown_and_explained() -> None:
    """In the cases above, and in docs/contract.md, which also says whom it breaks, and why if it does."""
    shown = {rule for _, _, expected in CASES for _, rule, _ in expected} | {
        rule for *_, some in EDITS for rule in some
    }
    shown |= {"system-added", "system-dropped"}
    assert shown == {*changes.BREAKS, *changes.HARMLESS}
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+?) \|(.*)\|$", (ROOT / "docs" / "contract.md").read_text(), re.M)
    assert {rule: whom for rule, whom, _ in rows} == {
        **{rule: ", ".join(whom) for rule, whom in changes.BREAKS.items()},
        **dict.fromkeys(changes.HARMLESS, "nobody"),
    }
    assert [rule for rule, whom, why in rows if whom != "nobody" and not why.strip()] == []


# The command


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """Two contracts: in the second a column is missing, and a comment is another."""
    old, new = tmp_path / "old" / "hugo.json", tmp_path / "new" / "hugo.json"
    for path in (old, new):
        path.parent.mkdir()
    contract = ours("hugo")
    old.write_text(document.write(contract))
    del contract["tables"]["messages"]["columns"]["model"]
    contract["tables"]["apps"]["comment"] = "Apps."
    new.write_text(document.write(contract))
    return old, new


def test_a_difference_is_printed_and_a_breaking_one_exits_with_3(pair: tuple[Path, Path]) -> None:
    old, new = map(str, pair)
    assert run("contract", "diff", old, old)[:2] == (0, "no change\n")
    code, out, _ = run("contract", "diff", old, new)
    assert (code, out.splitlines()) == (
        3,
        [
            "breaks readers, writers: hugo: column messages.model: column-dropped",
            "compatible: hugo: table apps: comment-changed",
            "1 breaking, 1 compatible",
        ],
    )
    assert run("contract", "diff", old, new, "--for", "callers")[0] == 0
    assert run("contract", "diff", old, new, "--for", "callers", "--for", "readers")[0] == 3
    assert run("contract", "diff", new, old)[0] == 0
    folders = run("contract", "diff", str(pair[0].parent), str(pair[1].parent), "--json")
    assert folders[0] == 3
    assert json.loads(folders[1])["systems"]["hugo"][1] == {
        "thing": "column messages.model", "rule": "column-dropped", "how": "dropped", "breaks": ["readers", "writers"]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("\xff", "is not JSON"),
        ("[]", "is not a contract of format 1"),
        ('{"format": 2, "system": "hugo"}', "is not a contract of format 1"),
        ('{"format": 1, "system": "hugo", "tables": []}', "tables does not give objects by name"),
        ('{"format": 1, "system": "hugo", "tables": {"apps": 1}}', "tables.apps is not an object"),
        ('{"format": 1, "system": "hugo", "tables": {"apps": {"columns": {"id": {}}}}}', "does not say its type"),
        ('{"format": 1, "system": "hugo", "functions": {"f()": {}}}', "functions.f() does not say its arguments"),
    ],
)  # fmt: skip
def test_what_is_no_contract_is_refused(pair: tuple[Path, Path], text: str, said: str) -> None:
    pair[1].write_bytes(text.encode("latin-1"))
    code, _, err = run("contract", "diff", str(pair[0]), str(pair[1]))
    assert (code, said in err) == (2, True), err


def test_two_contracts_of_one_system_or_none_are_refused(pair: tuple[Path, Path], tmp_path: Path) -> None:
    (pair[0].parent / "copy.json").write_text(pair[0].read_text())
    assert "two contracts of hugo" in run("contract", "diff", str(pair[0].parent), str(pair[1]))[2]
    (tmp_path / "none").mkdir()
    assert "holds no contract" in run("contract", "diff", str(tmp_path / "none"), str(pair[1]))[2]


# Checking a database


@pytest.fixture
def schema() -> str:
    return "hugo_acme"


@pytest.fixture
def stranger(installed: str, owner: Any) -> Iterator[str]:
    """The address for a role that may do nothing but connect."""
    owner.run("CREATE ROLE stranger_of_contracts LOGIN")
    yield make_conninfo(installed, user="stranger_of_contracts")
    owner.run("DROP ROLE stranger_of_contracts")


def test_a_database_keeps_its_contract_whoever_asks(installed: str, stranger: str) -> None:
    for url in (installed, stranger):
        (found,) = check(Target(url, ["hugo"], "hugo_acme"))
        assert (found.system, found.schema, found.broken) == ("hugo", "hugo_acme", [])


def test_a_pooler_in_between_is_no_matter(installed: str) -> None:
    with Pooler(installed, shared=True, size=2, fifo=True) as shared:
        for _ in range(3):
            assert check(Target(shared.address, ["hugo"], "hugo_acme"))[0].broken == []
        with psycopg.connect(shared.address, autocommit=True, prepare_threshold=None) as conn:
            left = "SELECT count(*) FROM pg_prepared_statements WHERE from_sql"
            assert [conn.execute(left).fetchone() for _ in range(2)] == [(0,), (0,)]


def test_what_is_missing_is_told_in_one_line(installed: str, owner: Any, pair: tuple[Path, Path]) -> None:
    arguments = ("contract", "check", "hugo", "--schema", "hugo_acme")
    assert run(*arguments)[:2] == (0, "hugo in hugo_acme: kept\n")
    owner.run("ALTER TABLE messages DROP COLUMN model CASCADE")
    code, out, _ = run(*arguments)
    assert (code, out.count("\n")) == (3, 1)
    assert out.startswith("hugo in hugo_acme: not kept: column messages.model: column-dropped")
    assert run(*arguments, "--contract", str(pair[1]), "--for", "readers")[0] == 0
    owner.run("DROP TABLE job_runs, jobs, archived_messages, archived_conversations, knowledge_sync_queue CASCADE")
    code, out, _ = run(*arguments)
    assert (code, out.count("\n")) == (3, 1)
    assert re.search(r"; and \d+ more \(--json lists them\)$", out)
    code, out, _ = run(*arguments, "--json")
    assert code == 3
    assert {"table job_runs", "column messages.model"} <= {
        one["thing"] for one in json.loads(out)["systems"][0]["broken"]
    }


def test_a_part_of_a_contract_is_kept_for_itself(installed: str, owner: Any, tmp_path: Path) -> None:
    """A consumer pins what it uses; what else happens does not concern it."""
    pinned = tmp_path / "pinned.json"
    part = {"apps": ours("hugo")["tables"]["apps"]}
    pinned.write_text(json.dumps({"format": 1, "system": "hugo", "tables": part}))
    owner.run("DROP TABLE job_runs")
    assert check(Target(installed, schema="hugo_acme"), contract=pinned)[0].broken == []
    owner.run("ALTER TABLE apps ALTER icon_url TYPE varchar(9)")
    (told,) = check(Target(installed, schema="hugo_acme"), contract=pinned)[0].broken
    assert (told.thing, told.rule) == ("column apps.icon_url", "type-narrower")


def test_without_names_each_system_that_is_there_is_checked(installed: str) -> None:
    assert run("contract", "check")[:2] == (0, "platform: kept\n")


def test_it_needs_no_history(installed: str, owner: Any) -> None:
    owner.run("DROP TABLE _companion_ledger")
    assert check(Target(installed, ["hugo"], "hugo_acme"))[0].broken == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["dragon"], "there is no contract of dragon"),
        (["hugo"], "there is nothing in schema hugo of this database"),
        (["--schema", "hugo_acme"], "--schema needs exactly one system"),
    ],
)
def test_what_cannot_be_checked_is_refused(installed: str, arguments: list[str], said: str) -> None:
    code, _, err = run("contract", "check", *arguments)
    assert (code, said in err) == (2, True), err


# Writing one


def test_a_database_gives_its_contract(installed: str, tmp_path: Path) -> None:
    code, out, _ = run("contract", "export", "hugo")
    assert (code, out) == (0, (FOLDER / "hugo.json").read_text())
    code, out, _ = run("contract", "export", "--output", str(tmp_path))
    assert (code, out) == (0, f"{tmp_path}/platform.json: written\n{tmp_path}/hugo.json: written\n")
    code, out, _ = run("contract", "export", "hugo", "--output", str(tmp_path))
    assert (code, out) == (0, f"{tmp_path}/hugo.json: unchanged\n")
    assert (tmp_path / "hugo.json").read_text() == (FOLDER / "hugo.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "there are 2 contracts; name one system"),
        (["aurum"], "aurum is not installed"),
        (["--from-files", "--schema", "hugo_acme"], "--from-files goes with neither"),
    ],
)
def test_what_cannot_be_written_is_refused(installed: str, arguments: list[str], said: str) -> None:
    code, _, err = run("contract", "export", *arguments)
    assert (code, said in err) == (2, True), err


def test_who_may_not_see_all_of_it_writes_none(installed: str, owner: Any) -> None:
    owner.run("CREATE ROLE reader_of_contracts LOGIN BYPASSRLS IN ROLE pg_read_all_data")
    try:
        with pytest.raises(UsageError, match=r"may not call prepare_statements\(\) of hugo"):
            export.installed(Target(make_conninfo(installed, user="reader_of_contracts"), ["hugo"]))
    finally:
        owner.run("DROP ROLE reader_of_contracts")


def test_of_several_instances_that_of_the_systems_own_name_is_meant(installed: str) -> None:
    apply(Target(installed, ["hugo"], "hugo_b"), to="0001")
    with pytest.raises(UsageError, match="hugo is installed in hugo_acme and hugo_b"):
        export.installed(Target(installed, ["hugo"]))
    assert len(export.installed(Target(installed, ["hugo"], "hugo_b"))["hugo"]["tables"]) == 1
    apply(Target(installed, ["hugo"], "hugo"), to="0002")
    assert len(export.installed(Target(installed, ["hugo"]))["hugo"]["tables"]) == 2


def test_the_files_make_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """On the embedded server, in a scratch database that is gone afterwards."""
    monkeypatch.setenv("COMPANION_HOME", str(make_folder("contracts")))
    try:
        code, out, _ = run("contract", "export", "platform", "--from-files")
        left = "SELECT datname FROM pg_database WHERE datname LIKE 'companion_scratch%'"
        with psycopg.connect(embedded.require_url()) as conn:
            assert conn.execute(left).fetchall() == []
    finally:
        embedded.stop()
    assert (code, out) == (0, (FOLDER / "platform.json").read_text())
