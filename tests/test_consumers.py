"""Consumers as other people write them: SQLAlchemy's reflection, pgvector's adapter, psycopg's pool."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest
from pgvector import Vector
from pgvector.psycopg import register_vector
from pgvector.sqlalchemy import VECTOR
from psycopg_pool import ConnectionPool
from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, func, insert, select, text, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.automap import automap_base
from sqlalchemy.orm import Session, configure_mappers
from sqlalchemy.pool import NullPool
from sqlalchemy.types import NullType

from tests import vectors
from tests.aurum import world as aurum
from tests.chatvrm import world as chatvrm
from tests.databases import INSTANCES
from tests.hugo import world as hugo
from tests.othello import world as othello
from tests.people import Person
from tests.people import insert as insert_row
from tests.thinking_partner import world as thinking_partner

SYSTEM = {schema: system for system, schemas in INSTANCES.items() for schema in schemas}

# pgvector's type has to be found by its bare name, by SQLAlchemy as by the adapter.
VECTOR_PATH = "-c search_path=extensions"


@pytest.fixture
def engine(shared_database: str) -> Engine:
    """SQLAlchemy on the database with all instances; who connects rolls back."""
    return create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(shared_database, options=VECTOR_PATH),
        poolclass=NullPool,
    )


@pytest.fixture
def sa(engine: Engine) -> Iterator[Connection]:
    """A connection of SQLAlchemy whose transaction is rolled back."""
    with engine.connect() as connection:
        yield connection


def driver(sa: Connection) -> psycopg.Connection[Any]:
    """Return the psycopg connection below."""
    found = sa.connection.driver_connection
    assert isinstance(found, psycopg.Connection)
    return found


def reflect(sa: Connection, schema: str) -> MetaData:
    """Reflect a schema with its views; nothing may warn."""
    metadata = MetaData()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        metadata.reflect(sa, schema=schema, views=True)
    return metadata


# What is reflected


RELATIONS = """
SELECT relname, relkind IN ('r', 'p') FROM pg_class
WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
"""
COLUMNS = """
SELECT
    c.relname, a.attname, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, a.attidentity <> '',
    a.attgenerated <> '',
    ARRAY(SELECT e.enumlabel::text FROM pg_enum AS e WHERE e.enumtypid = a.atttypid ORDER BY e.enumsortorder)
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE c.relnamespace = %s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
"""
KEYS = """
SELECT
    c.relname, k.conname, k.contype::text, own.names,
    f.relnamespace::regnamespace::text || '.' || f.relname, referred.names
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid
LEFT JOIN pg_class AS f ON f.oid = k.confrelid
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY u.n) AS names
    FROM unnest(k.conkey) WITH ORDINALITY AS u (num, n)
    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.num
) AS own
CROSS JOIN LATERAL (
    SELECT array_agg(a.attname::text ORDER BY u.n) AS names
    FROM unnest(k.confkey) WITH ORDINALITY AS u (num, n)
    JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = u.num
) AS referred
WHERE k.connamespace = %s::regnamespace AND k.contype IN ('p', 'f')
"""


def type_name(type_: Any) -> str:
    """Return SQLAlchemy's type as the server writes it."""
    name = type_.compile(postgresql.dialect()).lower()
    return name.replace("varchar", "character varying").replace(", ", ",")


@pytest.mark.parametrize("schema", ["platform", *SYSTEM])
def test_reflection_finds_everything_there_is(sa: Connection, schema: str) -> None:
    metadata = reflect(sa, schema)
    relations = dict(driver(sa).execute(RELATIONS, [schema]).fetchall())
    assert {table.name for table in metadata.tables.values() if table.schema == schema} == {*relations}

    wanted = {}
    for relation, column, type_, null, identity, generated, labels in driver(sa).execute(COLUMNS, [schema]):
        # SQLAlchemy says VARCHAR for the name of an object.
        wanted[relation, column] = (
            "character varying" if type_ == "name" else type_.replace('"', ""),
            null, identity, generated, labels,
        )  # fmt: skip
    columns = {
        (table.name, column.name): column
        for table in metadata.tables.values()
        if table.schema == schema
        for column in table.columns
    }
    assert not [name for name, column in columns.items() if isinstance(column.type, NullType)]
    assert {
        name: (
            type_name(column.type),
            bool(column.nullable),
            column.identity is not None,
            column.computed is not None,
            getattr(column.type, "enums", []),
        )
        for name, column in columns.items()
    } == wanted

    tables = [metadata.tables[f"{schema}.{name}"] for name, is_table in relations.items() if is_table]
    primary, foreign = {}, {}
    for relation, name, kind, own, referred, theirs in driver(sa).execute(KEYS, [schema]):
        if kind == "p":
            primary[relation] = own
        else:
            foreign[relation, name] = (own, referred, theirs)
    assert {table.name: list(table.primary_key.columns.keys()) for table in tables} == primary
    # Looking at the column of an element resolves it.
    assert {
        (table.name, key.name): (
            list(key.column_keys),
            key.referred_table.fullname,
            [element.column.name for element in key.elements],
        )
        for table in tables
        for key in table.foreign_key_constraints
    } == foreign


