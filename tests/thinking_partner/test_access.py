"""What belongs to one person stays closed to another, who knows every id and tries everything.

Ann is the one who tries, Bob the one who is to notice nothing. Each has a row in every table, once within a project and
once, where a table allows that, without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.people import Person, contents, insert, insertion, outcome
from tests.thinking_partner.world import User, World, cut, open_session, order, remember, schedule, upload
from tests.vectors import vector

READ, APPEND, WRITE = {"SELECT"}, {"SELECT", "INSERT"}, {"SELECT", "INSERT", "UPDATE", "DELETE"}


@dataclass(frozen=True)
class Table:
    """What the rows of a table belong to, what a row needs, what a user may change in it and do with it."""

    owner: str
    # The column that refers to the parent, its table, and whether a row may be moved to another parent of the owner's.
    key: str = ""
    parent: str = ""
    movable: bool = False
    needed: dict[str, Any] = field(default_factory=dict)
    change: str = "created_at"
    may: set[str] = field(default_factory=lambda: WRITE)

    @property
    def inherits(self) -> bool:
        """Whether the owner is filled in from the parent."""
        return self.parent not in ("", "projects") or self.change == "task"


MESSAGE = {"role": "user", "content": "Mine", "sequence_number": 7}
TABLES = {
    "workspaces": Table("owner_id", needed={"name": "Mine"}, change="name"),
    "projects": Table("owner_id", "workspace_id", "workspaces", True, {"name": "Mine"}, "name"),
    "memories": Table("user_id", "project_id", "projects", True, {"content": "Mine"}, "content"),
    "chat_sessions": Table("user_id", "project_id", "projects", True, {}, "session_type"),
    "session_messages": Table("user_id", "session_id", "chat_sessions", needed=MESSAGE, change="content"),
    "documents": Table(
        "user_id", "project_id", "projects", True, {"filename": "mine.md", "file_type": "md"}, "filename"
    ),
    "chunks": Table(
        "user_id", "document_id", "documents", needed={"content": "Mine", "chunk_index": 7}, change="content"
    ),
    "work_tickets": Table(
        "owner_id", "project_id", "projects", True, {"task": "Mine", "agent_type": "research"}, "task"
    ),
    "work_outputs": Table(
        "owner_id",
        "ticket_id",
        "work_tickets",
        needed={"title": "Mine", "output_type": "text", "content": "Mine"},
        change="title",
        may=APPEND,
    ),
    "subscription_events": Table(
        "owner_id", "workspace_id", "workspaces", needed={"event_type": "mine"}, change="event_type", may=READ
    ),
    "scheduled_messages": Table(
        "owner_id",
        "workspace_id",
        "workspaces",
        needed={"scheduled_for": "2020-01-01", "message_type": "mine", "recipient_email": "ann@example.org"},
        change="subject",
        may=READ,
    ),
    "email_delivery_log": Table(
        "owner_id",
        "scheduled_message_id",
        "scheduled_messages",
        needed={"recipient": "ann@example.org"},
        change="subject",
        may=READ,
    ),
}
# Whose rows are scoped to a project or count in all of them.
SCOPED = ("memories", "chat_sessions", "session_messages", "documents", "chunks")

Ids = dict[str, UUID]


@dataclass(frozen=True)
class Belongings:
    """The ids of what a person has, by table: within a project, and (in SCOPED) without."""

    owner: User
    within: Ids
    without: Ids


def everything_of(db: Person, user: User) -> Belongings:
    """Give a user a row in every table."""

    def conversation(project: UUID | None) -> Ids:
        source = {"embedding": vector(1.0), "project_id": project}
        session, document = open_session(db, user, project_id=project), upload(db, user, project_id=project)
        said = {"role": "user", "content": "Private", "sequence_number": 1}
        return {
            "memories": remember(db, user, "Private", **source),
            "chat_sessions": session,
            "session_messages": insert(db, "session_messages", session_id=session, **said),
            "documents": document,
            "chunks": cut(db, document, embedding=vector(1.0), content="Private"),
        }

    ticket, message = order(db, user, task="Private"), schedule(db, user, subject="Private")
    output = {"title": "Private", "output_type": "text", "content": "Private"}
    within = {
        "workspaces": user.workspace,
        "projects": user.project,
        **conversation(user.project),
        "work_tickets": ticket,
        "work_outputs": insert(db, "work_outputs", ticket_id=ticket, **output),
        "subscription_events": insert(
            db, "subscription_events", workspace_id=user.workspace, event_type="subscription_created"
        ),
        "scheduled_messages": message,
        "email_delivery_log": insert(
            db, "email_delivery_log", scheduled_message_id=message, recipient="ann@example.org", subject="Private"
        ),
    }
    return Belongings(user, within, within | conversation(None))


def contents_of(db: Person, user: User) -> list[tuple[str, ...]]:
    """Return all rows of a user, with their places and by whom they were written."""
    return contents(db, {name: table.owner for name, table in TABLES.items()}, user.id)


@pytest.fixture
def anns(db: Person, world: World) -> Belongings:
    return everything_of(db, world.ann)


@pytest.fixture
def bobs(db: Person, world: World) -> Iterator[Belongings]:
    """What Bob has; afterwards all of it must be as it was, not even written anew, and nothing be added."""
    has = everything_of(db, world.bob)
    before = contents_of(db, world.bob)
    assert {row[0] for row in before} == {*TABLES}
    yield has
    assert contents_of(db, world.bob) == before


def attempt(db: Person, name: str, given: dict[str, Any], conflict: str = "") -> tuple[Any, ...]:
    """Insert a row with what it needs and these values, and return the outcome."""
    return insertion(db, name, {**TABLES[name].needed, **given}, conflict)


@pytest.mark.rule("TP-24", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_reads_or_changes_rows_of_another(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    for theirs in (bobs.within, bobs.without):
        given = {"id": theirs[name], "owner": world.bob.id, "me": world.ann.id, "parent": theirs.get(table.parent)}
        wheres = ["id = %(id)s", f"{table.owner} = %(owner)s", *([f"{table.key} = %(parent)s"] if table.key else [])]
        with db.as_user(world.ann.id):
            for where in wheres:
                for verb, statement in (
                    ("SELECT", f"SELECT * FROM {name} WHERE {where}"),
                    ("SELECT", f"SELECT 1 / ({where})::integer - 1 FROM {name} WHERE {where}"),
                    ("UPDATE", f"SELECT id FROM {name} WHERE {where} FOR KEY SHARE"),
                    ("UPDATE", f"UPDATE {name} SET {table.change} = NULL WHERE {where}"),
                    ("UPDATE", f"UPDATE {name} SET {table.owner} = %(me)s WHERE {where}"),
                    ("DELETE", f"DELETE FROM {name} WHERE {where}"),
                ):
                    learned = outcome(db, statement, given)
                    assert learned[0] == (0 if verb in table.may else "42501"), (statement, learned)


@pytest.mark.rule("TP-02", "refuses")
@pytest.mark.rule("TP-24", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_adds_rows_to_another(db: Person, world: World, anns: Belongings, bobs: Belongings, name: str) -> None:
    """Neither as theirs, nor to what is theirs; their parent is like one that does not exist."""
    table = TABLES[name]
    mine, nobody = anns.within, uuid4()
    for theirs in (bobs.within, bobs.without):
        parent = {table.key: mine[table.parent]} if table.key else {}
        foreign = {table.key: theirs[table.parent]} if table.key else {}
        with db.as_user(world.ann.id):
            assert attempt(db, name, {table.owner: world.bob.id, **parent})[0] == "42501"
            if not table.key:
                continue
            # Where a UNIQUE column would tell something first, the parent is looked up in any case.
            looked_up = "INSERT" in table.may and name in ("session_messages", "chunks")
            learned = attempt(db, name, {table.owner: world.bob.id, **foreign})
            assert learned[0] == ("23503" if looked_up else "42501")
            assert learned == attempt(db, name, {table.owner: world.bob.id, table.key: nobody})
            for owner in ({table.owner: world.ann.id}, *([{}] if table.inherits else [])):
                learned = attempt(db, name, owner | foreign)
                if "INSERT" in table.may:
                    assert learned[:2] == ("23503", f"{name}_{table.key}_fkey")
                else:
                    assert learned[0] == "42501"
                assert learned == attempt(db, name, owner | {table.key: nobody})


@pytest.mark.rule("TP-24", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_moves_their_rows_to_another(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    for mine, theirs in ((anns.within, bobs.within), (anns.without, bobs.without)):
        given = {"id": mine[name], "owner": world.bob.id, "parent": theirs.get(table.parent), "nobody": uuid4()}
        moves = {f"{table.owner} = %(owner)s": f"{name}_immutable_check"}
        if table.key:
            moves[f"{table.owner} = %(owner)s, {table.key} = %(parent)s"] = f"{name}_immutable_check"
            moves[f"{table.key} = %(parent)s"] = (
                f"{name}_{table.key}_fkey" if table.movable else f"{name}_immutable_check"
            )
        with db.as_user(world.ann.id):
            for move, rule in moves.items():
                learned = outcome(db, f"UPDATE {name} SET {move} WHERE id = %(id)s", given)
                if "UPDATE" in table.may:
                    assert learned[:2] == ("23503" if rule.endswith("_fkey") else "23514", rule)
                else:
                    assert learned[0] == "42501"
                missed = outcome(db, f"UPDATE {name} SET {move} WHERE id = %(id)s".replace("parent", "nobody"), given)
                assert learned == missed


@pytest.mark.rule("TP-24", "refuses")
@pytest.mark.parametrize("name", TABLES)
def test_nobody_overwrites_rows_of_another_by_sending_their_id(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    for theirs in (bobs.within, bobs.without):
        given = {"id": theirs[name], table.owner: world.ann.id}
        given |= {table.key: anns.within[table.parent]} if table.key else {}
        overwrite = f"ON CONFLICT (id) DO UPDATE SET {table.change} = excluded.{table.change}"
        with db.as_user(world.ann.id):
            assert attempt(db, name, given, overwrite)[0] == "42501"
            learned = attempt(db, name, given, "ON CONFLICT (id) DO NOTHING")
            assert learned[0] == (0 if "INSERT" in table.may else "42501")
            learned = attempt(db, name, given)
            assert learned[:2] == (("23505", f"{name}_pkey") if "INSERT" in table.may else ("42501", None))
            assert learned[3] is None, "the rows of others are not shown"


# Each function that takes an id, with those of one person; what it says of another's: the rows it gives, or SQLSTATE
# and the name of the rule.
_SEARCH = "%(query)s::extensions.vector"
CALLS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "search_memories": (
        f"SELECT * FROM search_memories({_SEARCH}, %(users)s, %(projects)s, 20, 0)",
        ("42501", "memories_search_user_check"),
    ),
    "match_chunks": (
        f"SELECT * FROM match_chunks({_SEARCH}, %(documents)s, 5, 0)",
        ("P0002", "chunks_document_id_fkey"),
    ),
    "get_document_with_stats": (
        "SELECT * FROM get_document_with_stats(%(documents)s)",
        ("P0002", "documents_pkey"),
    ),
    "forget_memory": ("SELECT * FROM forget_memory(%(memories)s)", ("P0002", "memories_pkey")),
    "append_session_message": (
        "SELECT * FROM append_session_message(%(chat_sessions)s, 'user', 'Mine')",
        ("P0002", "session_messages_session_id_fkey"),
    ),
    "get_session_messages": ("SELECT * FROM get_session_messages(%(chat_sessions)s)", (0,)),
    **{
        f"get_or_create_chat_session, {scope}": (
            f"SELECT * FROM get_or_create_chat_session(%(users)s, %(projects)s, 'thinking_partner', '{scope}')",
            ("42501", "chat_sessions_user_check"),
        )
        for scope in ("daily", "project", "conversation")
    },
    "get_or_create_chat_session for nobody": (
        "SELECT * FROM get_or_create_chat_session(nullif(%(users)s, %(users)s), NULL)",
        ("42501", "chat_sessions_user_check"),
    ),
    **{
        f"get_or_create_chat_session in a project, {scope}": (
            f"SELECT * FROM get_or_create_chat_session(current_user_id(), %(projects)s, p_scope => '{scope}')",
            ("23503", "chat_sessions_project_id_fkey"),
        )
        for scope in ("daily", "project", "conversation")
    },
}


def call_with(db: Person, call: str, of: Belongings | None) -> tuple[Any, ...]:
    """Call a function with the ids of what a person has, or with such as nobody has."""
    ids = of.within | {"users": of.owner.id} if of else dict.fromkeys(("users", *TABLES), uuid4())
    return outcome(db, CALLS[call][0], {**ids, "query": vector(1.0)})


@pytest.mark.rule("TP-05", "refuses")
@pytest.mark.rule("TP-12", "refuses")
@pytest.mark.parametrize("call", CALLS)
def test_no_function_serves_another(db: Person, world: World, anns: Belongings, bobs: Belongings, call: str) -> None:
    """Nor says more of them than of nobody."""
    with db.as_user(world.ann.id):
        learned = call_with(db, call, bobs)
        assert learned[: len(CALLS[call][1])] == CALLS[call][1]
        assert learned == call_with(db, call, None)
        if len(learned) > 1:
            assert learned[5:7] == ((learned[5], db.schema)), "a refusal names table and schema"
            assert learned[5]
    with db.as_anon():
        assert call_with(db, call, bobs)[0] == "42501"


@pytest.mark.rule("TP-05", "accepts")
@pytest.mark.rule("TP-12", "accepts")
@pytest.mark.parametrize("call", CALLS)
def test_the_functions_are_for_what_is_ones_own(db: Person, world: World, anns: Belongings, call: str) -> None:
    """Else they would refuse for another reason than whose it is; a service may name anybody."""
    with db.as_user(world.ann.id):
        if call.endswith("for nobody"):
            assert call_with(db, call, anns)[:2] == CALLS[call][1]
            return
        # Of memories there are two, one of them without a project.
        assert call_with(db, call, anns) == (2 if call == "search_memories" else 1,)
    with db.as_service():
        if "in a project" in call:
            assert call_with(db, call, anns)[:2] == ("42501", "chat_sessions_user_check")
        else:
            assert call_with(db, call, anns) == (2 if call == "search_memories" else 1,)


@pytest.mark.rule("TP-05", "refuses")
def test_a_search_in_the_project_of_another_finds_ones_own_only(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    memories = f"SELECT id FROM search_memories({_SEARCH}, %(me)s, %(project)s, 200, -1)"
    chunks = f"SELECT id FROM search_chunks({_SEARCH}, %(project)s, 200)"
    with db.as_user(world.ann.id):
        for project, wanted in (
            (world.bob.project, {"memories": {anns.without["memories"]}, "chunks": {anns.without["chunks"]}}),
            (world.ann.project, {name: {anns.without[name], anns.within[name]} for name in ("memories", "chunks")}),
        ):
            given = {"query": vector(1.0), "me": world.ann.id, "project": project}
            assert {row.id for row in db.rows(memories, given)} == wanted["memories"]
            assert {row.id for row in db.rows(chunks, given)} == wanted["chunks"]


@pytest.mark.rule("TP-05", "refuses")
def test_who_is_nobody_searches_nothing(db: Person, world: World, anns: Belongings) -> None:
    given = {"query": vector(1.0), "me": world.ann.id}
    with db.as_service(), db.refused("chunks_search_user_check", "42501"):
        db.run(f"SELECT * FROM search_chunks({_SEARCH})", given)
    db.run("SELECT set_config('request.jwt.claims', '{}', TRUE)")
    db.run("SET LOCAL ROLE authenticated")
    for refused, call in (
        ("memories_search_user_check", f"search_memories({_SEARCH}, %(me)s)"),
        ("chunks_search_user_check", f"search_chunks({_SEARCH})"),
        ("chat_sessions_user_check", "get_or_create_chat_session(%(me)s, NULL)"),
        ("chat_sessions_user_check", "get_or_create_chat_session(NULL, NULL)"),
        ("workspaces_user_check", "get_or_create_workspace()"),
    ):
        with db.refused(refused, "42501"):
            db.run(f"SELECT {call}", given)
    assert db.rows(f"SELECT * FROM search_memories({_SEARCH}, NULL)", given) == []
    for name in TABLES:
        assert db.rows(f"SELECT * FROM {name}") == []


@pytest.mark.rule("TP-12", "refuses")
@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_what_is_the_services_alone(db: Person, world: World, bobs: Belongings, role: str) -> None:
    with db.as_anon() if role == "anon" else db.as_user(world.bob.id):
        for call in (
            "claim_pending_documents()",
            "claim_tickets()",
            "claim_due_messages()",
            "record_subscription_event(%(workspace)s, 'subscription_created', NULL, NULL, NULL, '{}')",
            "expire_subscriptions()",
        ):
            with db.refused(sqlstate="42501"):
                db.run(f"SELECT * FROM {call}", {"workspace": world.bob.workspace})


@pytest.mark.rule("TP-24", "refuses")
def test_who_states_the_owner_does_not_learn_what_anothers_rows_hold(db: Person, world: World) -> None:
    session, document = open_session(db, world.bob), upload(db, world.bob)
    insert(db, "session_messages", session_id=session, role="user", content="Hi", sequence_number=1)
    cut(db, document)
    said, with_chunk = {"role": "user", "content": "Hi", "sequence_number": 1}, {"content": "A part", "chunk_index": 0}
    with db.as_user(world.ann.id):
        for id in (session, uuid4()):
            with db.refused("session_messages_session_id_fkey", "23503"):
                insert(db, "session_messages", session_id=id, user_id=world.ann.id, **said)
        for id in (document, uuid4()):
            with db.refused("chunks_document_id_fkey", "23503"):
                insert(db, "chunks", document_id=id, user_id=world.ann.id, **with_chunk)


@pytest.mark.rule("TP-24", "refuses")
def test_visitors_get_nothing_anywhere(db: Person, bobs: Belongings) -> None:
    with db.as_anon():
        for name in (*TABLES, "job_runs", "jobs"):
            for statement in (
                f"SELECT FROM {name}",
                f"DELETE FROM {name}",
                f"INSERT INTO {name} DEFAULT VALUES",
                f"UPDATE {name} SET {'name' if name == 'jobs' else 'id'} = NULL",
                f"TRUNCATE {name}",
            ):
                with db.refused(sqlstate="42501"):
                    db.run(statement)
        for call in (
            f"search_chunks({_SEARCH})",
            "get_or_create_workspace()",
            "prepare_statements()",
            "current_user_id()",
            f"check_query_embedding({_SEARCH})",
        ):
            with db.refused(sqlstate="42501"):
                db.run(f"SELECT {call}", {"query": vector(1.0)})


@pytest.mark.rule("TP-24", "refuses")
@pytest.mark.parametrize(
    "statement",
    [
        "SET LOCAL row_security = off; SELECT * FROM memories",
        "ALTER TABLE memories DISABLE ROW LEVEL SECURITY",
        "CREATE POLICY mine ON memories USING (TRUE)",
        "CREATE TABLE mine (id bigint)",
        "TRUNCATE subscription_events",
        "SELECT * FROM job_runs",
        "SELECT * FROM jobs",
        "SET LOCAL session_replication_role = replica",
    ],
)
def test_nobody_gets_around_the_policies(db: Person, world: World, bobs: Belongings, statement: str) -> None:
    with db.as_user(world.ann.id), db.refused(sqlstate="42501"):
        for part in statement.split("; "):
            db.run(part)


@pytest.mark.rule("TP-24", "accepts")
@pytest.mark.parametrize("name", TABLES)
def test_what_everybody_may_do_with_their_own(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    table = TABLES[name]
    for mine in (anns.within, anns.without):
        given = {"id": mine[name], "new": table.needed.get(table.change, "Mine")}
        keys = {table.key: mine[table.parent]} if table.key else {}
        with db.as_user(world.ann.id):
            for owner in ({table.owner: world.ann.id}, *([{}] if table.inherits else [])):
                learned = attempt(db, name, owner | keys)
                assert learned[0] == (1 if "INSERT" in table.may else "42501"), learned
            for verb, statement in {
                "SELECT": f"SELECT id FROM {name} WHERE id = %(id)s",
                "UPDATE": f"UPDATE {name} SET {table.change} = %(new)s WHERE id = %(id)s",
                "DELETE": f"DELETE FROM {name} WHERE id = %(id)s",
            }.items():
                assert outcome(db, statement, given)[0] == (1 if verb in table.may else "42501"), verb


@pytest.mark.rule("TP-24", "accepts")
@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.inherits])
def test_what_hangs_on_a_row_belongs_to_its_owner(db: Person, anns: Belongings, bobs: Belongings, name: str) -> None:
    table = TABLES[name]
    with db.as_service():
        for belongings, other in ((anns, bobs), (bobs, anns)):
            given = {table.key: belongings.without[table.parent]}
            with db.conn.transaction(force_rollback=True):
                new = insert(db, name, **table.needed, **given)
                assert db.value(f"SELECT {table.owner} FROM {name} WHERE id = %s", [new]) == belongings.owner.id
            # Not even a service makes a row whose owner is not its parent's.
            learned = attempt(db, name, given | {table.owner: other.owner.id})
            assert learned[:2] == ("23503", f"{name}_{table.key}_fkey")


@pytest.mark.rule("TP-24", "accepts")
def test_everybody_sees_all_of_their_own_and_the_service_everything(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    for name, table in TABLES.items():
        ids = f"SELECT id FROM {name} WHERE {table.owner} = ANY (%s) ORDER BY id"
        own, everything = db.rows(ids, [[world.ann.id]]), db.rows(ids, [[world.ann.id, world.bob.id]])
        assert len(own) == (2 if name in SCOPED else 1)
        with db.as_user(world.ann.id):
            assert db.rows(f"SELECT id FROM {name} ORDER BY id") == own, name
        with db.as_service():
            assert db.rows(ids, [[world.ann.id, world.bob.id]]) == everything, name


# What becomes of rows in time; then they are sent back as they were read.
AGED = {
    "workspaces": "subscription_status = 'pro', subscription_expires_at = '2030-01-01', lemonsqueezy_customer_id = 'c',"
    " subscription_cancelled_at = now(), lemonsqueezy_subscription_id = 's'",
    "chat_sessions": "status = 'completed', started_at = '2020-01-01', ended_at = '2020-01-02'",
    "documents": "processing_status = 'failed', error_message = 'Torn'",
    "work_tickets": "status = 'completed', started_at = '2020-01-01', completed_at = '2020-01-02'",
}


@pytest.mark.rule("TP-24", "accepts")
@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if "UPDATE" in table.may])
def test_whole_rows_of_ones_own_may_be_sent_back(db: Person, world: World, anns: Belongings, name: str) -> None:
    """Clients that upsert name every column, those too that the database maintains."""
    given = {"id": anns.without[name]}
    # Without triggers, as if it had been in this state for long.
    db.run("SET LOCAL session_replication_role = replica")
    db.run(
        f"UPDATE {name} SET {AGED.get(name, '')}{', ' * (name in AGED)}created_at = '2020-01-01' WHERE id = %(id)s",
        given,
    )
    db.run("SET LOCAL session_replication_role = origin")
    row = db.row(f"SELECT * FROM {name} WHERE id = %(id)s", given)
    again = ", ".join(f"{column} = excluded.{column}" for column in row._fields)
    with db.as_user(world.ann.id):
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


@pytest.mark.rule("TP-24", "accepts")
@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.movable])
def test_rows_move_among_what_is_ones_own(db: Person, world: World, anns: Belongings, name: str) -> None:
    table = TABLES[name]
    other = insert(db, "workspaces", name="Second", owner_id=world.ann.id)
    if table.parent == "projects":
        other = insert(db, "projects", name="Second", workspace_id=other)
    move = f"UPDATE {name} SET {table.key} = %s WHERE id = %s RETURNING {table.key}"
    with db.as_user(world.ann.id):
        assert db.value(move, [other, anns.within[name]]) == other
        if name in SCOPED:
            assert db.value(move, [None, anns.within[name]]) is None


PAID = {
    "subscription_status": "pro",
    "subscription_expires_at": "2031-01-01",
    "subscription_cancelled_at": "2031-01-01",
    "lemonsqueezy_customer_id": "mine",
    "lemonsqueezy_subscription_id": "mine",
}


@pytest.mark.rule("TP-25", "refuses")
@pytest.mark.parametrize("column", PAID)
def test_nobody_gives_themselves_a_subscription(db: Person, world: World, column: str) -> None:
    sent = {"value": PAID[column], "id": world.ann.workspace, "me": world.ann.id}
    with db.as_user(world.ann.id):
        with db.refused("workspaces_subscription_authority_check", "42501"):
            db.run(f"UPDATE workspaces SET {column} = %(value)s", sent)
        with db.refused("workspaces_subscription_authority_check", "42501"):
            db.run(f"INSERT INTO workspaces (name, owner_id, {column}) VALUES ('Mine', %(me)s, %(value)s)", sent)
        with db.refused("workspaces_subscription_authority_check", "42501"):
            db.run(
                f"INSERT INTO workspaces (id, name, owner_id, {column}) VALUES (%(id)s, 'Mine', %(me)s, %(value)s)"
                f" ON CONFLICT (id) DO UPDATE SET {column} = excluded.{column}",
                sent,
            )
        assert db.value("SELECT subscription_status FROM get_or_create_workspace()") == "free"


@pytest.mark.rule("TP-25", "accepts")
@pytest.mark.parametrize("column", PAID)
def test_the_service_changes_what_is_paid_for(db: Person, world: World, column: str) -> None:
    with db.as_service():
        changed = f"UPDATE workspaces SET {column} = %s WHERE id = %s RETURNING {column}::text"
        assert db.value(changed, [PAID[column], world.ann.workspace]).startswith(PAID[column])
        stated = f"INSERT INTO workspaces (name, owner_id, {column}) VALUES ('Second', %s, %s) RETURNING {column}::text"
        assert db.value(stated, [world.ann.id, PAID[column]]).startswith(PAID[column])
    with db.as_user(world.ann.id):
        # The same value is no change, and all else is the owner's.
        assert db.run(f"UPDATE workspaces SET {column} = {column}, name = 'Mine', owner_email = 'ann@example.org'") == 2


STATEMENTS = {
    "search_memories": ("%(query)s, %(users)s, %(projects)s", f"search_memories({_SEARCH}, %(users)s, %(projects)s)"),
    "session_history": ("%(chat_sessions)s", "get_session_messages(%(chat_sessions)s)"),
    "match_chunks": ("%(query)s, %(documents)s", f"match_chunks({_SEARCH}, %(documents)s)"),
}


@pytest.mark.rule("TP-26", "accepts")
@pytest.mark.parametrize("path", ["{schema}, platform", "pg_catalog", "pg_temp, {schema}", "''"])
@pytest.mark.parametrize("name", STATEMENTS)
def test_prepared_statements_give_what_the_functions_give(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str, path: str
) -> None:
    arguments, call = STATEMENTS[name]
    with db.as_user(world.ann.id), psycopg.ClientCursor(db.conn) as cursor:
        db.run("SELECT prepare_statements()")
        given = {**anns.within, "users": world.ann.id, "query": vector(1.0)}
        # The server tells no type of a parameter of EXECUTE, so the values are written into the text.
        wanted = cursor.execute(f"SELECT * FROM {call}".encode(), given).fetchall()
        assert len(wanted) == (2 if name == "search_memories" else 1)
        db.run(f"SET LOCAL search_path = {path.format(schema=db.schema)}")
        for _ in range(7):
            assert cursor.execute(f"EXECUTE {name} ({arguments})".encode(), given).fetchall() == wanted
    db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')


@pytest.mark.rule("TP-26", "refuses")
@pytest.mark.parametrize("name", STATEMENTS)
def test_prepared_statements_keep_nothing_of_who_had_the_connection_before(
    db: Person, world: World, anns: Belongings, bobs: Belongings, name: str
) -> None:
    arguments, _ = STATEMENTS[name]
    execute = f"EXECUTE {name} ({arguments})".encode()
    given = {**bobs.within, "users": world.bob.id, "query": vector(1.0)}
    with psycopg.ClientCursor(db.conn) as cursor:
        with db.as_service():
            db.run("SELECT prepare_statements()")
            assert cursor.execute(execute, given).fetchall()
        with db.as_user(world.bob.id):
            for _ in range(7):
                assert cursor.execute(execute, given).fetchall()
        with db.as_user(world.ann.id):
            if name == "session_history":
                assert cursor.execute(execute, given).fetchall() == []
            else:
                with db.refused(
                    "memories_search_user_check" if name == "search_memories" else "chunks_document_id_fkey"
                ):
                    cursor.execute(execute, given)
        with db.as_anon(), db.refused(sqlstate="42501"):
            cursor.execute(execute, given)


@pytest.mark.rule("TP-26", "accepts")
def test_statements_may_be_prepared_again(db: Person, world: World) -> None:
    for act in (db.as_user(world.ann.id), db.as_service()):
        with act:
            db.run("SELECT prepare_statements()")
            db.run("SELECT prepare_statements()")
            names = db.rows("SELECT name, parameter_types::text[] AS types FROM pg_prepared_statements WHERE from_sql")
            assert {(row.name, len(row.types)) for row in names} == {
                ("search_memories", 3),
                ("session_history", 1),
                ("match_chunks", 2),
            }


@pytest.mark.rule("TP-24", "refuses")
def test_nobody_is_fooled_by_tables_and_functions_of_the_same_name(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    """A caller sets the search_path and may create temporary objects; what is ours never finds them."""
    for name, table in TABLES.items():
        # Ann knows what Bob's rows look like; in hers they are her own.
        db.run(f"CREATE TEMPORARY TABLE {name} AS SELECT * FROM {db.schema}.{name} WHERE id = %s", [bobs.within[name]])
        db.run(f"UPDATE pg_temp.{name} SET {table.owner} = %s", [world.ann.id])
        db.run(f"GRANT ALL ON pg_temp.{name} TO authenticated")
    with db.as_user(world.ann.id):
        db.run(f"CREATE FUNCTION pg_temp.current_user_id() RETURNS uuid RETURN '{world.bob.id}'::uuid")
        db.run("CREATE FUNCTION pg_temp.is_service() RETURNS boolean RETURN TRUE")
    real = f'"{db.schema}".'
    with db.as_user(world.ann.id):
        db.run(f'SET LOCAL search_path = pg_temp, "{db.schema}", platform')
        assert db.value("SELECT id FROM memories") == bobs.within["memories"], "the path was to be searched first"
        for call, (sql, refused) in CALLS.items():
            named = re.sub(r"FROM (\w+\()", rf"FROM {real}\1", sql).replace(
                "(current_user_id", f"({real}current_user_id"
            )
            ids = {**bobs.within, "users": world.bob.id, "query": vector(1.0)}
            assert outcome(db, named, ids)[: len(refused)] == refused, call
        with db.refused("session_messages_session_id_fkey"):
            db.run(
                f"INSERT INTO {real}session_messages (session_id, role, content, sequence_number)"
                " VALUES (%(chat_sessions)s, 'user', 'Mine', 7)",
                bobs.within,
            )
        with db.refused("workspaces_subscription_authority_check"):
            db.run(f"UPDATE {real}workspaces SET subscription_status = 'pro'")
        assert db.value(f"SELECT owner_id FROM {real}get_or_create_workspace()") == world.ann.id
    db.run(f'SET LOCAL search_path = "{db.schema}", platform, pg_temp')


@pytest.mark.rule("TP-28", "accepts")
def test_an_account_takes_everything_of_it_along_and_nothing_of_others(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    assert {row[0] for row in contents_of(db, world.ann)} == {*TABLES}
    # Work in progress holds nothing back, nor does a subscription that is paid.
    db.run("UPDATE work_tickets SET status = 'running' WHERE owner_id = %s", [world.ann.id])
    db.run("UPDATE workspaces SET subscription_status = 'pro' WHERE owner_id = %s", [world.ann.id])
    before = contents_of(db, world.bob)
    db.run("DELETE FROM auth.users WHERE id = %s", [world.ann.id])
    assert contents_of(db, world.ann) == []
    for name in TABLES:
        left = f"SELECT id FROM {name} WHERE id = ANY (%s) OR position(%s IN {name}::text) > 0"
        assert db.rows(left, [[anns.within[name], anns.without[name]], str(world.ann.id)]) == [], name
    assert contents_of(db, world.bob) == before


@pytest.mark.rule("TP-28", "refuses")
def test_nobody_removes_an_account_from_here(db: Person, world: World, bobs: Belongings) -> None:
    with db.as_user(world.ann.id), db.refused(sqlstate="42501"):
        db.run("DELETE FROM auth.users WHERE id = %s", [world.bob.id])


@pytest.mark.rule("TP-28", "accepts")
def test_everything_that_refers_to_somebody_goes_with_them(db: Person) -> None:
    """So that a table not yet written cannot block the deletion of an account."""
    keys = db.rows(
        "SELECT conname AS name, confdeltype::text AS action FROM pg_constraint"
        " WHERE contype = 'f' AND connamespace = %s::regnamespace",
        [db.schema],
    )
    assert len(keys) >= len(TABLES)
    assert {row.name for row in keys if row.action != "c"} == set()


@pytest.mark.rule("TP-02", "accepts")
def test_deleting_a_project_deletes_what_is_scoped_to_it_and_nothing_else(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    second = insert(db, "projects", name="Second", workspace_id=world.ann.workspace)
    kept = remember(db, world.ann, "Elsewhere", project_id=second)
    # Of a document that goes; the memory does not.
    derived = remember(db, world.ann, "Derived", source_ref=f'{{"document_id": "{anns.within["documents"]}"}}')
    with db.as_user(world.ann.id):
        assert db.run("DELETE FROM projects WHERE id = %s", [world.ann.project]) == 1
    gone = ("projects", *SCOPED, "work_tickets", "work_outputs")
    for name in TABLES:
        there = {row.id for row in db.rows(f"SELECT id FROM {name} WHERE {TABLES[name].owner} = %s", [world.ann.id])}
        wanted = {anns.without[name]} if name in SCOPED or name not in gone else set()
        wanted |= {"memories": {kept, derived}, "projects": {second}}.get(name, set())
        assert there == wanted, name


@pytest.mark.rule("TP-24", "accepts")
def test_deleting_a_workspace_deletes_what_is_in_it(
    db: Person, world: World, anns: Belongings, bobs: Belongings
) -> None:
    with db.as_user(world.ann.id):
        assert db.run("DELETE FROM workspaces") == 1
    assert {row[0] for row in contents_of(db, world.ann)} == {*SCOPED}
    ids = {
        row.id
        for name in SCOPED
        for row in db.rows(f"SELECT id FROM {name} WHERE {TABLES[name].owner} = %s", [world.ann.id])
    }
    assert ids == {anns.without[name] for name in SCOPED}


def test_every_table_is_accounted_for(db: Person) -> None:
    relations = db.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"
        # The runner's own, on which nothing is granted.
        " AND relname !~ '^_?(yoyo|companion|runner)'",
        [db.schema],
    )
    assert {row.relname for row in relations} == {*TABLES, "job_runs", "jobs"}
    keys = {row.relname: {*row.keys} for row in db.rows(_KEYS_SQL, [db.schema])}
    assert {name: keys[name] for name in TABLES} == {
        name: {"id", table.owner, *([table.key] if table.key else [])} for name, table in TABLES.items()
    }


# The columns that say whose a row is: the primary key, and what refers to rows of people.
_KEYS_SQL = """
SELECT c.relname, array_agg(DISTINCT a.attname) AS keys
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = ANY (k.conkey)
WHERE c.relnamespace = %s::regnamespace AND k.contype IN ('p', 'f')
GROUP BY c.relname
"""
