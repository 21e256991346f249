"""What belongs to one person stays closed to another, who knows every id and tries everything.

Ann is the one who tries, Bob the one who is to notice nothing. Each has a row in every table. Whatever Ann does with
Bob's ids has the very outcome that it has with ids of nothing: rows, SQLSTATE and all that an error says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.chatvrm.world import User, World, collect, create, cut, say, subscribe, talk, upload
from tests.people import Person, contents, insert, insertion, outcome
from tests.vectors import vector

READ, APPEND = {"SELECT"}, {"SELECT", "INSERT"}
KEEP, WRITE = APPEND | {"UPDATE"}, APPEND | {"UPDATE", "DELETE"}


@dataclass(frozen=True)
class Table:
    """What the rows of a table belong to, what a row needs, what a user may change in it and do with it."""

    change: str
    may: set[str]
    needed: dict[str, Any] = field(default_factory=dict)
    # The columns that refer to parents, with their tables; whether the owner comes from the first of them; and whether
    # a row may be moved to another parent.
    keys: dict[str, str] = field(default_factory=dict)
    inherits: bool = False
    movable: bool = False
    id: str = "id"
    owner: str = "user_id"


ARCHIVED = {"status": "archived", "started_at": "2020-01-01", "ended_at": "2020-01-02", "message_count": 0}
OF_CHARACTER = {"character_id": "characters"}
TABLES = {
    "users": Table("name", READ | {"UPDATE"}, {"email": "mine@example.org", "auth0_id": "mine"}, owner="id"),
    "characters": Table("name", KEEP, {"name": "Mine", "slug": "mine", "system_prompt": "Be mine"}),
    "voice_configs": Table("provider", WRITE, {"provider": "mine", "voice_id": "1"}, OF_CHARACTER, inherits=True),
    "subscriptions": Table("tier", READ, {"stripe_subscription_id": "mine", "status": "paused", "tier": "pro"}),
    "api_keys": Table("name", set(), {"name": "Mine", "key_prefix": "mine", "key_hash": "0" * 64}),
    "audio_files": Table("format", READ, {"storage_url": "s3://mine", "format": "mp3"}),
    "conversations": Table("feedback", KEEP, {}, OF_CHARACTER),
    "messages": Table(
        "content", APPEND, {"role": "user", "content": "Mine"}, {"conversation_id": "conversations"}, inherits=True
    ),
    "archived_conversations": Table("feedback", READ, ARCHIVED, OF_CHARACTER),
    "archived_messages": Table(
        "content",
        READ,
        {"role": "user", "content": "Mine", "metadata": "{}", "created_at": "2020-01-01"},
        {"conversation_id": "archived_conversations"},
    ),
    "knowledge_bases": Table("name", WRITE, {"name": "Mine"}, OF_CHARACTER, movable=True),
    "character_knowledge_bases": Table(
        "created_at",
        APPEND | {"DELETE"},
        {},
        OF_CHARACTER | {"knowledge_base_id": "knowledge_bases"},
        inherits=True,
        id="knowledge_base_id",
    ),
    "documents": Table(
        "filename",
        KEEP,
        {"filename": "mine.md", "file_type": "md"},
        {"knowledge_base_id": "knowledge_bases"},
        inherits=True,
        movable=True,
    ),
    # Their number is that of the other's chunk.
    "document_chunks": Table(
        "content", WRITE, {"content": "Mine", "chunk_index": 0}, {"document_id": "documents"}, inherits=True
    ),
    "character_analytics": Table("message_count", READ, {"date": "2020-01-01"}, OF_CHARACTER),
    "audit_logs": Table(
        "action", READ, {"action": "insert", "entity_type": "mine", "entity_id": str(uuid4()), "changes": "{}"}
    ),
}
# Not of the owner of the row they refer to: one may talk with characters of others that are published.
TALKS = ("conversations", "archived_conversations")

Ids = dict[str, UUID]


@dataclass(frozen=True)
class Belongings:
    """A person and the ids of what they have, by table."""

    owner: User
    ids: Ids


def everything_of(db: Person, user: User, partner: UUID) -> Belongings:
    """Give a user a row in every table; they talk with the partner."""
    base = collect(db, user, character_id=user.character, name="Private")
    document = upload(db, base, content="Private")
    audio = insert(db, "audio_files", storage_url="s3://private", format="mp3", user_id=user.id)
    talks = {"character_id": partner, "user_id": user.id, "feedback": "Private", "id": uuid4(), **ARCHIVED}
    conversation, archived = talk(db, partner, user, feedback="Private"), insert(db, "archived_conversations", **talks)
    said = {**TABLES["archived_messages"].needed, "content": "Private", "user_id": user.id, "id": uuid4()}
    db.run(
        "INSERT INTO character_knowledge_bases (character_id, knowledge_base_id) VALUES (%s, %s)",
        [user.character, base],
    )
    log = {"action": "insert", "entity_type": "characters", "entity_id": user.character, "changes": "{}"}
    key = {"name": "Private", "key_prefix": "private", "key_hash": user.id.hex * 2}
    return Belongings(
        user,
        {
            "users": user.id,
            "characters": user.character,
            "voice_configs": insert(db, "voice_configs", character_id=user.character, provider="private", voice_id="1"),
            "subscriptions": subscribe(db, user, stripe_subscription_id=f"sub_{user.id}"),
            "api_keys": insert(db, "api_keys", user_id=user.id, **key),
            "audio_files": audio,
            "conversations": conversation,
            "messages": say(db, conversation, "Private", audio_file_id=audio),
            "archived_conversations": archived,
            "archived_messages": insert(db, "archived_messages", conversation_id=archived, audio_file_id=audio, **said),
            "knowledge_bases": base,
            "character_knowledge_bases": base,
            "documents": document,
            "document_chunks": cut(db, document, embedding=vector(1), content="Private"),
            "character_analytics": insert(
                db, "character_analytics", character_id=user.character, user_id=user.id, date="2020-01-01"
            ),
            "audit_logs": insert(db, "audit_logs", user_id=user.id, **log),
        },
    )


def contents_of(db: Person, user: User) -> list[tuple[str, ...]]:
    """Return all rows of a user, with their places and by whom they were written."""
    return contents(db, {name: table.owner for name, table in TABLES.items()}, user.id)


@pytest.fixture
def anns(db: Person, world: World) -> Belongings:
    return everything_of(db, world.ann, world.ann.character)


@pytest.fixture
def bobs(db: Person, world: World) -> Iterator[Belongings]:
    """What Bob has, who talks with Ann's character; afterwards all of it must be as it was, not even written anew."""
    has = everything_of(db, world.bob, world.ann.character)
    before = contents_of(db, world.bob)
    assert {row[0] for row in before} == {*TABLES}
    yield has
    assert contents_of(db, world.bob) == before