@pytest.mark.parametrize("schema", ["platform", *SYSTEM])
def test_tables_come_after_those_they_refer_to(sa: Connection, schema: str) -> None:
    metadata = reflect(sa, schema)
    with warnings.catch_warnings():
        # It warns of a cycle.
        warnings.simplefilter("error")
        place = {table: number for number, table in enumerate(metadata.sorted_tables)}
    assert place.keys() == {*metadata.tables.values()}
    referring = {
        (table, key.referred_table)
        for table in place
        for key in table.foreign_key_constraints
        if key.referred_table is not table
    }
    assert [f"{one} before {other}" for one, other in referring if place[one] < place[other]] == []
    assert bool(referring) == (schema != "platform")


# What an application does with it


@dataclass(frozen=True)
class Application:
    """A row that Ann, with her token, inserts, and what she is refused: by constraint, table and values."""

    ann: str
    bob: str
    table: str
    row: dict[str, Any]
    refused: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)


def of_hugo(db: Person) -> Application:
    world = hugo.build_world(db)
    memory = {"user_id": world.ann, "app_id": world.app, "memory_type": "user_preference", "content": "Likes tea"}
    closed = {"user_id": world.ann, "app_id": world.app, "session_id": uuid4(), "closed_at": "infinity"}
    return Application(
        str(world.ann),
        str(world.bob),
        "user_memories",
        memory,
        {
            "um_importance_check": ("user_memories", {**memory, "importance": 2}),
            "conversations_insert_open_check": ("conversations", closed),
        },
    )


def of_othello(db: Person) -> Application:
    world = othello.build_world(db)
    own, foreign = othello.begin(db, world.ann), othello.begin(db, world.bob)
    message = {
        "role": "user",
        "conversation_id": own,
        "content": "Hello",
        "reasoning_trace": {"steps": ["a", {"b": None}]},
    }
    return Application(
        str(world.ann.external_id),
        str(world.bob.external_id),
        "messages",
        message,
        {
            "messages_content_check": ("messages", {**message, "content": " "}),
            "messages_conversation_id_fkey": ("messages", {**message, "conversation_id": foreign}),
        },
    )


def of_thinking_partner(db: Person) -> Application:
    world = thinking_partner.build_world(db)
    memory = {
        "user_id": world.ann.id,
        "content": "Likes tea",
        "tags": ["drinks", "it's"],
        "entities": {"people": ["Ann"], "places": []},
        "embedding": place(0.5, 0.25),
    }
    paid = {"name": "Mine", "owner_id": world.ann.id, "subscription_status": "pro"}
    return Application(
        str(world.ann.id),
        str(world.bob.id),
        "memories",
        memory,
        {
            "memories_tags_check": ("memories", {**memory, "tags": ["a", "a"]}),
            "workspaces_subscription_authority_check": ("workspaces", paid),
        },
    )


def of_chatvrm(db: Person) -> Application:
    world = chatvrm.build_world(db)
    knowledge = chatvrm.collect(db, world.ann)
    document = chatvrm.upload(db, knowledge)
    chunk = {"document_id": document, "content": "A part", "chunk_index": 3, "embedding": place(0.5, 0.25)}
    character = {"user_id": world.ann.id, "name": "Sol", "slug": "Not a slug", "system_prompt": "Be kind"}
    return Application(
        world.ann.sub,
        world.bob.sub,
        "document_chunks",
        chunk,
        {
            "characters_slug_check": ("characters", character),
            "conversations_character_id_fkey": (
                "conversations",
                {"character_id": world.bob.character, "user_id": world.ann.id},
            ),
        },
    )


