"""What belongs to one person stays closed to another, who knows every id and tries everything.

Ann is the one who tries, Bob the one who is to notice nothing. Every attempt is made twice, at what Bob has and at what
does not exist at all; Ann must not be able to tell the two apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import psycopg
import pytest

from tests.othello.world import User, World, begin, propose, say, schedule, sign_up, validate
from tests.people import Person, insert

# Tables of which each row belongs to one person, with the columns that say which row it is, and to whom or to what it
# belongs.
OWNED = {
    "users": ["id"],
    "consent_tiers": ["id", "user_id"],
    "conversations": ["id", "user_id"],
    "messages": ["id", "user_id", "conversation_id"],
    "psychological_profiles": ["id", "user_id"],
    "agent_activities": ["id", "user_id"],
    "consent_logs": ["id", "user_id", "agent_activity_id", "consent_tier_id"],
    "interventions": ["id", "user_id", "agent_activity_id"],
    "ethical_validations": ["id", "user_id", "message_id", "agent_activity_id"],
    "user_preferences": ["id", "user_id"],
    "session_logs": ["id", "user_id"],
    "archived_conversations": ["id", "user_id"],
    "archived_messages": ["id", "user_id", "conversation_id"],
    "archived_ethical_validations": ["id", "user_id", "message_id", "agent_activity_id"],
}
# What users read in the place of a table with secrets.
VIEWS = {"users_public": ["id"], "session_logs_public": ["id", "user_id"]}
# Tables that users read and only the service writes, and one that they have nothing to do with.
SHARED = ["consent_scopes", "timezones"]
CLOSED = ["job_runs", "jobs"]

# The columns, beside the keys, without which there is no row.
NEEDED = {
    "users": {"email": "'new@example.org'", "password_hash": "repeat('x', 60)"},
    "consent_tiers": {"scope": "'health'", "is_active": "FALSE"},
    "messages": {"role": "'user'", "content": "'Mine'"},
    "agent_activities": {"agent_name": "'Mine'", "activity_type": "'suggestion'", "title": "'Mine'"},
    "consent_logs": {"action": "'approved'"},
    "interventions": {"category": "'other'", "title": "'Mine'", "message": "'Mine'", "scheduled_for": "now()"},
    "ethical_validations": {"result": "'passed'"},
    "user_preferences": {"preference_key": "'mine'"},
    "session_logs": {"session_token": "repeat('a', 64)"},
    "users_public": {"email": "'new@example.org'"},
    "session_logs_public": {"user_agent": "'Mine'"},
    "archived_conversations": {"is_archived": "FALSE", "created_at": "now()", "updated_at": "now()"},
    "archived_messages": {"role": "'user'", "content": "'Mine'", "created_at": "now()", "updated_at": "now()"},
    "archived_ethical_validations": {
        "validator": "'Mine'",
        "result": "'passed'",
        "override_allowed": "FALSE",
        "overridden_by_user": "FALSE",
        "created_at": "now()",
    },
}
# Keys that rows have beside their id; Bob's row has these values.
NATURAL = {
    "users": ("(email)", {"email": "'bob@example.org'"}),
    "consent_tiers": ("(user_id, scope) WHERE is_active", {"scope": "'health'", "is_active": "TRUE"}),
    "conversations": ("(user_id, id)", {}),
    "messages": ("(user_id, id)", {}),
    "psychological_profiles": ("(user_id)", {}),
    "agent_activities": ("(user_id, id)", {}),
    "user_preferences": ("(user_id, preference_key)", {"preference_key": "'theme'"}),
    "session_logs": ("(session_token)", {"session_token": "repeat('b', 64)"}),
}
# Where users may add rows of their own, and what they may change in them (interventions are added for them).
WRITABLE = {
    "consent_tiers": ("settings_data", '{"mine": true}'),
    "conversations": ("title", "Mine"),
    "messages": ("content", "Mine"),
    "psychological_profiles": ("aspirations", '{"mine": true}'),
    "user_preferences": ("preference_value", "Mine"),
}
CHANGEABLE = {**WRITABLE, "interventions": ("user_feedback", "Mine")}
REMOVABLE = {"consent_tiers", "psychological_profiles", "user_preferences"}

# Ids that say by themselves whose they are: in any row or message they are found again.
BOBS_ID = 9_100_000_000
NOBODYS_ID = 9_200_000_000
OF_BOB = r"91000\d{5}"
TELLING_ID = re.compile(r"\b9[12]000\d{5}\b")

# By what an attempt may be refused: anything else would be a mistake in the statement.
REFUSALS = {"42501", "23503", "23505", "23514", "P0002", "22023"}


def ids_from(first: int) -> dict[str, int]:
    """Return one id for each table, the archive's the least: validations have ids in the order of their making."""
    return {table: first + number for number, table in enumerate(reversed(OWNED))}