def attempt(db: Person, name: str, given: dict[str, Any], conflict: str = "") -> tuple[Any, ...]:
    """Insert a row with what it needs and these values, and return the outcome."""
    return insertion(db, name, {**TABLES[name].needed, **given}, conflict)


def parents(name: str, of: Belongings | None) -> Ids:
    """Return the parents that a row of somebody has, or such as nobody has."""
    return {key: of.ids[table] if of else uuid4() for key, table in TABLES[name].keys.items()}


# Everything with the ids of another


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_reads_or_changes_rows_of_another(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    theirs = {"id": bobs.ids[name], "owner": world.bob.id, "me": world.ann.id, **parents(name, bobs)}
    missing = {"id": uuid4(), "owner": uuid4(), "me": world.ann.id, **parents(name, None)}
    wheres = [f"{table.id} = %(id)s", f"{table.owner} = %(owner)s"]
    # What Bob has said to Ann's character is his.
    wheres += [f"{key} = %({key})s" for key in table.keys if name not in TALKS]
    with db.as_user(world.ann.sub):
        for where in wheres:
            for verb, statement in (
                ("SELECT", f"SELECT * FROM {name} WHERE {where}"),
                ("SELECT", f"SELECT 1 / ({where})::integer - 1 FROM {name} WHERE {where}"),
                ("UPDATE", f"SELECT {table.id} FROM {name} WHERE {where} FOR KEY SHARE"),
                ("UPDATE", f"UPDATE {name} SET {table.change} = NULL WHERE {where}"),
                ("UPDATE", f"UPDATE {name} SET {table.owner} = %(me)s WHERE {where}"),
                ("UPDATE", f"UPDATE {name} SET {table.change} = {table.change} WHERE {where} RETURNING *"),
                ("DELETE", f"DELETE FROM {name} WHERE {where}"),
                ("DELETE", f"DELETE FROM {name} WHERE {where} RETURNING *"),
            ):
                learned = outcome(db, statement, theirs)
                assert learned[0] == (0 if verb in table.may else "42501"), (statement, learned)
                assert learned == outcome(db, statement, missing)


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_adds_rows_to_another(db: Person, world: World, anns: Belongings, bobs: Belongings, name: str) -> None:
    """Neither as theirs, nor to what is theirs, not even to learn whether there is something already."""
    table = TABLES[name]
    owners: list[dict[str, Any]] = [{}, {table.owner: world.ann.id}, {table.owner: world.bob.id}]
    # Each parent Ann's, Bob's or nobody's, but not all of them Ann's, except in the name of Bob.
    choices = [*product(("ann", "bob"), repeat=len(table.keys))]
    with db.as_user(world.ann.sub):
        for owner, choice in product(owners, choices):
            if {*choice} <= {"ann"} and owner != owners[2]:
                continue
            known, unknown = dict(owner), dict(owner)
            for whose, (key, parent) in zip(choice, table.keys.items(), strict=True):
                known[key] = (anns if whose == "ann" else bobs).ids[parent]
                unknown[key] = anns.ids[parent] if whose == "ann" else uuid4()
            if owner == owners[2]:
                unknown[table.owner] = uuid4()
            for conflict in ("", "ON CONFLICT DO NOTHING"):
                learned = attempt(db, name, known, conflict)
                assert learned == attempt(db, name, unknown, conflict), (known, conflict)
                if name == "messages" and {*choice} == {"ann"}:
                    # The database knows better whose it is.
                    assert learned == (1,)
                elif "INSERT" not in table.may or {*choice} <= {"ann"}:
                    assert learned[0] == "42501", known
                else:
                    assert learned[0] in ("23503", "42501"), known


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_moves_their_rows_to_another(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    moves = {f"{table.owner} = %(owner)s": "own"}
    for key in table.keys:
        moves |= {f"{key} = %({key})s": "move", f"{table.owner} = %(owner)s, {key} = %({key})s": "own"}
    theirs = {"id": anns.ids[name], "owner": world.bob.id, **parents(name, bobs)}
    if name in TALKS:
        theirs["character_id"] = world.bob.character
    with db.as_user(world.ann.sub):
        for move, kind in moves.items():
            statement = f"UPDATE {name} SET {move} WHERE {table.id} = %(id)s"
            learned = outcome(db, statement, theirs)
            assert learned == outcome(db, statement, theirs | {"owner": uuid4(), **parents(name, None)})
            if "UPDATE" not in table.may:
                assert learned[0] == "42501"
            elif kind == "move" and table.movable:
                assert learned[:2] == ("23503", f"{name}_{move.partition(' ')[0]}_fkey")
            else:
                assert learned[0] == "23514", learned
                assert learned[1] in (f"{name}_immutable_check", f"{name}_user_check"), learned


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.id == "id"])
def test_nobody_overwrites_rows_of_another_by_sending_their_id(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    # An id comes back in the error of who sends it; messages are unique by id and time.
    conflicts = "id, created_at" if name in ("messages", "archived_messages") else "id"
    given: dict[str, Any] = {table.owner: world.ann.id, **parents(name, anns), "id": bobs.ids[name]}
    if name == "voice_configs":
        given["character_id"] = create(db, world.ann.id, slug="second")
    if name == "document_chunks":
        given["chunk_index"] = 7
    if name == "archived_messages":
        given["created_at"] = db.value("SELECT created_at FROM archived_messages WHERE id = %s", [bobs.ids[name]])
    overwrite = f"ON CONFLICT ({conflicts}) DO UPDATE SET {table.change} = excluded.{table.change}"
    with db.as_user(world.ann.sub):
        assert attempt(db, name, given, overwrite)[0] == "42501"
        learned = attempt(db, name, given, "ON CONFLICT DO NOTHING")
        assert learned[0] == (0 if "INSERT" in table.may else "42501")
        learned = attempt(db, name, given)
        assert learned[0] == ("23505" if "INSERT" in table.may else "42501")
        assert learned[3] is None, "the rows of others are not shown"


@pytest.mark.rule("VRM-24", "refuses")
def test_a_character_wears_no_model_that_its_owner_does_not_see(db: Person, world: World, bobs: Belongings) -> None:
    """One that is not public, or not approved, is like a missing one."""
    models = [
        insert(db, "vrm_models", name="Private", category="x", file_url="u", is_public=public, is_approved=not public)
        for public in (True, False)
    ]
    with db.as_user(world.ann.sub):
        for statement in (
            "UPDATE characters SET vrm_model_id = %(model)s",
            "INSERT INTO characters (user_id, name, slug, system_prompt, vrm_model_id)"
            " VALUES (%(me)s, 'Mine', 'mine', 'Be mine', %(model)s)",
        ):
            said = {outcome(db, statement, {"me": world.ann.id, "model": model}) for model in (*models, uuid4())}
            (learned,) = said
            assert learned[:2] == ("23503", "characters_vrm_model_id_fkey")


@pytest.mark.rule("VRM-24", "refuses")
def test_a_message_refers_to_no_audio_of_another(db: Person, world: World, anns: Belongings, bobs: Belongings) -> None:
    visitors = insert(db, "audio_files", storage_url="s3://visitor", format="mp3")
    given = {"conversation_id": anns.ids["conversations"]}
    with db.as_user(world.ann.sub):
        said = {
            attempt(db, "messages", given | {"audio_file_id": file})
            for file in (bobs.ids["audio_files"], visitors, uuid4())
        }
        (learned,) = said
        assert learned[:2] == ("23503", "messages_audio_file_id_fkey")
        assert attempt(db, "messages", given | {"audio_file_id": anns.ids["audio_files"]}) == (1,)


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("state", ["draft", "archived"])
def test_nobody_talks_with_an_unpublished_character_of_another(db: Person, world: World, state: str) -> None:
    with db.as_service():
        hidden = create(db, world.bob.id, slug="hidden", status=state)
    with db.as_user(world.ann.sub):
        for owner in ({}, {"user_id": world.ann.id}, {"user_id": world.ann.id, "session_id": "x"}):
            learned = attempt(db, "conversations", owner | {"character_id": hidden})
            assert learned == attempt(db, "conversations", owner | {"character_id": uuid4()})
            assert learned[0] == ("23503" if owner else "42501")


# Functions: each that takes an id, with those of one person, and what it says of another's.
CALLS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "search_character_knowledge": (
        "SELECT * FROM search_character_knowledge(%(characters)s, %(query)s::extensions.vector)",
        ("P0002", "characters_pkey"),
    ),
    "get_conversation_messages": (
        "SELECT * FROM get_conversation_messages(%(conversations)s)",
        ("P0002", "conversations_pkey"),
    ),
    "revoke_api_key": ("SELECT * FROM revoke_api_key(%(api_keys)s)", ("P0002", "api_keys_pkey")),
    "begin_conversation_earlier": (
        "SELECT * FROM begin_conversation_earlier(%(conversations)s, '2020-01-01')",
        (1,),
    ),
}