def of_aurum(db: Person) -> Application:
    world = aurum.build_world(db)
    task = {
        "user_id": world.ann.id,
        "project_id": world.ann.project,
        "name": "Stretch",
        "dependency_task_ids": [world.ann.task],
    }
    return Application(
        str(world.ann.id),
        str(world.bob.id),
        "tasks",
        task,
        {
            "chk_task_status": ("tasks", {**task, "status": "never"}),
            "tasks_dependency_task_ids_fkey": ("tasks", {**task, "dependency_task_ids": [world.bob.task]}),
        },
    )


APPLICATIONS: dict[str, Callable[[Person], Application]] = {
    "hugo": of_hugo,
    "othello": of_othello,
    "thinking_partner": of_thinking_partner,
    "chatvrm": of_chatvrm,
    "aurum": of_aurum,
}


def place(*leading: float) -> list[float]:
    """Return an embedding with these leading coordinates, then zeros."""
    return [*leading, *[0.0] * (vectors.DIMENSIONS - len(leading))]


@dataclass(frozen=True)
class Search:
    """Three rows of Ann's that wait for an embedding, and the function that finds them."""

    ann: str
    bob: str
    table: str
    embedding: str
    rows: list[dict[str, Any]]
    id: str
    call: str
    given: dict[str, Any] = field(default_factory=dict)


PLACES = [place(0.0, 1.0), place(1.0), place(0.8, 0.6)]


def prepare_search(db: Person) -> Search:
    """Set the stage as the owner."""
    if SYSTEM[db.schema] == "aurum":
        world = aurum.build_world(db)
        row = {"user_id": world.ann.id, "project_id": world.ann.project, "name": "Stretch", "description": "Gently"}
        return Search(
            *(str(world.ann.id), str(world.bob.id), "tasks", "description_embedding", [row] * 3),
            *("entity_id", "rag_search(%(query)s)"),
        )
    if SYSTEM[db.schema] == "chatvrm":
        people = chatvrm.build_world(db)
        base = chatvrm.collect(db, people.ann, character_id=people.ann.character)
        with db.as_service():
            document = chatvrm.upload(db, base, status="completed")
        chunks = [{"document_id": document, "content": "A part", "chunk_index": number} for number in range(3)]
        return Search(
            *(people.ann.sub, people.bob.sub, "document_chunks", "embedding", chunks),
            *("id", "search_character_knowledge(%(character)s, %(query)s)", {"character": people.ann.character}),
        )
    users = thinking_partner.build_world(db)
    return Search(
        *(str(users.ann.id), str(users.bob.id), "memories", "embedding"),
        [{"user_id": users.ann.id, "content": "Likes tea"}] * 3,
        *("id", "search_memories(%(query)s, %(user)s, similarity_threshold => -1)", {"user": users.ann.id}),
    )


with_embeddings = pytest.mark.parametrize(
    "schema", [name for name in SYSTEM if SYSTEM[name] in ("thinking_partner", "chatvrm", "aurum")]
)


def become(sa: Connection, sub: str) -> None:
    """Act as a user until the transaction ends."""
    sa.execute(text("SET LOCAL ROLE authenticated"))
    claims = json.dumps({"sub": sub, "role": "authenticated"})
    sa.execute(select(func.set_config("request.jwt.claims", claims, True)))


def prepare(sa: Connection, schema: str) -> tuple[Application, dict[str, Table]]:
    """Set the stage as the owner; return what the application does, and the reflected tables by their bare names."""
    application = APPLICATIONS[SYSTEM[schema]](Person(driver(sa), schema))
    sa.execute(text("SET LOCAL search_path = extensions"))
    tables = reflect(sa, schema).tables.values()
    return application, {table.name: table for table in tables if table.schema == schema}


def plain(values: Any) -> dict[str, Any]:
    """Return a row as a dict, with the first two coordinates of embeddings."""
    return {
        name: value[:2] if name.endswith("embedding") and value is not None else value for name, value in values.items()
    }