def everything_of(db: Person, user: User, ids: dict[str, int] | None = None) -> dict[str, int]:
    """Give a user a row in every table, under the ids given, if any; return the ids."""

    def own(table: str) -> dict[str, Any]:
        return {"id": ids[table]} if ids else {}

    def archived(table: str) -> int:
        # What is in the archive was once in the table itself.
        return ids[table] if ids else db.value("SELECT nextval(%s)", [f"{table.removeprefix('archived_')}_id_seq"])

    db.run("UPDATE consent_tiers SET is_active = FALSE WHERE user_id = %s AND scope = 'health'", [user.id])
    values = {
        "scope": "health",
        "tier_level": "autonomous",
        "settings_data": '{"a": "Private"}',
        **own("consent_tiers"),
    }
    tier = insert(db, "consent_tiers", user_id=user.id, **values)
    conversation = begin(db, user, title="Private", **own("conversations"))
    message = say(db, conversation, "Private", **own("messages"))
    activity = propose(db, user, title="Private", **own("agent_activities"))
    past = dict.fromkeys(("created_at", "updated_at"), "2020-01-01")
    old_conversation, old_message, old_validation = (
        archived(table) for table in ("archived_conversations", "archived_messages", "archived_ethical_validations")
    )
    rest = {"metadata": '{"a": "Private"}', "is_archived": False, **past}
    insert(db, "archived_conversations", id=old_conversation, user_id=user.id, title="Private", **rest)
    rest = {"role": "user", "content": "Private", **past}
    parents = {"user_id": user.id, "conversation_id": old_conversation}
    insert(db, "archived_messages", id=old_message, **parents, **rest)
    rest = {"validator": "Othello", "result": "blocked", "reasoning": "Private", "created_at": "2020-01-01"}
    parents = {"user_id": user.id, "message_id": old_message, "agent_activity_id": activity}
    allowed = {"override_allowed": True, "overridden_by_user": False}
    insert(db, "archived_ethical_validations", id=old_validation, **parents, **rest, **allowed)
    parents = {"agent_activity_id": activity, "consent_tier_id": tier}
    log = insert(
        db, "consent_logs", user_id=user.id, action="deferred", reason="Private", **parents, **own("consent_logs")
    )
    parents = {"agent_activity_id": activity, "message_id": message}
    settings = {"preference_key": "theme", "preference_value": "Private", **own("user_preferences")}
    session = {"session_token": ("b" if ids else "c") * 64, "user_agent": "Private", "ip_address": "10.0.0.1"}
    return {
        "users": user.id,
        "consent_tiers": tier,
        "conversations": conversation,
        "messages": message,
        "psychological_profiles": insert(
            db,
            "psychological_profiles",
            user_id=user.id,
            aspirations='{"a": "Private"}',
            **own("psychological_profiles"),
        ),
        "agent_activities": activity,
        "consent_logs": log,
        "interventions": schedule(
            db,
            user,
            agent_activity_id=activity,
            status="delivered",
            user_feedback="Private",
            **own("interventions"),
        ),
        "ethical_validations": validate(
            db, user, override_allowed=True, reasoning="Private", **parents, **own("ethical_validations")
        ),
        "user_preferences": insert(db, "user_preferences", user_id=user.id, **settings),
        "session_logs": insert(db, "session_logs", user_id=user.id, **session, **own("session_logs")),
        "archived_conversations": old_conversation,
        "archived_messages": old_message,
        "archived_ethical_validations": old_validation,
    }


def contents_of(db: Person, user: int, pattern: str) -> list[tuple[str, ...]]:
    """Return all rows, with their places and marks, that hold an id of this pattern anywhere, or belong to the user."""
    one = "SELECT '{0}', t.ctid::text, t.xmin::text, t.xmax::text, t::text AS row FROM {0} AS t WHERE {1}"
    sql = " UNION ALL ".join(
        one.format(table, rf"t::text ~ '\y{pattern}\y'" + (" OR t.user_id = %(user)s" if table != "users" else ""))
        for table in OWNED
    )
    return sorted(tuple(row) for row in db.rows(sql, {"user": user}))


@pytest.fixture
def anns(db: Person, world: World) -> dict[str, int]:
    return everything_of(db, world.ann)


@pytest.fixture
def bobs(db: Person, world: World) -> Iterator[dict[str, int]]:
    """What Bob has; afterwards all of it must be as it was, byte for byte, not even locked, and nothing be added."""
    # With an id of the same kind as the ids of his rows.
    db.run("DELETE FROM users WHERE id = %s", [world.bob.id])
    ids = ids_from(BOBS_ID)
    bob = sign_up(db, "bob", id=ids["users"], username="bob", full_name="Private")
    assert everything_of(db, bob, ids) == ids
    before = contents_of(db, bob.id, OF_BOB)
    assert {row[0] for row in before} == {*OWNED}
    yield ids
    assert contents_of(db, bob.id, OF_BOB) == before


