"""What somebody may see and change, whatever they say: random statements against the model of model.py.

`make fuzz` makes 100,000 in each system, others each time; `make test` the same few thousand.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import note
from hypothesis import strategies as st

from tests.fuzz.conftest import Attempts
from tests.fuzz.judge import judge
from tests.fuzz.statements import Draw, statement
from tests.fuzz.world import World
from tests.mutants.make import mutants, step_into

# In one world, on average.
STATEMENTS = 40

# A fault in each that must be found: what tests/mutants takes away.
FAULTS = {
    "aurum": "policy: journal_entries.journal_entries_user_access using true",
    "chatvrm": "policy: audio_files.audio_files_user_read using true",
    "hugo": "policy: user_memories.um_user_access check true",
    "othello": "policy: messages.messages_user_access using true",
    "thinking_partner": "caller: get_document_with_stats",
}


def attempt(draw: Draw, world: World, made: Counter[tuple[str, str]]) -> None:
    """Make another world of it, and let somebody make statements there."""
    with world.undone():
        for _ in range(draw(st.integers(0, 4))):
            world.vary(*draw(st.tuples(st.integers(0, 2), st.integers(0, 500), st.integers(0, 2**16))))
        who = draw(st.sampled_from([*world.people * 3, *world.others]))
        note(f"-- {who.name}, whose token says {who.claims}")
        # Like this each can be left out when a failure is made smaller.
        while draw(st.integers(0, STATEMENTS)):
            one = statement(draw, world, who)
            note(f"{one.text};")
            made[one.command, judge(world, who, one).sqlstate or "done"] += 1


def test_nobody_sees_or_changes_what_is_not_theirs(world: World, attempts: Attempts, statements: int) -> None:
    made: Counter[tuple[str, str]] = Counter()
    while (missing := statements - sum(made.values())) > 0:
        # Hypothesis begins with small worlds.
        attempts(50 + missing // STATEMENTS, lambda draw: attempt(draw, world, made))
    print(f"{sum(made.values())} statements: {dict(made.most_common())}")
    # Who can do nothing can do nothing wrong.
    assert {(command, "done") for command in ("SELECT", "INSERT", "UPDATE", "DELETE", "CALL")} <= made.keys()


def test_a_fault_is_found(world: World, attempts: Attempts) -> None:
    fault = FAULTS[world.system]
    with world.undone():
        planted = [one for one in mutants(world.conn, world.system) if f" {fault}" in one.id]
        assert planted, fault
        step_into(world.conn, world.system)
        world.conn.execute(planted[0].sql.encode())
        with pytest.raises(AssertionError):
            attempts(600, lambda draw: attempt(draw, world, Counter()), small=False)