@pytest.mark.parametrize("schema", SYSTEM)
def test_a_user_writes_and_reads_through_reflected_tables(sa: Connection, schema: str) -> None:
    application, tables = prepare(sa, schema)
    table = tables[application.table]
    become(sa, application.ann)
    inserted = sa.execute(insert(table).values(application.row).returning(table)).one()._mapping
    assert inserted.keys() == table.columns.keys()
    sent = plain(application.row)
    assert {name: plain(inserted)[name] for name in sent} == sent
    own = table.c.id == inserted["id"]
    assert sa.execute(select(table).where(own)).one()._mapping == inserted
    said = table.c.content if "content" in table.c else table.c.name
    changed = update(table).where(own).values({said: "Changed"}).returning(said)
    assert sa.execute(changed).scalars().all() == ["Changed"]
    become(sa, application.bob)
    assert sa.execute(select(table).where(own)).all() == []
    assert sa.execute(changed).all() == []


@pytest.mark.parametrize("schema", SYSTEM)
def test_the_name_of_the_rule_that_refuses_reaches_the_application(sa: Connection, schema: str) -> None:
    application, tables = prepare(sa, schema)
    become(sa, application.ann)
    named = {}
    for name, values in application.refused.values():
        with pytest.raises(DBAPIError) as caught, sa.begin_nested():
            sa.execute(insert(tables[name]).values(values))
        assert isinstance(caught.value.orig, psycopg.Error)
        diag = caught.value.orig.diag
        named[diag.constraint_name] = (diag.schema_name, diag.table_name)
    assert named == {constraint: (schema, name) for constraint, (name, _) in application.refused.items()}


@with_embeddings
def test_a_query_orders_a_users_rows_by_distance(sa: Connection, schema: str) -> None:
    search = prepare_search(Person(driver(sa), schema))
    sa.execute(text("SET LOCAL search_path = extensions"))
    table = reflect(sa, schema).tables[f"{schema}.{search.table}"]
    embedding = table.c[search.embedding]
    assert isinstance(embedding.type, VECTOR)
    assert embedding.type.dim == vectors.DIMENSIONS
    sa.execute(text("SET LOCAL ROLE service_role"))
    ids = [
        sa.execute(insert(table).values({**row, embedding.name: values}).returning(table.c.id)).scalar_one()
        for row, values in zip(search.rows, PLACES, strict=True)
    ]
    distance = embedding.cosine_distance(place(1))
    query = select(table.c.id, distance).where(embedding.is_not(None)).order_by(distance)
    become(sa, search.ann)
    found = sa.execute(query).all()
    assert [id for id, _ in found] == [ids[1], ids[2], ids[0]]
    assert [away for _, away in found] == pytest.approx([0, 0.2, 1])
    become(sa, search.bob)
    assert sa.execute(query).all() == []


@pytest.mark.parametrize("schema", INSTANCES["hugo"])
def test_automap_finds_what_belongs_to_what(sa: Connection, schema: str) -> None:
    application, tables = prepare(sa, schema)
    base = automap_base(metadata=next(iter(tables.values())).metadata)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A foreign key over two columns shares its second one, the owner, with the key to users.
        warnings.filterwarnings("ignore", "relationship .* will copy column .* which conflicts with", append=False)
        base.prepare()
        configure_mappers()
    user, app, conversation, message = (base.classes[name] for name in ("users", "apps", "conversations", "messages"))
    become(sa, application.ann)
    with Session(sa) as session:
        ann = session.get_one(user, UUID(application.ann))
        coach = session.execute(select(app).where(app.app_id == "coach")).scalar_one()
        begun = conversation(session_id=uuid4(), users=ann, apps=coach)
        begun.messages_collection += [message(role="user", content=content) for content in ("Hello", "Are you there?")]
        session.add(begun)
        session.flush()
        session.expire_all()
        assert ann.conversations_collection == [begun]
        assert begun.apps is coach
        assert {one.content for one in begun.messages_collection} == {"Hello", "Are you there?"}
        # The trigger's count, not the application's.
        assert begun.message_count == 2


# pgvector's adapter