def call_with(db: Person, call: str, of: Belongings | None) -> tuple[Any, ...]:
    """Call a function with the ids of what a person has, or with such as nobody has."""
    ids = of.ids if of else dict.fromkeys(TABLES, uuid4())
    return outcome(db, CALLS[call][0], {**ids, "query": vector(1.0)})


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("call", CALLS)
def test_no_function_serves_another(db: Person, world: World, anns: Belongings, bobs: Belongings, call: str) -> None:
    """Nor says more of them than of nobody."""
    with db.as_user(world.ann.sub):
        learned = call_with(db, call, bobs)
        assert learned[: len(CALLS[call][1])] == CALLS[call][1]
        assert learned == call_with(db, call, None)
        if len(learned) > 1:
            assert learned[5] and learned[6] == db.schema, "a refusal names table and schema"
        # It does, this time for good; what Bob has is compared afterwards.
        if len(learned) == 1:
            db.run(CALLS[call][0], bobs.ids)
    with db.as_anon():
        assert call_with(db, call, bobs)[0] == "42501"


@pytest.mark.rule("VRM-24", "accepts")
@pytest.mark.parametrize("call", CALLS)
def test_the_functions_are_for_what_is_ones_own(db: Person, world: World, anns: Belongings, call: str) -> None:
    """Else they would refuse for another reason than whose it is; a service may name anybody."""
    db.run("UPDATE documents SET status = 'processing'")
    db.run("UPDATE documents SET status = 'completed'")
    for act in (db.as_user(world.ann.sub), db.as_service()):
        with act:
            assert call_with(db, call, anns) == (1,)


