"""Knowledge entries: their form, how they are found by text, and how their use is counted."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.hugo.world import World, build_world
from tests.people import Person, blocked, insert

BLANK = ["", " ", "\n\t\r ", "\u00a0", "\u2003\u200b", "\u3000\ufeff", "\v\f"]


def add_entry(db: Person, base: UUID, title: str = "Title", content: str = "Content", **columns: Any) -> UUID:
    return insert(db, "knowledge_entries", knowledge_base_id=base, title=title, content=content, **columns)


@pytest.mark.rule("HUGO-12", "accepts")
@pytest.mark.parametrize("text", ["a", " a ", "…", "👍", "é", "\u200bx", "x" * 100_000])
def test_title_and_content_say_something(db: Person, world: World, text: str) -> None:
    with db.as_service():
        entry = add_entry(db, world.kb, text, text)
    assert db.row("SELECT title, content FROM knowledge_entries WHERE id = %s", [entry]) == (text, text)


@pytest.mark.rule("HUGO-12", "refuses")
@pytest.mark.parametrize("column", ["title", "content"])
@pytest.mark.parametrize("text", BLANK)
def test_a_blank_title_or_content_is_refused(db: Person, world: World, column: str, text: str) -> None:
    with db.as_service():
        entry = add_entry(db, world.kb)
        with db.refused(f"ke_{column}_check", "23514"):
            add_entry(db, world.kb, **{column: text})
        with db.refused(f"ke_{column}_check"):
            db.run(f"UPDATE knowledge_entries SET {column} = %s WHERE id = %s", [text, entry])


@pytest.mark.rule("HUGO-12", "refuses")
@pytest.mark.parametrize(
    "column", ["knowledge_base_id", "title", "content", "access_count", "created_at", "updated_at"]
)
def test_what_every_entry_has_cannot_be_null(db: Person, world: World, column: str) -> None:
    entry = {"knowledge_base_id": world.kb, "title": "Title", "content": "Content", column: None}
    with db.as_service(), db.refused(sqlstate="23502") as caught:
        insert(db, "knowledge_entries", **entry)
    assert caught.value.diag.column_name == column


@pytest.mark.rule("HUGO-12", "accepts")
@pytest.mark.parametrize("section", [None, 0, 1, 2147483647])
def test_a_section_number_is_zero_or_more(db: Person, world: World, section: int | None) -> None:
    with db.as_service():
        entry = add_entry(db, world.kb, section_number=section)
    assert db.value("SELECT section_number FROM knowledge_entries WHERE id = %s", [entry]) == section


@pytest.mark.rule("HUGO-12", "refuses")
@pytest.mark.parametrize("section", [-1, -2147483648])
def test_a_negative_section_number_is_refused(db: Person, world: World, section: int) -> None:
    with db.as_service(), db.refused("ke_section_number_check", "23514"):
        add_entry(db, world.kb, section_number=section)


@pytest.mark.rule("HUGO-12", "accepts")
def test_a_category_is_one_that_operators_have_listed(db: Person, world: World) -> None:
    with db.as_service():
        for category in (None, "principles", "techniques", "examples"):
            assert add_entry(db, world.kb, category=category)
        db.run("INSERT INTO knowledge_categories (category) VALUES ('exercises')")
        entry = add_entry(db, world.kb, category="exercises")
    assert db.value("SELECT category FROM knowledge_entries WHERE id = %s", [entry]) == "exercises"


@pytest.mark.rule("HUGO-12", "refuses")
@pytest.mark.parametrize("category", ["", "Principles", "unknown"])
def test_any_other_category_is_refused(db: Person, world: World, category: str) -> None:
    with db.as_service(), db.refused("knowledge_entries_category_fkey", "23503"):
        add_entry(db, world.kb, category=category)


@pytest.mark.rule("HUGO-12", "refuses")
def test_a_category_in_use_stays_and_has_a_proper_name(db: Person, world: World) -> None:
    with db.as_service():
        add_entry(db, world.kb, category="examples")
        with db.refused("knowledge_entries_category_fkey", "23503"):
            db.run("DELETE FROM knowledge_categories WHERE category = 'examples'")
        with db.refused("knowledge_categories_category_check", "23514"):
            db.run("INSERT INTO knowledge_categories (category) VALUES ('Two Words')")
        with db.refused("knowledge_categories_pkey", "23505"):
            db.run("INSERT INTO knowledge_categories (category) VALUES ('examples')")


def test_an_entry_belongs_to_a_knowledge_base(db: Person, world: World) -> None:
    with db.as_service():
        entry = add_entry(db, world.kb)
        with db.refused("knowledge_entries_knowledge_base_id_fkey", "23503"):
            db.run("UPDATE knowledge_entries SET knowledge_base_id = gen_random_uuid() WHERE id = %s", [entry])


def weights(db: Person, entry: UUID) -> dict[str, str]:
    """The words an entry is found by, each with its weights."""
    return dict(
        db.rows(
            "SELECT w.lexeme, array_to_string(w.weights, '')"
            " FROM knowledge_entries AS ke, unnest(ke.search_vector) AS w WHERE ke.id = %s",
            [entry],
        )
    )


@pytest.mark.rule("HUGO-13", "accepts")
def test_words_weigh_by_where_they_stand_and_follow_every_change(db: Person, world: World) -> None:
    with db.as_service():
        entry = add_entry(db, world.kb, "Trust", "Listening with trust", tags=["calm", "deep listening"])
        assert weights(db, entry) == {"trust": "AB", "listen": "BC", "calm": "C", "deep": "C"}
        db.run("UPDATE knowledge_entries SET title = 'Breathing' WHERE id = %s", [entry])
        assert weights(db, entry) == {"breath": "A", "trust": "B", "listen": "BC", "calm": "C", "deep": "C"}
        db.run("UPDATE knowledge_entries SET content = 'Silence', tags = NULL WHERE id = %s", [entry])
        assert weights(db, entry) == {"breath": "A", "silenc": "B"}
        db.run("UPDATE knowledge_entries SET tags = '{rest,NULL,rest}' WHERE id = %s", [entry])
        assert weights(db, entry) == {"breath": "A", "silenc": "B", "rest": "CC"}


@pytest.mark.rule("HUGO-13", "refuses")
def test_nobody_writes_the_search_vector(db: Person, world: World) -> None:
    with db.as_service():
        entry = add_entry(db, world.kb)
        with db.refused(sqlstate="428C9"):
            db.run("UPDATE knowledge_entries SET search_vector = '' WHERE id = %s", [entry])
        with db.refused(sqlstate="428C9"):
            add_entry(db, world.kb, search_vector="lie")


@pytest.mark.rule("HUGO-13", "accepts")
def test_content_is_indexed_up_to_its_bound(db: Person, world: World) -> None:
    filler = "the " * 24_998
    with db.as_service():
        entry = add_entry(db, world.kb, "Title", filler + "within. beyond")
    assert len(filler + "within.") == 99_999
    assert weights(db, entry) == {"titl": "A", "within": "B"}
    assert db.value("SELECT length(content) FROM knowledge_entries WHERE id = %s", [entry]) == 100_006


# Texts of a megabyte and a little more; the hardest are those that the parser gives twice, as a whole and in parts, of
# characters that take four bytes.
TEXTS = {
    "words": "string_agg(md5(n::text), ' ') FROM generate_series(1, 31000) AS n",
    "short words": "string_agg(to_hex(n), ' ') FROM generate_series(1, 180000) AS n",
    "compounds": "string_agg(md5(n::text), CASE WHEN n % 50 = 0 THEN ' ' ELSE '-' END)"
    " FROM generate_series(1, 31000) AS n",
    "short compounds": "string_agg(to_hex(n), CASE WHEN n % 300 = 0 THEN ' ' ELSE '-' END)"
    " FROM generate_series(1, 180000) AS n",
    "letters": "string_agg(chr(n), '-') FROM generate_series(131072, 173000) AS n, generate_series(1, 5)",
    "long letters": "string_agg(repeat(chr(n), 11), CASE WHEN n % 40 = 0 THEN ' ' ELSE '-' END)"
    " FROM generate_series(131072, 173000) AS n",
    "web addresses": "string_agg(format('http://w%s.example.org/%s/%s?q=%s', n, md5(n::text), n, n), ' ')"
    " FROM generate_series(1, 15000) AS n",
    "mail addresses": "string_agg(format('%s@w%s.example.org', md5(n::text), n), ' ')"
    " FROM generate_series(1, 20000) AS n",
    "file names": "string_agg(format('/usr/%s/%s.txt', n, md5(n::text)), ' ') FROM generate_series(1, 23000) AS n",
    "one word": "repeat('x', 1000000)",
    "numbers": "string_agg(format('-%s.%s', n, n), ' ') FROM generate_series(1, 80000) AS n",
    "markup": "repeat('<a href=\"x\">&nbsp;</a>', 46000)",
}


@pytest.mark.rule("HUGO-13", "accepts")
@pytest.mark.parametrize(
    ("kind", "times"), [*((kind, 1) for kind in TEXTS), ("words", 10), ("letters", 10), ("one word", 10)]
)
def test_any_text_of_one_and_of_ten_megabytes_is_stored(db: Person, world: World, kind: str, times: int) -> None:
    statement = f"""
        INSERT INTO knowledge_entries (knowledge_base_id, title, content)
        SELECT %(kb)s, t.big, repeat(t.big, %(times)s) FROM (SELECT {TEXTS[kind].replace("%", "%%")}) AS t (big)
        RETURNING octet_length(title) AS title, octet_length(content) AS content
    """
    with db.as_service():
        lengths = db.row(statement, {"kb": world.kb, "times": times})
    assert lengths.title >= 1_000_000
    assert lengths.content == times * lengths.title


@pytest.mark.rule("HUGO-13", "accepts")
def test_a_megabyte_of_tags_is_stored(db: Person, world: World) -> None:
    tags = [f"{number:032}" for number in range(31_000)]
    with db.as_service():
        entry = add_entry(db, world.kb, tags=tags)
        assert db.value("SELECT id FROM knowledge_entries WHERE tags @> %s", [[tags[-1]]]) == entry


@pytest.mark.rule("HUGO-13", "accepts")
@pytest.mark.parametrize("length", [2046, 2047, 3000])
def test_a_word_too_long_to_be_indexed_is_stored(db: Person, world: World, length: int) -> None:
    with db.as_service():
        entry = add_entry(db, world.kb, "Title", "x" * length + " end")
    # The longest word that is indexed has 2046 characters, from PostgreSQL 16 on one less than before.
    assert weights(db, entry).keys() - {"x" * 2046, "x" * 2047} == {"titl", "end"}
    assert db.value("SELECT length(content) FROM knowledge_entries WHERE id = %s", [entry]) == length + 4


COUNT_ONE = "SELECT increment_ke_access(%s)"
COUNT_MANY = "SELECT increment_knowledge_access(ARRAY[%s]::uuid[])"


@pytest.mark.rule("HUGO-14", "accepts")
def test_accesses_are_counted_for_the_entries_named(db: Person, world: World) -> None:
    with db.as_service():
        one, two, other = (add_entry(db, world.kb) for _ in range(3))
        db.run(COUNT_ONE, [one])
        db.run("SELECT increment_knowledge_access(%s)", [[one, two, one, None]])
        for nothing in (None, []):
            db.run("SELECT increment_knowledge_access(%s::uuid[])", [nothing])
        db.run("SELECT increment_ke_access(NULL)")
        db.run("SELECT increment_ke_access(gen_random_uuid())")
    counts = db.rows(
        "SELECT id, access_count, last_accessed_at = now() FROM knowledge_entries ORDER BY access_count DESC"
    )
    assert counts == [(one, 3, True), (two, 1, True), (other, 0, None)]


@pytest.mark.rule("HUGO-14", "accepts")
@pytest.mark.parametrize("count", [COUNT_ONE, COUNT_MANY])
def test_fifty_concurrent_calls_add_exactly_fifty(connect: Callable[[], Person], count: str) -> None:
    sessions = [connect() for _ in range(10)]
    entry = add_entry(sessions[0], build_world(sessions[0]).kb)

    def call(session: Person) -> None:
        with session.as_service():
            for _ in range(5):
                session.run(count, [entry])

    with ThreadPoolExecutor(len(sessions)) as pool:
        for future in [pool.submit(call, session) for session in sessions]:
            future.result(timeout=30)
    assert sessions[0].value("SELECT access_count FROM knowledge_entries") == 50


@pytest.mark.rule("HUGO-14", "accepts")
@pytest.mark.parametrize("count", [COUNT_ONE, COUNT_MANY])
def test_a_count_waits_for_another_and_adds_to_it(connect: Callable[[], Person], count: str) -> None:
    first, second = connect(), connect()
    entry = add_entry(first, build_world(first).kb)
    first.run("BEGIN")
    first.run(COUNT_ONE, [entry])
    with blocked(second, first, count, [entry]):
        first.run("COMMIT")
    assert first.value("SELECT access_count FROM knowledge_entries") == 2


@pytest.mark.rule("HUGO-14", "accepts")
def test_entries_are_locked_in_one_order(connect: Callable[[], Person]) -> None:
    holder, counter = connect(), connect()
    base = build_world(holder).kb
    low, high = sorted(uuid4() for _ in range(2))
    for stored in (high, low):
        add_entry(holder, base, id=stored)
    holder.run("BEGIN")
    holder.run(COUNT_ONE, [low])
    with blocked(counter, holder, "SELECT increment_knowledge_access(%s)", [[high, low]]):
        holder.run("SELECT 1 FROM knowledge_entries WHERE id = %s FOR UPDATE NOWAIT", [high])
        holder.run("COMMIT")
    assert holder.rows("SELECT access_count FROM knowledge_entries ORDER BY id") == [(2,), (1,)]


@pytest.mark.rule("HUGO-14", "refuses")
@pytest.mark.parametrize("count", [COUNT_ONE, COUNT_MANY])
def test_only_the_service_counts_accesses(db: Person, world: World, count: str) -> None:
    entry = add_entry(db, world.kb)
    with db.as_user(world.ann), db.refused(sqlstate="42501"):
        db.run(count, [entry])
    with db.as_anon(), db.refused(sqlstate="42501"):
        db.run(count, [entry])
    assert db.value("SELECT access_count FROM knowledge_entries") == 0


@pytest.mark.rule("HUGO-14", "refuses")
def test_a_count_is_never_negative(db: Person, world: World) -> None:
    with db.as_service(), db.refused("ke_access_count_check", "23514"):
        add_entry(db, world.kb, access_count=-1)


@pytest.mark.rule("HUGO-15", "refuses")
def test_an_entry_is_seen_where_its_knowledge_base_is(db: Person, world: World) -> None:
    draft = insert(db, "knowledge_bases", kb_id="draft", title="Draft", app_ids=["coach"], is_active=False)
    shown, hidden = add_entry(db, world.kb), add_entry(db, draft)
    with db.as_user(world.ann):
        assert db.rows("SELECT id FROM knowledge_entries") == [(shown,)]
        assert db.rows("SELECT 1 FROM knowledge_entries WHERE id = %s", [hidden]) == []
    db.run("UPDATE knowledge_entries SET knowledge_base_id = %s", [draft])
    with db.as_user(world.ann):
        assert db.rows("SELECT id FROM knowledge_entries") == []