def targets(table: str, ids: dict[str, int]) -> dict[str, int]:
    """Return the values of a table's keys among somebody's ids."""
    archive = "archived_" if table.startswith("archived_") else ""
    return {
        "id": ids[table.removesuffix("_public")],
        "user_id": ids["users"],
        "conversation_id": ids[f"{archive}conversations"],
        "message_id": ids[f"{archive}messages"],
        "agent_activity_id": ids["agent_activities"],
        "consent_tier_id": ids["consent_tiers"],
    }


def reads(table: str) -> Iterator[str]:
    """Yield what reads rows, by each key."""
    for key in {**OWNED, **VIEWS}[table]:
        there = f"FROM {table} AS t WHERE t.{key} = %({key})s"
        yield f"SELECT * {there}"
        yield f"SELECT t::text {there}"
        yield f"SELECT count(*) {there}"
        yield f"SELECT exists(SELECT 1 {there})"
        # An error made of a row that one may not see would tell that it is there.
        yield f"SELECT 1 / (t.{key} <> %({key})s)::integer {there}"
        yield f"SELECT * {there} AND 1 / (t.{key} <> %({key})s)::integer = 1"
        for lock in ("UPDATE", "NO KEY UPDATE", "SHARE", "KEY SHARE"):
            yield f"SELECT * {there} FOR {lock} NOWAIT"
        yield f"SELECT o.* FROM conversations AS o, {table} AS t WHERE t.{key} = %({key})s"
        yield f"WITH w AS MATERIALIZED (SELECT * {there}) SELECT * FROM w"


def changes(table: str) -> Iterator[str]:
    """Yield what changes or removes rows of another, or moves one's own to another."""
    keys = {**OWNED, **VIEWS}[table]
    for key in keys:
        there = f"WHERE {key} = %({key})s"
        yield f"UPDATE {table} SET {key} = {key} {there} RETURNING *"
        yield f"DELETE FROM {table} {there} RETURNING *"
        yield f"DELETE FROM {table} USING conversations AS c WHERE {table}.{key} = %({key})s"
        if table in CHANGEABLE:
            yield f"UPDATE {table} SET {CHANGEABLE[table][0]} = NULL {there}"
        for moved in keys:
            yield f"UPDATE {table} SET {moved} = %(my_{moved})s {there}"
        yield f"UPDATE {table} SET {key} = %({key})s"
        yield f"UPDATE {table} SET {key} = %({key})s WHERE id = %(my_id)s RETURNING *"
    together = ", ".join(f"{key} = %({key})s" for key in keys)
    yield f"UPDATE {table} SET {together} WHERE id = %(my_id)s"


def additions(table: str) -> Iterator[str]:
    """Yield what adds or sends rows with a key of another somewhere, whatever is to happen on conflict."""
    keys = {**OWNED, **VIEWS}[table]
    filled_in = {"id", "user_id"} if table in WRITABLE else set()
    for choice in product(*(("mine", "theirs", *(["left out"] if key in filled_in else [])) for key in keys)):
        # Where nobody may add a row, one key or all of them is enough.
        if "theirs" not in choice or (table not in WRITABLE and choice.count("theirs") not in (1, len(keys))):
            continue
        given = {key: "my_" * (who == "mine") + key for key, who in zip(keys, choice, strict=True) if who != "left out"}
        values = {key: f"%({name})s" for key, name in given.items()} | NEEDED.get(table, {})
        again = ", ".join(f"{key} = excluded.{key}" for key in values)
        conflicts = ["", "ON CONFLICT DO NOTHING", f"ON CONFLICT (id) DO UPDATE SET {again}"]
        # The row's new id is the database's affair, as long as it is not the one that was sent.
        for conflict in conflicts:
            yield f"{inserted(table, values)} {conflict} RETURNING id IN (%(id)s, %(user_id)s)"
        if "id" in given:
            yield inserted(table, values, "OVERRIDING SYSTEM VALUE")
            yield inserted(table, values, "OVERRIDING USER VALUE")
            yield f"{inserted(table, values)} ON CONFLICT (id) DO NOTHING"
            names = ", ".join(values)
            yield (
                f"MERGE INTO {table} AS t USING (SELECT %(id)s::bigint AS sent) AS s ON t.id = s.sent"
                f" WHEN MATCHED THEN UPDATE SET id = t.id"
                f" WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({', '.join(values.values())})"
            )
        if table in NATURAL:
            arbiter, natural = NATURAL[table]
            for action in ("DO NOTHING", f"DO UPDATE SET {again}"):
                yield f"{inserted(table, values | natural)} ON CONFLICT {arbiter} {action}"


def inserted(table: str, values: dict[str, str], overriding: str = "") -> str:
    return f"INSERT INTO {table} ({', '.join(values)}) {overriding} VALUES ({', '.join(values.values())})"