@pytest.mark.rule("VRM-24", "refuses")
def test_nobody_dates_a_conversation_back(db: Person, world: World, anns: Belongings) -> None:
    """It would stand in the analytics of somebody else's character, and stop their computation."""
    started = "SELECT started_at FROM conversations WHERE id = %s"
    before = db.value(started, [anns.ids["conversations"]])
    for time in ("2020-01-01", "-infinity"):
        with db.as_user(world.ann.sub):
            db.run("SELECT begin_conversation_earlier(%s, %s)", [anns.ids["conversations"], time])
        assert db.value(started, [anns.ids["conversations"]]) == before


SERVICES_CALLS = {
    "archive_old_conversations()",
    "authenticate_api_key('x')",
    "backfill_character_analytics()",
    "character_analytics_of('2020-01-01', '2020-01-01')",
    "claim_audio_for_cold_storage()",
    "create_message_partition('2020-01-01')",
    "create_message_partitions()",
    "mark_audio_cold(gen_random_uuid(), 'x')",
    "refresh_character_counters()",
    "refresh_character_stats()",
    "refresh_message_counts()",
    "roll_up_character_analytics()",
    "store_character_analytics('2020-01-01', '2020-01-01')",
    "text_digest('x')",
}


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_what_is_the_services_alone(db: Person, world: World, bobs: Belongings, role: str) -> None:
    with db.as_anon() if role == "anon" else db.as_user(world.bob.sub):
        for call in SERVICES_CALLS:
            with db.refused(sqlstate="42501"):
                db.run(f"SELECT * FROM {call}")


@pytest.mark.rule("VRM-24", "accepts")
def test_the_service_calls_what_is_its_own(db: Person, world: World, bobs: Belongings) -> None:
    # This one it does not need: triggers of the owner call it.
    for call in SERVICES_CALLS - {"text_digest('x')"}:
        with db.as_service():
            learned = outcome(db, f"SELECT * FROM {call}", {})
        if call.startswith("mark_audio_cold"):
            assert learned[:2] == ("P0002", "audio_files_pkey")
        else:
            assert len(learned) == 1, (call, learned)


# Visitors, and what everybody sees

VISITORS_TABLES = {"vrm_models", "published_characters", "published_models", "published_voices"}
OTHER_RELATIONS = {
    "api_keys_public",
    "character_stats",
    "conversation_changes",
    "job_runs",
    "jobs",
    "message_changes",
    "my_character_stats",
}


@pytest.mark.rule("VRM-24", "refuses")
def test_visitors_get_nothing_of_anybodys(db: Person, anns: Belongings, bobs: Belongings) -> None:
    with db.as_anon():
        for name in (*TABLES, *OTHER_RELATIONS):
            with db.refused(sqlstate="42501"):
                db.run(f"SELECT FROM {name}")
        for name in (*TABLES, *VISITORS_TABLES, *OTHER_RELATIONS):
            for statement in (f"DELETE FROM {name}", f"INSERT INTO {name} DEFAULT VALUES", f"TRUNCATE {name}"):
                if statement.startswith("TRUNCATE") and name not in (*TABLES, "vrm_models"):
                    continue
                assert outcome(db, statement, {})[0] in ("42501", "55000"), statement
        for call in ("current_user_id()", "create_api_key('x', '{}')", "search_documents('private')"):
            with db.refused(sqlstate="42501"):
                db.run(f"SELECT {call}")


@pytest.fixture
def showcase(db: Person, world: World) -> dict[str, UUID]:
    """Give Bob a character of each status, with a voice and a model of its own that is not public."""
    characters = {}
    for status in ("draft", "published", "archived"):
        model = insert(db, "vrm_models", name=f"{status} model", category="anime", file_url="u")
        with db.as_service():
            characters[status] = create(
                db, world.bob.id, slug=status, status=status, vrm_model_id=model, metadata='{"secret": 1}'
            )
        insert(db, "voice_configs", character_id=characters[status], provider=f"{status} voice", voice_id="1")
    db.run("UPDATE characters SET status = 'archived' WHERE id = %s", [world.ann.character])
    return characters


