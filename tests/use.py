"""Each system in use, in short: what a person writes, sees and calls, and what others do not see of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from tests.people import Person, outcome
from tests.vectors import vector


@dataclass(frozen=True)
class Use:
    """How a person uses a system. The parameters of statements are sub, email and embedding; a call has id instead."""

    sign_up: str  # by a service; where `of_auth`, the person is in auth.users already
    write: Sequence[str]
    tables: Sequence[str]  # in each of which the person then has one row
    call: str  # given the id of that in the first table; it answers nobody else
    of_auth: bool = False
    later: Sequence[str] = ()  # what a service calls to make further objects


USES = {
    "aurum": Use(
        "INSERT INTO user_profiles (id, username) VALUES (%(sub)s, 'ann')",
        [
            "INSERT INTO pillars (user_id, name) VALUES (current_user_id(), 'Health')",
            "INSERT INTO areas (user_id, pillar_id, name) SELECT user_id, id, 'Sport' FROM pillars",
            "INSERT INTO projects (user_id, area_id, name) SELECT user_id, id, 'Marathon' FROM areas",
            "INSERT INTO tasks (user_id, project_id, name) SELECT user_id, id, 'Run' FROM projects",
        ],
        ["user_profiles", "pillars", "areas", "projects", "tasks"],
        "SELECT * FROM refresh_user_statistics(%(id)s)",
        of_auth=True,
    ),
    "chatvrm": Use(
        "INSERT INTO users (email, auth0_id) VALUES (%(email)s, %(sub)s)",
        [
            "INSERT INTO characters (user_id, name, slug, system_prompt)"
            " VALUES (current_user_id(), 'Luna', 'luna', 'Be kind')",
            "INSERT INTO conversations (character_id, user_id) SELECT id, user_id FROM characters",
            "INSERT INTO messages (conversation_id, role, content) SELECT id, 'user', 'Hello' FROM conversations",
        ],
        ["conversations", "messages", "characters", "users"],
        "SELECT * FROM get_conversation_messages(%(id)s)",
        later=["SELECT create_message_partition('2340-01-01')"],
    ),
    "hugo": Use(
        "INSERT INTO users (oriva_user_id, email) VALUES (%(sub)s, %(email)s);"
        "INSERT INTO knowledge_bases (kb_id, title, app_ids) VALUES ('facts', 'Facts', '{coach}');"
        "INSERT INTO apps (app_id, display_name, domain, knowledge_base_ids)"
        " VALUES ('coach', 'Coach', 'career', '{facts}')",
        [
            "INSERT INTO conversations (session_id, user_id, app_id)"
            " SELECT gen_random_uuid(), current_user_id(), id FROM apps",
            "INSERT INTO messages (conversation_id, role, content) SELECT id, 'user', 'Hello' FROM conversations",
        ],
        ["users", "conversations", "messages"],
        "SELECT * FROM get_user_context(%(id)s, 'coach')",
    ),
    "othello": Use(
        "INSERT INTO users (external_id, email, password_hash)"
        " VALUES (%(sub)s, %(email)s, '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b4dWRWJTmaaJObG')",
        [
            "UPDATE consent_tiers SET tier_level = 'suggestive' WHERE scope = 'health' AND is_active",
            "INSERT INTO conversations (user_id) VALUES (current_user_id())",
            "INSERT INTO messages (conversation_id, role, content) SELECT id, 'user', 'Hello' FROM conversations",
        ],
        ["users_public", "conversations", "messages"],
        "SELECT t FROM effective_tier(%(id)s, 'health') AS t WHERE t = 'suggestive'",
    ),
    "thinking_partner": Use(
        "SELECT",
        [
            "SELECT get_or_create_workspace()",
            "INSERT INTO memories (user_id, content, embedding) VALUES (current_user_id(), 'Likes tea', %(embedding)s)",
        ],
        ["memories", "workspaces"],
        "SELECT s.* FROM memories AS m, search_memories(m.embedding, m.user_id) AS s WHERE m.id = %(id)s",
        of_auth=True,
    ),
}
SYSTEMS = sorted(USES)


def counts(db: Person, tables: Sequence[str]) -> dict[str, int]:
    """Return how many rows somebody sees in each of the tables."""
    return {table: db.value(f"SELECT count(*) FROM {table}") for table in tables}


def use(used: Use, api: Person, auth: Person) -> None:
    """Let Ann use an instance, see that Bob and a visitor get nothing of hers, and commit.

    `api` may act as anybody, `auth` keeps the accounts.
    """
    ann, bob = uuid4(), uuid4()
    signing_up = [(ann, "ann"), (bob, "bob")] if used.of_auth else [(ann, "ann")]
    for sub, name in signing_up:
        auth.run("INSERT INTO auth.users (id, email) VALUES (%s, %s)", [sub, f"{name}-{sub}@example.org"])
    auth.conn.commit()

    given = {"sub": str(ann), "email": f"ann-{ann}@example.org", "embedding": vector(1.0)}
    with api.as_service():
        for statement in used.sign_up.split(";"):
            api.run(statement, given)
    with api.as_user(ann):
        for statement in used.write:
            assert api.run(statement, given) == 1, statement
        assert counts(api, used.tables) == dict.fromkeys(used.tables, 1)
        call = {"id": api.value(f"SELECT id FROM {used.tables[0]}")}
        assert outcome(api, used.call, call) == (1,)
    with api.as_user(bob):
        assert counts(api, used.tables) == dict.fromkeys(used.tables, 0)
        assert outcome(api, used.call, call)[0] in (0, "42501", "P0002")
    with api.as_anon():
        for statement in [*(f"SELECT FROM {table}" for table in used.tables), *used.write]:
            assert outcome(api, statement, given)[0] == "42501", statement
        assert outcome(api, used.call, call)[0] == "42501"
    api.conn.commit()

    if used.of_auth:
        # Under the search_path and with the rights of the authentication server.
        auth.run("RESET search_path")
        assert auth.run("DELETE FROM auth.users WHERE id = %s", [ann]) == 1
        auth.conn.commit()
    with api.as_service():
        left = counts(api, [table for table in used.tables if not table.endswith("_public")])
    assert left == dict.fromkeys(left, 0 if used.of_auth else 1)
    api.conn.commit()


def run_jobs(owner: Person) -> None:
    """Run every job as pg_cron would: as the role that applied, under its own search_path."""
    assert owner.value("SELECT platform.is_service()")
    commands = owner.rows("SELECT command FROM jobs")
    assert commands
    owner.run("RESET search_path")
    for (command,) in commands:
        owner.run(command)