def outcome(db: Person, sql: str, values: dict[str, Any]) -> Any:
    """Run a statement and return all that the caller learns: rows, or all parts of the error, without the ids sent."""
    try:
        with db.conn.transaction():
            cursor = db.conn.execute(sql.encode(), values)
            rows = [tuple(row) for row in cursor.fetchall()] if cursor.description else []
            return cursor.rowcount, TELLING_ID.sub("…", str(rows))
    except psycopg.Error as error:
        diag = error.diag
        said = [
            diag.message_primary, diag.message_detail, diag.message_hint, diag.context, diag.severity,
            diag.constraint_name, diag.table_name, diag.schema_name, diag.column_name, diag.datatype_name,
        ]  # fmt: skip
        return diag.sqlstate, [part and TELLING_ID.sub("…", part) for part in said]


def attempt_all(db: Person, ann: User, statements: list[str], given: dict[str, Any], bob: int) -> list[Any]:
    """Make attempts as Ann, each from the same start; no one of them may have touched anything of Bob's."""
    before = contents_of(db, bob, OF_BOB)
    outcomes = []
    for statement in statements:
        with db.conn.transaction(force_rollback=True):
            with ann.acting(db):
                learned = outcome(db, statement, given)
            # Before PostgreSQL 17 there is no MERGE into a view.
            refusals = REFUSALS | ({"0A000"} if statement.startswith("MERGE") else set())
            assert isinstance(learned[0], int) or learned[0] in refusals, (statement, learned)
            if not isinstance(learned[0], int) or learned[0] > 0:
                assert contents_of(db, bob, OF_BOB) == before, statement
        outcomes.append((statement, learned))
    assert contents_of(db, bob, OF_BOB) == before
    return outcomes


def keys_of(table: str, ids: dict[str, int], mine: dict[str, int]) -> dict[str, int]:
    """Return the values of the statements: the keys of another, and Ann's own."""
    return targets(table, ids) | {f"my_{key}": value for key, value in targets(table, mine).items()}


@pytest.mark.rule("OTH-25", "refuses")
@pytest.mark.rule("OTH-26", "refuses")
@pytest.mark.parametrize("table", {**OWNED, **VIEWS})
def test_a_row_of_another_is_like_one_that_does_not_exist(
    db: Person, world: World, anns: dict[str, int], bobs: dict[str, int], table: str
) -> None:
    statements = list(dict.fromkeys((*reads(table), *changes(table), *additions(table))))
    # Ann's own must not decide what becomes of a row that she sends.
    db.run("DELETE FROM psychological_profiles WHERE user_id = %s", [world.ann.id])
    found, missed = (
        attempt_all(db, world.ann, statements, keys_of(table, ids, anns), bobs["users"])
        for ids in (bobs, ids_from(NOBODYS_ID))
    )
    for existing, missing in zip(found, missed, strict=True):
        assert existing == missing


# Each function that takes an id, with the rows that users may name in it.
CALLS = {
    "effective_tier": "SELECT effective_tier(%(users)s, 'health')",
    "effective_tier of global": "SELECT effective_tier(%(users)s, 'global')",
    "effective_tier of nothing": "SELECT effective_tier(%(users)s, 'nothing')",
    "approval": "SELECT * FROM respond_to_activity(%(agent_activities)s, 'approved', 'Mine')",
    "denial": "SELECT * FROM respond_to_activity(%(agent_activities)s, 'denied')",
    "deferral": "SELECT * FROM respond_to_activity(%(agent_activities)s, 'deferred')",
    "no answer": "SELECT * FROM respond_to_activity(%(agent_activities)s, NULL)",
    "override": "SELECT * FROM override_validation(%(ethical_validations)s, 'Mine')",
    "override without a reason": "SELECT * FROM override_validation(%(ethical_validations)s, NULL)",
    "override in the archive": "SELECT * FROM override_validation(%(archived_ethical_validations)s, 'Mine')",
    "deletion of a user": "SELECT soft_delete_user(%(users)s)",
    "deletion of a conversation": "SELECT soft_delete_conversation(%(conversations)s)",
    "deletion in the archive": "SELECT soft_delete_conversation(%(archived_conversations)s)",
    "traits": "SELECT p.user_id = %(users)s AND p.id = %(psychological_profiles)s FROM merge_traits('{}') AS p",
    "suggestions": "SELECT p FROM pending_suggestions(1000) AS p WHERE p.id = %(agent_activities)s",
}
# Calls that a stranger's ids do not make fail, because they answer with nothing or with what is one's own.
ANSWERED = {"effective_tier", "effective_tier of global", "effective_tier of nothing", "suggestions", "traits"}


@pytest.mark.rule("OTH-26", "refuses")
@pytest.mark.parametrize("call", CALLS)
def test_no_function_says_more_of_another_than_of_nobody(
    db: Person, world: World, anns: dict[str, int], bobs: dict[str, int], call: str
) -> None:
    if call == "traits":
        db.run("DELETE FROM psychological_profiles WHERE user_id = %s", [world.ann.id])
    (_, found), (_, missed) = (
        attempt_all(db, world.ann, [CALLS[call]], ids, bobs["users"])[0] for ids in (bobs, ids_from(NOBODYS_ID))
    )
    assert found == missed
    assert isinstance(found[0], int) == (call in ANSWERED)