@pytest.mark.rule("VRM-24", "accepts")
@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_everybody_sees_published_characters_with_model_and_voice(
    db: Person, world: World, showcase: dict[str, UUID], role: str
) -> None:
    acting = {"anon": db.as_anon, "authenticated": lambda: db.as_user(world.ann.sub), "service_role": db.as_service}
    with acting[role]():
        (character,) = db.rows("SELECT * FROM published_characters")
        (model,) = db.rows("SELECT * FROM published_models")
        (voice,) = db.rows("SELECT * FROM published_voices")
    assert character.id == voice.character_id == showcase["published"]
    assert model.id == character.vrm_model_id
    assert (model.name, voice.provider) == ("published model", "published voice")
    seen = {*character._fields, *model._fields, *voice._fields}
    assert seen.isdisjoint({"system_prompt", "metadata", "user_id", "rating_sum", "is_public"})
    assert {"name", "slug", "description", "character_type", "average_rating", "voice_config"} <= seen


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("status", ["draft", "archived"])
def test_what_is_withdrawn_is_seen_no_longer(db: Person, showcase: dict[str, UUID], status: str) -> None:
    with db.as_user("auth0|bob"):
        db.run("UPDATE characters SET status = %s WHERE id = %s", [status, showcase["published"]])
    with db.as_anon():
        for view in ("published_characters", "published_models", "published_voices"):
            assert db.rows(f"SELECT * FROM {view}") == []


@pytest.mark.rule("VRM-24", "accepts")
@pytest.mark.rule("VRM-24", "refuses")
def test_anyone_sees_models_that_are_public_and_approved(db: Person, world: World) -> None:
    for public, approved in product((False, True), repeat=2):
        name = f"{public} {approved}"
        insert(db, "vrm_models", name=name, category="x", file_url="u", is_public=public, is_approved=approved)
    for act in (db.as_anon(), db.as_user(world.ann.sub)):
        with act:
            assert [row.name for row in db.rows("SELECT name FROM vrm_models")] == ["True True"]
            for statement in ("UPDATE vrm_models SET name = 'Mine'", "DELETE FROM vrm_models"):
                with db.refused(sqlstate="42501"):
                    db.run(statement)
    with db.as_service():
        assert db.value("SELECT count(*) FROM vrm_models") == 4


SPY = """
CREATE FUNCTION pg_temp.spy(p_seen text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
    IF p_seen ~ 'draft|[Pp]rivate' THEN
        RAISE EXCEPTION 'seen: %', p_seen;
    END IF;
    RETURN TRUE;
END;
$$
"""


