"""Every function that the API's roles may call, called with whatever somebody might send."""

from __future__ import annotations

from collections import Counter

from hypothesis import strategies as st

from tests.fuzz.catalog import Function
from tests.fuzz.conftest import Attempts
from tests.fuzz.judge import answers, changes
from tests.fuzz.statements import Draw, argument, call
from tests.fuzz.world import Outcome, Who, World

SERVICE = Who("a service", None, None, role="service_role")

# Expressions of what a type holds at its limits, and of what it does not hold.
LIMITS = {
    "text": [
        "''", "' '", "E'\\u00a0\\u2003'", "repeat('x', 1048576)", "repeat('word ', 200000)", "E'\\U0010FFFF'",
        "E'\\u202E\\u200B\\u0301'", "repeat(E'\\U0001F468\\u200D', 500)", "'''; DROP TABLE users; --'",
        "'$$ || pg_sleep(1) || $$'", "'%s %I %1$L'", "E'\\\\'", "'{\"a\": [1'", "'& | ! <-> (:*'", "'\"open quote -or'",
        "'(a+)+$'", "repeat('a', 3000) || ' ' || repeat('b', 3000)", "'null'", "'NaN'", "E'tab\\tline\\n'",
    ],
    "uuid": ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'", "'no uuid'"],
    "integer": ["0", "-1", "2147483647", "'-2147483648'", "'1e3'"],
    "bigint": ["0", "-1", "9223372036854775807", "'-9223372036854775808'", "'x'"],
    "boolean": ["TRUE", "FALSE", "'perhaps'"],
    "date": ["'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'", "'2023-02-30'", "current_date"],
    "timestamp with time zone": [
        "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-12-31 23:59:59'", "'25:00'", "now()",
    ],
    "interval": ["'-1 year'", "'178000000 years'", "'-178000000 years'", "'0'", "'1 microsecond'", "'soon'"],
    "double precision": ["'NaN'", "'Infinity'", "'-Infinity'", "1e308", "5e-324", "-1", "0", "'x'"],
    "numeric": ["'NaN'", "'Infinity'", "1e1000", "-1", "0", "'x'"],
    "jsonb": [
        "'null'", "'[]'", "'\"x\"'", "'1e400'", "'{'", "repeat('[', 5000) || repeat(']', 5000)",
        "to_jsonb(repeat('x', 1048576))", "'{\"\": {\"\": null}}'",
        "(SELECT jsonb_object_agg('k' || n, n) FROM generate_series(1, 10000) AS n)",
    ],
    "vector": [
        "'[1]'", "'[]'", "'x'", "'[1' || repeat(',0', 15999) || ']'", "'[0' || repeat(',0', 1535) || ']'",
        "'[NaN' || repeat(',0', 1535) || ']'", "'[1e30' || repeat(',1e30', 1535) || ']'",
        "'[3e38' || repeat(',3e38', 1535) || ']'", "'[1e-30' || repeat(',0', 1535) || ']'",
    ],
    "inet": ["'0.0.0.0/0'", "'::/0'", "'nowhere'"],
    "regclass": ["0", "'pg_class'", "4294967295"],
    "oid": ["0", "'pg_class'::regclass", "4294967295"],
}  # fmt: skip

# Arrays of them; the last begins at 5, and holds but the beginning of what is long.
SHAPES = [
    "ARRAY[]", "ARRAY[{0}]", "ARRAY[{0}, NULL, {0}]", "ARRAY[[{0}], [{0}]]",
    "array_fill(left(({0})::text, 40), ARRAY[10000], ARRAY[5])",
]  # fmt: skip


def test_a_function_does_its_work_or_says_why_not(world: World, attempts: Attempts, statements: int) -> None:
    made: Counter[str] = Counter()
    faults = []
    for function in world.callable:

        def attempt(draw: Draw, function: Function = function) -> None:
            with world.undone():
                who = draw(st.sampled_from([*world.people, *world.others, SERVICE, SERVICE]))
                made[answer(draw, world, who, function).sqlstate or "done"] += 1

        try:
            attempts(statements // 100, attempt)
        except AssertionError as fault:
            faults.append(str(fault))
    print(dict(made.most_common()))
    assert not faults, "\n".join(faults)


def answer(draw: Draw, world: World, who: Who, function: Function) -> Outcome:
    """Call a function with anything, and see that it answers."""
    one = call(draw, world, who, function, value)
    acts = world.acts(who)
    outcome = world.run(who, one.text)
    problems = []
    if who is not SERVICE:
        problems += [f"it tells {leak}" for leak in world.leaks(who, one.text, outcome)]
        problems += changes(world, who, one, acts) if outcome.sqlstate is None else []
    if not answers(outcome):
        problems.append("that is no answer")
    assert not problems, f"{who.name}: {one.text}\n{problems}\n{outcome.sqlstate} {outcome.text[:1000]}"
    return outcome


def value(draw: Draw, world: World, who: Who, function: Function, name: str, type_: str) -> str:
    """Draw an expression of a type: what a function might expect, or what it does not."""
    base = type_.removesuffix("[]")
    limits = LIMITS.get(base, [])
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return f"NULL::{type_}"
    if kind == 1 or not limits:
        if base in world.maker.enums and draw(st.booleans()):
            return f"'no such label'::{type_}"
        return argument(draw, world, who, function, name, type_)
    one = draw(st.sampled_from(limits))
    if base == type_:
        return f"({one})::{type_}"
    return f"({draw(st.sampled_from(SHAPES)).format(f'({one})::{base}')})::{type_}"