@pytest.mark.rule("OTH-25", "accepts")
@pytest.mark.rule("OTH-26", "accepts")
@pytest.mark.parametrize("call", CALLS)
def test_the_functions_are_for_what_is_ones_own(
    db: Person, world: World, anns: dict[str, int], bobs: dict[str, int], call: str
) -> None:
    """Else they would refuse for another reason than whose it is."""
    with world.ann.acting(db):
        learned = outcome(db, CALLS[call], anns)
        if call in ("no answer", "override without a reason", "override in the archive"):
            assert learned[0] in ("22023", "23514")
        elif call == "deletion in the archive":
            assert learned[0] == "P0002"
        else:
            assert learned[0] == 1
            assert ("autonomous" in learned[1]) == (call == "effective_tier")
            assert call != "traits" or "True" in learned[1]


@pytest.mark.rule("OTH-25", "refuses")
@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_what_is_the_services_alone(db: Person, world: World, bobs: dict[str, int], role: str) -> None:
    with db.as_anon() if role == "anon" else world.ann.acting(db):
        for call in (
            "archive_inactive_conversations('0')",
            "claim_due_interventions()",
            f"close_session('{'b' * 64}')",
            "expire_inactive_sessions('0', '0')",
            "is_password_hash('a')",
            "make_session_token()",
            "open_session(%(users)s, NULL, NULL)",
            f"rotate_session('{'b' * 64}')",
            "session_token_hash('a')",
            f"touch_session('{'b' * 64}')",
        ):
            with db.refused(sqlstate="42501"):
                db.run(f"SELECT {call}", bobs)


@pytest.mark.rule("OTH-25", "refuses")
def test_visitors_get_nothing_anywhere(db: Person, world: World, bobs: dict[str, int]) -> None:
    with db.as_anon():
        for table in (*OWNED, *VIEWS, *SHARED, *CLOSED):
            statements = [f"SELECT FROM {table}", f"DELETE FROM {table}", f"INSERT INTO {table} DEFAULT VALUES"]
            if table in OWNED:
                statements += [
                    f"UPDATE {table} SET id = id",
                    f"SELECT id FROM {table} FOR KEY SHARE",
                    f"TRUNCATE {table}",
                ]
            for statement in statements:
                with db.refused(sqlstate="42501"):
                    db.run(statement)
        for call in (*CALLS.values(), "SELECT current_user_id()", "SELECT merge_json('{}', '{}')"):
            with db.refused(sqlstate="42501"):
                db.run(call, bobs)


# What a user may do with rows of their own.
MAY = {
    "users": "",
    "consent_tiers": "SELECT INSERT UPDATE DELETE",
    "conversations": "SELECT INSERT UPDATE",
    "messages": "SELECT INSERT UPDATE",
    "psychological_profiles": "SELECT INSERT UPDATE DELETE",
    "agent_activities": "SELECT",
    "consent_logs": "SELECT",
    "interventions": "SELECT UPDATE",
    "ethical_validations": "SELECT",
    "user_preferences": "SELECT INSERT UPDATE DELETE",
    "session_logs": "",
    "archived_conversations": "SELECT",
    "archived_messages": "SELECT",
    "archived_ethical_validations": "SELECT",
}


@pytest.mark.rule("OTH-25", "accepts")
@pytest.mark.rule("OTH-26", "accepts")
@pytest.mark.parametrize("table", OWNED)
def test_what_everybody_may_do_with_their_own(
    db: Person, world: World, anns: dict[str, int], bobs: dict[str, int], table: str
) -> None:
    mine = anns[table]
    column, text = CHANGEABLE.get(table, (OWNED[table][0], mine))
    keys = {key: f"%(my_{key})s" for key in OWNED[table] if key != "id"}
    statements = {
        "SELECT": f"SELECT id FROM {table} WHERE id = %(my_id)s",
        "INSERT": inserted(table, keys | NEEDED.get(table, {})),
        "UPDATE": f"UPDATE {table} SET {column} = %(text)s WHERE id = %(my_id)s",
        "DELETE": f"DELETE FROM {table} WHERE id = %(my_id)s",
    }
    for verb, statement in statements.items():
        with db.conn.transaction(force_rollback=True):
            if (table, verb) == ("psychological_profiles", "INSERT"):
                # There is one for each user.
                db.run("DELETE FROM psychological_profiles WHERE user_id = %s", [world.ann.id])
            with world.ann.acting(db):
                learned = outcome(db, statement, keys_of(table, bobs, anns) | {"text": text})
                assert learned[0] == (1 if verb in MAY[table].split() else "42501"), (verb, learned)
                if verb == "UPDATE" and table in CHANGEABLE:
                    assert text in str(db.value(f"SELECT {column}::text FROM {table} WHERE id = %s", [mine]))
            if learned[0] == 1:
                left = db.value(f"SELECT count(*) FROM {table} WHERE user_id = %s AND id = %s", [world.ann.id, mine])
                assert left == (verb != "DELETE" and (table, verb) != ("psychological_profiles", "INSERT"))