@pytest.mark.rule("VRM-24", "refuses")
def test_no_condition_of_the_callers_looks_behind_a_view_or_policy(
    db: Person, world: World, showcase: dict[str, UUID]
) -> None:
    everything_of(db, world.bob, showcase["published"])
    db.run("UPDATE characters SET name = 'Private' WHERE status <> 'published' AND user_id = %s", [world.bob.id])
    db.run("UPDATE users SET name = 'Private' WHERE id = %s", [world.bob.id])
    db.run("REFRESH MATERIALIZED VIEW character_stats")
    # Else an index would pass over the others before any condition is asked.
    db.run("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
    with db.as_user(world.ann.sub):
        db.run(SPY)
        # Of one column, since the text of a row costs more than the condition of the view.
        for seen in ("published_characters.slug", "published_models.name", "published_voices.provider"):
            assert len(db.rows(f"SELECT FROM {seen.partition('.')[0]} WHERE pg_temp.spy({seen})")) == 1
        for name in ("api_keys_public", "my_character_stats", *(name for name in TABLES if TABLES[name].may)):
            rows = db.rows(f"SELECT FROM {name} AS v WHERE pg_temp.spy(v::text)")
            assert len(rows) == (name in ("users", "characters", "my_character_stats")), name


# What a character's owner learns of those who talk with it


@pytest.mark.rule("VRM-24", "refuses")
def test_the_owner_of_a_character_reads_nobodys_words(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    """Bob and a visitor have talked with Ann's character, archived conversations included."""
    visitors = talk(db, world.ann.character, None)
    say(db, visitors, "Private")
    with db.as_user(world.ann.sub):
        for name in ("conversations", "messages", "archived_conversations", "archived_messages", "audio_files"):
            assert [row.id for row in db.rows(f"SELECT id FROM {name}")] == [anns.ids[name]]
        for conversation in (bobs.ids["conversations"], visitors):
            with db.refused("conversations_pkey", "P0002"):
                db.run("SELECT * FROM get_conversation_messages(%s)", [conversation])
            learned = attempt(db, "messages", {"conversation_id": conversation})
            assert learned[:2] == ("23503", "messages_conversation_id_fkey")
    with db.as_user(world.bob.sub):
        assert [row.id for row in db.rows("SELECT id FROM conversations")] == [bobs.ids["conversations"]]
    with db.as_service():
        assert db.value("SELECT count(*) FROM messages") == 3


@pytest.mark.rule("VRM-24", "accepts")
def test_the_owner_of_a_character_sees_its_analytics(db: Person, world: World) -> None:
    say(db, talk(db, world.ann.character, world.bob), "Private", emotion="happy")
    with db.as_service():
        db.run("SELECT roll_up_character_analytics((now() AT TIME ZONE 'UTC')::date)")
    db.run("REFRESH MATERIALIZED VIEW character_stats")
    with db.as_user(world.ann.sub):
        row = db.row("SELECT * FROM character_analytics")
        assert (row.character_id, row.conversation_count, row.message_count) == (world.ann.character, 1, 1)
        assert row.emotion_distribution == {"happy": 1}
        stats = db.row("SELECT * FROM my_character_stats")
        assert (stats.id, stats.total_conversations, stats.unique_users) == (world.ann.character, 1, 1)
        with db.refused(sqlstate="42501"):
            db.run("SELECT * FROM character_stats")
    with db.as_user(world.bob.sub):
        assert db.rows("SELECT * FROM character_analytics") == []
        assert [row.id for row in db.rows("SELECT id FROM my_character_stats")] == [world.bob.character]


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_no_partition_is_named_directly(db: Person, world: World, anns: Belongings, role: str) -> None:
    db.run("SELECT create_message_partition('2020-01-01')")
    partitions = [
        row.name
        for row in db.rows(
            "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'messages'::regclass"
        )
    ]
    assert {"messages_2020_01", "messages_default"} < {*partitions}
    acting = {"anon": db.as_anon, "authenticated": lambda: db.as_user(world.ann.sub), "service_role": db.as_service}
    with acting[role]():
        for name in partitions:
            for statement in (
                f"SELECT FROM {name}",
                f"DELETE FROM {name}",
                f"UPDATE {name} SET content = 'Mine'",
                f"INSERT INTO {name} DEFAULT VALUES",
                f"TRUNCATE {name}",
            ):
                with db.refused(sqlstate="42501"):
                    db.run(statement)
    # Nor by somebody who was granted it by mistake: row-level security is on, without a policy.
    for name in partitions:
        db.run(f"GRANT SELECT ON {name} TO authenticated")
        with db.as_user(world.ann.sub):
            assert db.rows(f"SELECT FROM {name}") == []


# What is one's own


@pytest.mark.rule("VRM-24", "accepts")
@pytest.mark.parametrize("name", TABLES)
def test_what_everybody_may_do_with_their_own(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    keys: dict[str, Any] = dict(parents(name, anns))
    if name == "voice_configs":
        keys["character_id"] = create(db, world.ann.id, slug="second")
    elif name == "character_knowledge_bases":
        keys["knowledge_base_id"] = collect(db, world.ann)
    elif name == "document_chunks":
        keys["chunk_index"] = 7
    given = {"id": anns.ids[name], "new": "now" if table.change == "created_at" else "5"}
    with db.as_user(world.ann.sub):
        for owner in ({table.owner: world.ann.id}, *([{}] if table.inherits else [])):
            learned = attempt(db, name, owner | keys)
            assert learned[0] == (1 if "INSERT" in table.may else "42501"), learned
        for verb, statement in {
            "SELECT": f"SELECT {table.id} FROM {name} WHERE {table.id} = %(id)s",
            "UPDATE": f"UPDATE {name} SET {table.change} = %(new)s WHERE {table.id} = %(id)s",
            "DELETE": f"DELETE FROM {name} WHERE {table.id} = %(id)s",
        }.items():
            assert outcome(db, statement, given)[0] == (1 if verb in table.may else "42501"), verb


@pytest.mark.rule("VRM-24", "accepts")
def test_everybody_sees_all_of_their_own_and_the_service_everything(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    for name, table in TABLES.items():
        ids = f"SELECT {table.id} FROM {name} WHERE {table.owner} = ANY (%s) ORDER BY 1"
        own, both = db.rows(ids, [[world.ann.id]]), db.rows(ids, [[world.ann.id, world.bob.id]])
        assert (len(own), len(both)) == (1, 2)
        if not table.may:
            continue
        with db.as_user(world.ann.sub):
            assert db.rows(f"SELECT {table.id} FROM {name}") == own, name
        with db.as_service():
            assert db.rows(ids, [[world.ann.id, world.bob.id]]) == both, name
    with db.as_user(world.ann.sub):
        assert [row.id for row in db.rows("SELECT id FROM api_keys_public")] == [anns.ids["api_keys"]]
    with db.as_service():
        assert len(db.rows("SELECT id FROM api_keys_public")) == 2


# What becomes of rows in time; then they are sent back as they were read.
AGED = {
    "characters": "status = 'archived', conversation_count = 5, average_rating = 3, rating_count = 2, rating_sum = 6",
    "conversations": "status = 'ended', ended_at = '2030-01-01', message_count = 5",
    "knowledge_bases": "document_count = 5, total_chunks = 5",
    "documents": "status = 'completed', chunk_count = 5",
}


@pytest.mark.rule("VRM-24", "accepts")
@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.may >= KEEP])
def test_whole_rows_of_ones_own_may_be_sent_back(db: Person, world: World, anns: Belongings, name: str) -> None:
    """Clients that upsert name every column, those too that the database maintains."""
    given = {"id": anns.ids[name]}
    columns = {row.attname for row in db.rows(_COLUMNS, [name])}
    aged = [AGED.get(name, ""), *(f"{column} = '2020-01-01'" for column in sorted(columns & DATES))]
    # Without triggers, as if it had been in this state for long.
    db.run("SET LOCAL session_replication_role = replica")
    db.run(f"UPDATE {name} SET {', '.join(filter(None, aged))} WHERE id = %(id)s", given)
    if name == "characters":
        # Which has been withdrawn since.
        model = insert(db, "vrm_models", name="Withdrawn", category="x", file_url="u")
        db.run("UPDATE characters SET vrm_model_id = %s WHERE id = %s", [model, world.ann.character])
    elif name == "conversations":
        partner = {"bob": world.bob.character, **given}
        db.run("UPDATE conversations SET character_id = %(bob)s WHERE id = %(id)s", partner)
    db.run("SET LOCAL session_replication_role = origin")
    row = db.row(f"SELECT * FROM {name} WHERE id = %(id)s", given)
    again = ", ".join(f"{column} = excluded.{column}" for column in row._fields)
    with db.as_user(world.ann.sub):
        sent = given | {"row": db.value(f"SELECT to_jsonb(t)::text FROM {name} AS t WHERE id = %(id)s", given)}
        db.value(
            f"INSERT INTO {name} SELECT * FROM jsonb_populate_record(NULL::{name}, %(row)s)"
            f" ON CONFLICT (id) DO UPDATE SET {again} RETURNING id",
            sent,
        )
    after = db.row(f"SELECT * FROM {name} WHERE id = %(id)s", given)
    for column in row._fields:
        if column != "updated_at":
            assert getattr(after, column) == getattr(row, column), column


DATES = {"created_at", "updated_at", "uploaded_at", "published_at", "started_at"}
_COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"


# What services write


@pytest.mark.rule("VRM-24", "accepts")
@pytest.mark.parametrize("name", ["audio_files", "vrm_models", "subscriptions", "character_analytics", "users"])
def test_what_the_service_writes(db: Person, world: World, anns: Belongings, name: str) -> None:
    change = "name"
    given: dict[str, Any] = {"name": "New", "category": "anime", "file_url": "u"}
    if name != "vrm_models":
        change, given = TABLES[name].change, {**TABLES[name].needed, **parents(name, anns)}
    if name != "vrm_models" and TABLES[name].owner == "user_id":
        given["user_id"] = world.ann.id
    if name == "character_analytics":
        given["date"] = "2020-01-02"
    with db.as_service():
        new = insert(db, name, **given)
        assert db.run(f"UPDATE {name} SET {change} = '5' WHERE id = %s", [new]) == 1
        assert db.run(f"DELETE FROM {name} WHERE id = %s", [new]) == 1
    if name != "users":
        with db.as_user(world.ann.sub), db.refused(sqlstate="42501"):
            insert(db, name, **given)


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM characters",
        "SELECT key_hash FROM api_keys",
        "UPDATE api_keys SET is_active = TRUE",
        "INSERT INTO audit_logs DEFAULT VALUES",
        "UPDATE audit_logs SET action = 'insert'",
        "DELETE FROM audit_logs",
        "DELETE FROM jobs",
        "UPDATE jobs SET command = 'x'",
        "DELETE FROM conversation_changes",
        "INSERT INTO message_changes (conversation_id, messages) VALUES (gen_random_uuid(), 1)",
        "SELECT * FROM character_stats",
        "TRUNCATE users CASCADE",
        "UPDATE published_characters SET name = 'Mine'",
    ],
)
def test_what_not_even_the_service_does(db: Person, anns: Belongings, statement: str) -> None:
    with db.as_service(), db.refused(sqlstate="42501"):
        db.run(statement)


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL row_security = off; SELECT * FROM messages",
        "ALTER TABLE messages DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON messages USING (TRUE)",
        "CREATE TABLE mine (id bigint)",
        "TRUNCATE messages",
        "SELECT * FROM job_runs",
        "SELECT * FROM jobs",
        "SET LOCAL session_replication_role = replica",
        "SET LOCAL ROLE service_role",
    ],
)
def test_nobody_gets_around_the_policies(db: Person, world: World, bobs: Belongings, statement: str) -> None:
    parts = statement.split("; ")
    with db.as_user(world.ann.sub):
        if "ROLE service_role" in statement:
            # The connection's owner may become anything; the claims alone open nothing.
            db.run("SELECT set_config('request.jwt.claims', '{\"role\": \"service_role\"}', TRUE)")
            assert db.rows("SELECT * FROM messages") == []
            assert db.rows("SELECT * FROM api_keys_public") == []
            return
        with db.refused(sqlstate="42501"):
            for part in parts:
                db.run(part)


