"""What somebody may see and change, whatever they say: random statements against the model of model.py.

`make fuzz` makes 100,000 in each system, others each time; `make test` the same few thousand.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import note
from hypothesis import strategies as st

from tests.fuzz.conftest import Attempts
from tests.fuzz.judge import judge
from tests.fuzz.statements import Draw, statement
from tests.fuzz.world import World

# In one world, on average.
STATEMENTS = 40


def test_nobody_sees_or_changes_what_is_not_theirs(world: World, attempts: Attempts) -> None:
    made: Counter[tuple[str, str]] = Counter()

    def attempt(draw: Draw) -> None:
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

    # Hypothesis begins with small worlds.
    attempts(2 / STATEMENTS, attempt)
    print(f"{sum(made.values())} statements: {dict(made)}")