@pytest.mark.rule("OTH-26", "accepts")
def test_everybody_sees_all_of_their_own_and_nothing_else(
    db: Person, world: World, anns: dict[str, int], bobs: dict[str, int]
) -> None:
    for table in OWNED:
        owner = "id" if table == "users" else "user_id"
        own = db.rows(f"SELECT id FROM {table} WHERE {owner} = %s ORDER BY id", [world.ann.id])
        assert anns[table] in [row.id for row in own]
        seen = table + "_public" * (table in ("users", "session_logs"))
        with world.ann.acting(db):
            assert db.rows(f"SELECT id FROM {seen} ORDER BY id") == own, table
    with world.ann.acting(db):
        assert [row.id for row in db.rows("SELECT id FROM pending_suggestions(1000)")] == [anns["agent_activities"]]


def test_the_service_sees_everything(db: Person, world: World, anns: dict[str, int], bobs: dict[str, int]) -> None:
    insert(db, "job_runs", job="expire-inactive-sessions")
    for table in (*OWNED, *SHARED, *CLOSED):
        count = f"SELECT count(*) FROM {table}"
        everything = db.value(count)
        with db.as_service():
            assert db.value(count) == everything > 0, table


@pytest.mark.rule("OTH-05", "refuses")
@pytest.mark.rule("OTH-24", "refuses")
@pytest.mark.parametrize("state", ["is_active = FALSE", "deleted_at = now()"])
def test_whoever_is_gone_has_nothing_left_to_see_or_do(
    db: Person, world: World, anns: dict[str, int], state: str
) -> None:
    """Their token is still valid, and they know the ids of what was theirs."""
    db.run(f"UPDATE users SET {state} WHERE id = %s", [world.ann.id])
    before = contents_of(db, world.ann.id, "no id")
    with world.ann.acting(db):
        for table in {**OWNED, **VIEWS}:
            keys = {key: f"%(my_{key})s" for key in {**OWNED, **VIEWS}[table]}
            for statement in (
                f"SELECT * FROM {table}",
                f"SELECT * FROM {table} FOR KEY SHARE",
                f"UPDATE {table} SET id = id",
                f"DELETE FROM {table}",
                inserted(table, keys | NEEDED.get(table, {})),
                f"{inserted(table, keys | NEEDED.get(table, {}))} ON CONFLICT DO NOTHING",
            ):
                learned = outcome(db, statement, keys_of(table, anns, anns))
                assert learned[0] in (0, "42501"), (statement, learned)
                assert not statement.startswith("INSERT") or learned[0] == "42501", (statement, learned)
        for name, call in CALLS.items():
            learned = outcome(db, call, anns)
            assert learned[0] in ("P0002", "42501", "22023") or name.startswith(("effective_tier", "suggestions")), name
            assert "autonomous" not in learned[1]
        assert db.rows("SELECT * FROM pending_suggestions()") == []
        assert db.value("SELECT current_user_id()") is None
    assert contents_of(db, world.ann.id, "no id") == before


def test_every_table_is_accounted_for(db: Person) -> None:
    relations = db.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"
        # The runner's own, on which nothing is granted.
        " AND relname !~ '^_?(yoyo|companion|runner)'",
        [db.schema],
    )
    assert {row.relname for row in relations} == {*OWNED, *VIEWS, *SHARED, *CLOSED}
    keys = {row.relname: row.keys for row in db.rows(_KEYS_SQL, [db.schema])}
    assert {table: {*keys[table]} for table in OWNED} == {table: {*columns} for table, columns in OWNED.items()}


# The columns that say whose a row is: the primary key, and what refers to rows of people.
_KEYS_SQL = """
SELECT c.relname, array_agg(DISTINCT a.attname) AS keys
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
WHERE c.relnamespace = %s::regnamespace AND k.contype IN ('p', 'f') AND a.attname ~ '(^|_)id$'
GROUP BY c.relname
"""