@pytest.fixture
def adapted(shared_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection with pgvector's adapter, in a transaction that is rolled back."""
    with psycopg.connect(shared_database, options=VECTOR_PATH) as conn:
        register_vector(conn)
        yield conn
        conn.rollback()


def test_the_adapter_finds_the_type_where_the_search_path_leads_to_it(shared_database: str) -> None:
    with psycopg.connect(shared_database) as conn:
        with pytest.raises(psycopg.ProgrammingError, match="vector type not found"):
            register_vector(conn)
        conn.execute('SET search_path = "$user", public, extensions')
        register_vector(conn)
        value = Vector([1, 2, 3])
        # What is registered is the type itself, wherever the path leads afterwards.
        conn.execute("SET search_path = pg_catalog")
        row = conn.execute("SELECT %s, pg_typeof(%s)::text", [value, value]).fetchone()
        assert row == (value, "extensions.vector")
        conn.rollback()


@pytest.mark.parametrize("make", [Vector, np.array], ids=["Vector", "numpy"])
@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@with_embeddings
def test_searches_take_and_give_vectors(
    adapted: psycopg.Connection[Any], schema: str, binary: bool, make: Callable[[list[float]], Any]
) -> None:
    search = prepare_search(Person(adapted, schema))
    cursor = adapted.cursor(binary=binary)
    # Neither the type nor its operators are on the caller's path.
    cursor.execute("SET LOCAL search_path = pg_catalog")
    cursor.execute("SET LOCAL ROLE service_role")
    ids = []
    for row, values in zip(search.rows, PLACES, strict=True):
        columns = {**row, search.embedding: make(values)}
        names, marks = ", ".join(columns), ", ".join(f"%({name})s" for name in columns)
        cursor.execute(f"INSERT INTO {schema}.{search.table} ({names}) VALUES ({marks}) RETURNING id".encode(), columns)
        ids += cursor.fetchall()
    given = {"query": make(place(1)), **search.given}
    call = f"SELECT {search.id}, similarity FROM {schema}.{search.call}".encode()
    read = f"SELECT id, {search.embedding} FROM {schema}.{search.table} WHERE {search.embedding} IS NOT NULL".encode()
    cursor.execute("SET LOCAL ROLE authenticated")
    cursor.execute("SELECT set_config('request.jwt.claims', %s, TRUE)", [json.dumps({"sub": search.ann})])
    found = cursor.execute(call, given).fetchall()
    assert [(id,) for id, _ in found] == [ids[1], ids[2], ids[0]]
    assert [similarity for _, similarity in found] == pytest.approx([1, 0.8, 0])
    stored = dict(cursor.execute(read).fetchall())
    assert {type(value) for value in stored.values()} == {Vector}
    assert [stored[id].to_list()[:2] for (id,) in ids] == [pytest.approx(values[:2]) for values in PLACES]
    cursor.execute("SELECT set_config('request.jwt.claims', %s, TRUE)", [json.dumps({"sub": search.bob})])
    assert cursor.execute(read).fetchall() == []


# psycopg's pool


@dataclass(frozen=True)
class Prepared:
    """Ann and Bob, and by prepared statement its arguments and the call of a function that says the same."""

    ann: str
    bob: str
    statements: dict[str, tuple[str, str]]


def prepared(db: Person) -> Prepared:
    """Set the stage as the owner."""
    query = vectors.vector(1)
    if SYSTEM[db.schema] == "hugo":
        world = hugo.build_world(db)
        hugo.say(db, hugo.begin(db, world.ann, world.app), "Secret")
        insert_row(db, "knowledge_entries", knowledge_base_id=world.kb, title="Trust", content="Trust grows slowly")
        return Prepared(
            str(world.ann),
            str(world.bob),
            {
                "get_chat_context": (f"'coach', '{world.ann}'", f"get_chat_context('coach', '{world.ann}')"),
                "search_knowledge": ("'trust', 'coach', 5", "search_knowledge('trust', 'coach', 5)"),
            },
        )
    if SYSTEM[db.schema] == "aurum":
        people = aurum.build_world(db)
        aurum.write(db, people.ann, content_embedding=query)
        aurum.add_task(db, people.ann, description="Gently", description_embedding=query)
        aurum.say(db, people.ann, message_embedding=query)
        names = ("rag_search", "find_similar_journal_entries", "find_similar_tasks", "search_conversation_memory")
        calls = {name: (f"'{query}'", f"{name}('{query}')") for name in names}
        return Prepared(str(people.ann.id), str(people.bob.id), calls)
    users = thinking_partner.build_world(db)
    ann = users.ann
    thinking_partner.remember(db, ann, embedding=query, project_id=ann.project)
    session = thinking_partner.open_session(db, ann)
    insert_row(db, "session_messages", session_id=session, role="user", content="Secret", sequence_number=1)
    document = thinking_partner.upload(db, ann)
    thinking_partner.cut(db, document, embedding=query)
    found = f"'{query}', '{ann.id}', '{ann.project}'"
    return Prepared(
        str(ann.id),
        str(users.bob.id),
        {
            "search_memories": (found, f"search_memories({found})"),
            "session_history": (f"'{session}'", f"get_session_messages('{session}')"),
            "match_chunks": (f"'{query}', '{document}'", f"match_chunks('{query}', '{document}')"),
        },
    )


@pytest.fixture
def login(own_database: str) -> Iterator[str]:
    """A role without rights of its own that may act as the API roles."""
    name = f"companion_test_app_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(own_database, autocommit=True) as conn:
        conn.execute(f"DROP ROLE IF EXISTS {name}")
        conn.execute(f"CREATE ROLE {name} NOINHERIT IN ROLE anon, authenticated, service_role")
        yield name
        conn.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("schema", [name for name in SYSTEM if SYSTEM[name] in ("hugo", "thinking_partner", "aurum")])
def test_statements_prepared_as_a_pool_opens_a_connection_stay_with_it(
    own_database: str, schema: str, login: str
) -> None:
    with psycopg.connect(own_database, autocommit=True) as conn:
        stage = prepared(Person(conn, schema))

    def configure(conn: psycopg.Connection[Any]) -> None:
        conn.execute(f"SET SESSION AUTHORIZATION {login}")
        conn.execute("SET LOCAL ROLE authenticated")
        conn.execute(f"SELECT {schema}.prepare_statements()")
        conn.commit()

    def reset(conn: psycopg.Connection[Any]) -> None:
        conn.execute("RESET ALL")
        conn.commit()

    def ask(conn: psycopg.Connection[Any], sub: str, sql: str) -> list[Any]:
        """Return the rows a user gets, or the SQLSTATE of the refusal."""
        with conn.transaction():
            conn.execute("SET LOCAL ROLE authenticated")
            conn.execute("SELECT set_config('request.jwt.claims', %s, TRUE)", [json.dumps({"sub": sub})])
            conn.execute("SET LOCAL search_path = pg_catalog")
            try:
                with conn.transaction():
                    return conn.execute(sql.encode()).fetchall()
            except psycopg.Error as error:
                return [error.sqlstate]

    def check(conn: psycopg.Connection[Any]) -> int:
        """See that the statements give each user what the functions give; return the server's process."""
        assert conn.execute("SELECT current_user").fetchone() == (login,)
        for name, (arguments, call) in stage.statements.items():
            for sub in (stage.ann, stage.bob):
                direct = ask(conn, sub, f"SELECT * FROM {schema}.{call}")
                assert ask(conn, sub, f"EXECUTE {name} ({arguments})") == direct
            assert len(ask(conn, stage.ann, f"EXECUTE {name} ({arguments})")) >= 1
        # A failed transaction does not take them away.
        with pytest.raises(psycopg.errors.DivisionByZero):
            conn.execute("SELECT 1/0")
        return conn.info.backend_pid

    # Without this psycopg prepares statements of its own, and after a ROLLBACK it deallocates all there are.
    options = {"prepare_threshold": None}
    with ConnectionPool(own_database, kwargs=options, min_size=3, max_size=4, configure=configure, reset=reset) as pool:
        pool.wait(timeout=30)
        for wanted in (3, 3, 4):
            with ExitStack() as stack:
                conns = [stack.enter_context(pool.connection()) for _ in range(wanted)]
                pids = {check(conn) for conn in conns}
                assert len(pids) == wanted
        # The one that was opened last for want of another, and one in place of a lost one.
        with pool.connection() as lost:
            gone = lost.info.backend_pid
            lost.close()
        with ExitStack() as stack:
            again = {check(stack.enter_context(pool.connection())) for _ in range(4)}
        assert len(again - pids) == 1
        assert gone not in again


@pytest.mark.parametrize("schema", INSTANCES["hugo"])
@pytest.mark.parametrize(("threshold", "left"), [(None, 2), (0, 0)])
def test_what_psycopg_prepares_itself_takes_ours_along(
    own_database: str, schema: str, threshold: int | None, left: int
) -> None:
    """What the README says of prepare_threshold."""
    with psycopg.connect(own_database, prepare_threshold=threshold) as conn:
        conn.execute(f"SELECT {schema}.prepare_statements()")
        conn.commit()
        conn.execute("SELECT %s", [1])
        conn.rollback()
        names = conn.execute(
            "SELECT name FROM pg_prepared_statements WHERE name IN ('get_chat_context', 'search_knowledge')"
        ).fetchall()
        assert len(names) == left