@pytest.mark.rule("VRM-24", "refuses")
@pytest.mark.parametrize("claims", ['{"sub": null}', '{"sub": ""}', "{}", '{"sub": "auth0|nobody"}', '{"sub": 7}'])
def test_who_is_nobody_sees_and_writes_nothing(db: Person, anns: Belongings, claims: str) -> None:
    db.run("SELECT set_config('request.jwt.claims', %s, TRUE)", [claims])
    db.run("SET LOCAL ROLE authenticated")
    assert db.value("SELECT current_user_id()") is None
    for name, table in TABLES.items():
        if table.may:
            assert db.rows(f"SELECT * FROM {name}") == [], name
        if "INSERT" in table.may:
            assert attempt(db, name, parents(name, anns))[0] in ("42501", "23503", "23502"), name
    for view in ("api_keys_public", "my_character_stats"):
        assert db.rows(f"SELECT * FROM {view}") == []
    with db.refused(sqlstate="42501"):
        db.run("SELECT create_api_key('Mine', '{}')")
    db.run("RESET ROLE")


@pytest.mark.rule("VRM-24", "refuses")
def test_nobody_is_fooled_by_tables_and_functions_of_the_same_name(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    """A caller sets the search_path and may create temporary objects; what is ours never finds them."""
    for name, table in TABLES.items():
        # Ann knows what Bob's rows look like; in hers they are her own.
        db.run(
            f'CREATE TEMPORARY TABLE {name} AS SELECT * FROM "{db.schema}".{name} WHERE {table.id} = %s',
            [bobs.ids[name]],
        )
        if name != "users":
            db.run(f"UPDATE pg_temp.{name} SET {table.owner} = %s", [world.ann.id])
        db.run(f"GRANT ALL ON pg_temp.{name} TO authenticated")
    db.run("UPDATE pg_temp.users SET auth0_id = %s", [world.ann.sub])
    real = f'"{db.schema}".'
    with db.as_user(world.ann.sub):
        db.run(f"CREATE FUNCTION pg_temp.current_user_id() RETURNS uuid RETURN '{world.bob.id}'::uuid")
        db.run("CREATE FUNCTION pg_temp.is_service() RETURNS boolean RETURN TRUE")
        db.run(f'SET LOCAL search_path = pg_temp, "{db.schema}", platform')
        assert db.value("SELECT id FROM knowledge_bases") == bobs.ids["knowledge_bases"], "the path was to come first"
        assert db.value(f"SELECT {real}current_user_id()") == world.ann.id
        for call, (sql, refused) in CALLS.items():
            named = re.sub(r"FROM (\w+\()", rf"FROM {real}\1", sql)
            assert outcome(db, named, {**bobs.ids, "query": vector(1.0)})[: len(refused)] == refused, call
        for name, rule in {"documents": "knowledge_base_id", "document_chunks": "document_id"}.items():
            columns = {**TABLES[name].needed, **parents(name, bobs)}
            marks = ", ".join(f"%({column})s" for column in columns)
            with db.refused(f"{name}_{rule}_fkey"):
                db.run(f"INSERT INTO {real}{name} ({', '.join(columns)}) VALUES ({marks})", columns)
        assert db.rows(f"SELECT id FROM {real}search_documents('private')") == [(anns.ids["documents"],)]
    db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')


# What goes and what stays


@pytest.mark.rule("VRM-24", "accepts")
def test_optional_references_are_set_to_null(db: Person, world: World, anns: Belongings, bobs: Belongings) -> None:
    model = insert(db, "vrm_models", name="Model", category="x", file_url="u")
    with db.as_service():
        db.run("UPDATE characters SET vrm_model_id = %s WHERE id = %s", [model, world.ann.character])
        db.run("DELETE FROM vrm_models WHERE id = %s", [model])
        db.run("DELETE FROM audio_files WHERE id = %s", [anns.ids["audio_files"]])
    home = create(db, world.ann.id, slug="home")
    db.run("UPDATE knowledge_bases SET character_id = %s WHERE id = %s", [home, anns.ids["knowledge_bases"]])
    db.run("DELETE FROM characters WHERE id = %s", [home])
    for name, column in {
        "characters": "vrm_model_id",
        "messages": "audio_file_id",
        "archived_messages": "audio_file_id",
        "knowledge_bases": "character_id",
    }.items():
        row = db.row(f"SELECT {column}, user_id FROM {name} WHERE id = %s", [anns.ids[name]])
        assert row == (None, world.ann.id), name


@pytest.mark.rule("VRM-24", "accepts")
def test_with_an_account_goes_what_is_theirs_and_nothing_of_others(db: Person, world: World, anns: Belongings) -> None:
    """Bob's talks with Ann's character stay, without him."""
    bobs = everything_of(db, world.bob, world.ann.character)
    before = contents_of(db, world.ann)
    with db.as_service():
        db.run("DELETE FROM users WHERE id = %s", [world.bob.id])
    assert contents_of(db, world.ann) == before
    # A log outlives what it tells of.
    assert {row[0] for row in contents_of(db, world.bob)} == {"audit_logs"}
    stays = {*TALKS, "messages", "archived_messages", "audio_files"}
    for name, table in TABLES.items():
        if name == "audit_logs":
            continue
        rows = db.rows(f"SELECT {table.owner} FROM {name} WHERE {table.id} = %s", [bobs.ids[name]])
        assert rows == ([(None,)] if name in stays else []), name
        assert db.rows(f"SELECT FROM {name} AS t WHERE position(%s IN t::text) > 0", [str(world.bob.id)]) == []


@pytest.mark.rule("VRM-24", "accepts")
def test_with_an_account_go_the_talks_with_its_characters(db: Person, world: World, anns: Belongings) -> None:
    bobs = everything_of(db, world.bob, world.ann.character)
    with db.as_service():
        db.run("DELETE FROM users WHERE id = %s", [world.ann.id])
    kept = {row[0] for row in contents_of(db, world.bob)}
    assert kept == {*TABLES} - {*TALKS, "messages", "archived_messages"}
    assert db.rows("SELECT FROM messages UNION ALL SELECT FROM archived_messages") == []
    assert db.value("SELECT user_id FROM audio_files WHERE id = %s", [bobs.ids["audio_files"]]) == world.bob.id


@pytest.mark.rule("VRM-24", "refuses")
def test_nobody_removes_an_account_or_a_character(db: Person, world: World, anns: Belongings, bobs: Belongings) -> None:
    with db.as_user(world.ann.sub):
        for table in ("users", "characters"):
            for mine in (anns, bobs):
                with db.refused(sqlstate="42501"):
                    db.run(f"DELETE FROM {table} WHERE id = %s", [mine.ids[table]])


def test_everything_that_refers_to_a_row_goes_with_it_or_lets_it_go(db: Person) -> None:
    """So that a table not yet written cannot block the deletion of an account."""
    keys = db.rows(
        "SELECT DISTINCT conname AS name, confdeltype::text AS action FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = %s::regnamespace",
        [db.schema],
    )
    assert {row.name for row in keys if row.action == "n"} == {
        "archived_conversations_user_id_fkey",
        "archived_messages_audio_file_id_fkey",
        "audio_files_user_id_fkey",
        "characters_vrm_model_id_fkey",
        "conversations_user_id_fkey",
        "knowledge_bases_character_id_fkey",
        "messages_audio_file_id_fkey",
    }
    assert {row.action for row in keys} == {"c", "n"}


def test_every_relation_is_accounted_for(db: Person) -> None:
    relations = db.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"
        # The runner's own, on which nothing is granted.
        " AND relname !~ '^_?(yoyo|companion|runner)' AND NOT relispartition",
        [db.schema],
    )
    assert {row.relname for row in relations} == {*TABLES, *VISITORS_TABLES, *OTHER_RELATIONS}