@pytest.mark.rule("OTH-26", "refuses")
def test_a_function_of_the_callers_is_shown_no_row_of_another(
    db: Person, world: World, anns: dict[str, int], bobs: dict[str, int]
) -> None:
    """It costs next to nothing, so that the planner would rather call it before it looks whose the row is."""
    told: list[str] = []

    def listen(notice: psycopg.errors.Diagnostic) -> None:
        told.append(str(notice.message_primary))

    db.conn.add_notice_handler(listen)
    with world.ann.acting(db):
        db.run(
            "CREATE FUNCTION pg_temp.leak(p_row anyelement) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
            " $$ BEGIN RAISE NOTICE 'row %%', p_row; RETURN TRUE; END $$",
            {},
        )
        db.run("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
        db.run("SET LOCAL client_min_messages = notice")
        for relation in (*(table for table in OWNED if MAY[table]), *VIEWS):
            told.clear()
            row = f"SELECT count(*) FROM {relation} AS t WHERE pg_temp.leak(t)"
            assert db.value(row) == len(told) > 0, relation
            for column in db.rows(f"SELECT * FROM {relation} LIMIT 1")[0]._fields:
                db.run(f"SELECT FROM {relation} AS t WHERE pg_temp.leak(t.{column})")
            assert not re.search(OF_BOB, "".join(told)), relation
    db.conn.remove_notice_handler(listen)


@pytest.mark.rule("OTH-26", "refuses")
def test_nobody_is_fooled_by_tables_and_functions_of_the_same_name(
    db: Person, world: World, anns: dict[str, int], bobs: dict[str, int]
) -> None:
    """A caller sets the search_path and may create temporary objects; what is ours never finds them."""
    for table in OWNED:
        # Ann knows what Bob's rows look like; in hers they are her own.
        db.run(f"CREATE TEMPORARY TABLE {table} AS SELECT * FROM {db.schema}.{table} WHERE id = %s", [bobs[table]])
        if table != "users":
            db.run(f"UPDATE pg_temp.{table} SET user_id = %s", [world.ann.id])
        db.run(f"GRANT ALL ON pg_temp.{table} TO authenticated")
    db.run("UPDATE pg_temp.users SET external_id = %s", [world.ann.external_id])
    with world.ann.acting(db):
        db.run(f"CREATE FUNCTION pg_temp.current_user_id() RETURNS bigint RETURN {bobs['users']}::bigint")
        db.run("CREATE FUNCTION pg_temp.is_service() RETURNS boolean RETURN TRUE")
        db.run("CREATE FUNCTION pg_temp.is_maintainer(oid) RETURNS boolean RETURN TRUE")
    with world.ann.acting(db):
        real = f'"{db.schema}".'
        db.run(f'SET LOCAL search_path = pg_temp, "{db.schema}", platform')
        assert db.value(f"SELECT {real}current_user_id()") == world.ann.id
        assert db.value("SELECT user_id FROM messages") == world.ann.id, "the path was to be searched first"
        for name, call in CALLS.items():
            learned = outcome(db, re.sub(r"(SELECT|FROM) (\w+\()", rf"\1 {real}\2", call), bobs)
            assert (learned[0] in (0, 1)) == (name in ANSWERED), name
            assert "autonomous" not in learned[1]
            assert name != "traits" or "False" in learned[1]
        for table in OWNED:
            if MAY[table]:
                assert db.rows(f"SELECT 1 FROM {real}{table} WHERE id = %s", [bobs[table]]) == []
        for view in VIEWS:
            assert len(db.rows(f"SELECT 1 FROM {real}{view}")) == 1
        for constraint, statement in {
            "messages_conversation_id_fkey": f"INSERT INTO {real}messages (conversation_id, role, content)"
            " VALUES (%(conversations)s, 'user', 'Mine')",
            "conversations_deleted_at_check": f"UPDATE {real}conversations SET deleted_at = now()",
            "interventions_authority_check": f"UPDATE {real}interventions SET title = 'Mine'",
            "consent_tiers_immutable_check": f"UPDATE {real}consent_tiers SET user_id = %(users)s",
        }.items():
            with db.refused(constraint):
                db.run(statement, bobs)
        with db.refused(sqlstate="42501"):
            db.run(f"INSERT INTO {real}conversations (user_id) VALUES (%(users)s)", bobs)
        # What Ann may do happens to the real rows.
        added = f"INSERT INTO {real}conversations (id, user_id) VALUES (%s, %s) RETURNING id"
        assert db.value(added, [bobs["conversations"], world.ann.id]) != bobs["conversations"]
        logged = f"SELECT count(*) FROM {real}consent_logs WHERE action = 'tier_changed'"
        before = db.value(logged)
        assert db.run(f"UPDATE {real}consent_tiers SET tier_level = 'active' WHERE scope = 'global'") == 1
        assert db.value(logged) == before + 1
        db.run(f"SELECT {real}soft_delete_conversation(%(conversations)s)", anns)
        assert db.rows(f"SELECT 1 FROM {real}messages") == []
        with db.refused("messages_conversation_id_fkey"):
            db.run(
                f"INSERT INTO {real}messages (conversation_id, user_id, role, content) VALUES (%s, %s, 'user', 'Mine')",
                [anns["conversations"], world.ann.id],
            )
        db.run(f"SELECT {real}soft_delete_user(%s)", [world.ann.id])
    assert db.rows(f"SELECT 1 FROM {real}session_logs WHERE user_id = %s AND is_active", [world.ann.id]) == []
    # The fixture's last look at what Bob has is to find the real tables.
    db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')


@pytest.mark.rule("OTH-26", "refuses")
def test_no_trigger_function_serves_a_table_of_the_callers(db: Person, world: World) -> None:
    """Those that run with the owner's rights would change rows of whomever the caller's row names."""
    functions = db.rows(
        "SELECT proname AS name FROM pg_proc"
        " WHERE pronamespace IN (%s::regnamespace, 'platform'::regnamespace) AND prorettype = 'trigger'::regtype",
        [db.schema],
    )
    assert len(functions) > 10
    with world.ann.acting(db):
        db.run("CREATE TEMPORARY TABLE mine (id bigint, user_id bigint, deleted_at timestamptz)")
        for function in functions:
            with db.refused(sqlstate="42501"):
                db.run(f"CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION {function.name}()")


@pytest.mark.rule("OTH-26", "refuses")
def test_sequences_are_closed(db: Person, world: World) -> None:
    """They would say how many rows others add, and let anybody make the next INSERT of others fail."""
    sequences = db.rows(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'S'"
        " AND relname !~ '^_?(yoyo|companion|runner)'",
        [db.schema],
    )
    assert len(sequences) == 12
    for as_role in (world.ann.acting(db), db.as_anon()):
        with as_role:
            for sequence in sequences:
                for use in ("nextval(%(name)s)", "currval(%(name)s)", "setval(%(name)s, 1)"):
                    with db.refused(sqlstate="42501"):
                        db.run(f"SELECT {use}", {"name": sequence.name})
                with db.refused(sqlstate="42501"):
                    db.run(f"SELECT last_value FROM {sequence.name}")
                # Null since PostgreSQL 17, refused before.
                learned = outcome(
                    db, "SELECT 1 WHERE pg_sequence_last_value(%(name)s) IS NULL", {"name": sequence.name}
                )
                assert learned[0] in (1, "42501")


@pytest.mark.rule("OTH-26", "refuses")
@pytest.mark.parametrize("table", WRITABLE)
def test_sessions_of_a_pool_keep_nothing_of_the_one_before(
    db: Person, world: World, anns: dict[str, int], table: str
) -> None:
    """Plans and the last id that a sequence gave outlive the request in which they came to be."""
    statement = inserted(table, {"user_id": "%(my_user_id)s"} | NEEDED.get(table, {}))
    if table == "messages":
        statement = inserted(table, {"conversation_id": "%(my_conversation_id)s"} | NEEDED[table])
    sent = statement.replace("(", "(id, ", 1).replace("VALUES (", "VALUES (%(id)s, ") + " RETURNING id"
    bobs = {"conversations": begin(db, world.bob)}
    keys = {"my_user_id": world.bob.id, "my_conversation_id": bobs["conversations"]}
    with world.bob.acting(db):
        # The sequence's last id in this session is that of Bob's row.
        taken = db.value(f"{statement} RETURNING id", keys)
        for _ in range(6):
            assert [row.id for row in db.rows(f"SELECT id FROM {table} WHERE id = %s", [taken])] == [taken]
    db.run("DELETE FROM psychological_profiles WHERE user_id = %s", [world.ann.id])
    with world.ann.acting(db):
        assert db.rows(f"SELECT id FROM {table} WHERE id = %s", [taken]) == []
        given = keys_of(table, anns, anns) | {"id": taken}
        assert db.value(sent, given) != taken


@pytest.mark.rule("OTH-26", "accepts")
@pytest.mark.parametrize("table", WRITABLE)
def test_whole_rows_of_ones_own_may_be_sent_back(db: Person, world: World, anns: dict[str, int], table: str) -> None:
    keys = {key: f"%(my_{key})s" for key in OWNED[table]}
    column, text = CHANGEABLE[table]
    needed = {**NEEDED.get(table, {}), column: "%(text)s"}
    sent = f"{inserted(table, keys | needed)} ON CONFLICT (id) DO UPDATE SET {column} = excluded.{column} RETURNING id"
    with world.ann.acting(db):
        assert db.value(sent, keys_of(table, anns, anns) | {"text": text}) == anns[table]
        assert text in str(db.value(f"SELECT {column}::text FROM {table} WHERE id = %s", [anns[table]]))


@pytest.mark.rule("OTH-25", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL row_security = off; SELECT * FROM messages",
        "ALTER TABLE messages DISABLE ROW LEVEL SECURITY",
        "ALTER VIEW users_public RESET (security_barrier)",
        "DROP POLICY messages_user_access ON messages",
        "CREATE POLICY mine ON messages USING (TRUE)",
        "CREATE TABLE mine (id bigint)",
        "CREATE FUNCTION mine() RETURNS integer RETURN 1",
        "CREATE TRIGGER mine BEFORE INSERT ON messages EXECUTE FUNCTION fill_message()",
        "SET LOCAL session_replication_role = replica",
        "TRUNCATE consent_logs",
        "COPY users TO '/dev/null'",
        "COPY users TO STDOUT",
        "INSERT INTO consent_scopes VALUES ('mine', 'Mine')",
        "UPDATE timezones SET name = 'Mine'",
    ],
)
def test_nobody_gets_around_the_policies(db: Person, world: World, statement: str) -> None:
    with world.ann.acting(db), db.refused(sqlstate="42501"):
        for part in statement.split("; "):
            db.run(part)
