"""What separates two contracts, and whom each change breaks.

A reader is broken by what may come that could not come before; a writer by what is refused, or kept otherwise, that was
taken before; a caller by a call that fails or answers otherwise. docs/contract.md gives the reason for each verdict.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runner.contract.document import Contract

READERS, WRITERS, CALLERS = AUDIENCES = ("readers", "writers", "callers")

# Whom a change breaks, by rule. What is not here breaks nobody.
BREAKS = {
    "system-dropped": AUDIENCES,
    "schema-usage-revoked": AUDIENCES,
    "table-dropped": (READERS, WRITERS),
    "view-dropped": (READERS, WRITERS),
    "row-security-changed": (READERS, WRITERS),
    "view-security-changed": (READERS, WRITERS),
    "column-dropped": (READERS, WRITERS),
    "column-added-required": (WRITERS,),
    "type-wider": (READERS,),
    "type-narrower": (WRITERS,),
    "type-changed": (READERS, WRITERS),
    "null-allowed": (READERS,),
    "null-refused": (WRITERS,),
    "default-dropped": (WRITERS,),
    "default-changed": (WRITERS,),
    "generated-added": (READERS, WRITERS),
    "generated-dropped": (READERS,),
    "generated-changed": (READERS,),
    "identity-stricter": (WRITERS,),
    "identity-dropped": (WRITERS,),
    "collation-changed": (READERS, WRITERS),
    "check-tighter": (WRITERS,),
    "check-looser": (READERS,),
    "check-changed": (READERS, WRITERS),
    "unique-added": (WRITERS,),
    "unique-dropped": (READERS, WRITERS),
    "unique-changed": (READERS, WRITERS),
    "foreign-key-added": (WRITERS,),
    "foreign-key-dropped": (READERS,),
    "foreign-key-changed": (READERS, WRITERS),
    "constraint-renamed": (WRITERS,),
    "constraint-unvalidated": (READERS,),
    "trigger-added": (WRITERS,),
    "trigger-dropped": (READERS,),
    "trigger-changed": (READERS, WRITERS),
    "label-added": (READERS,),
    "label-dropped": (WRITERS,),
    "labels-reordered": (READERS,),
    "type-dropped": AUDIENCES,
    "policy-reads-more": (READERS,),
    "policy-reads-less": (READERS,),
    "policy-reads-otherwise": (READERS,),
    "policy-writes-less": (WRITERS,),
    "policy-writes-otherwise": (WRITERS,),
    "select-revoked": (READERS,),
    "write-revoked": (WRITERS,),
    "execute-revoked": (CALLERS,),
    "function-dropped": (CALLERS,),
    "function-ambiguous": (CALLERS,),
    "parameter-changed": (CALLERS,),
    "parameter-default-changed": (CALLERS,),
    "result-changed": (CALLERS,),
    "volatility-weaker": (CALLERS,),
    "security-changed": (CALLERS,),
    "strictness-changed": (CALLERS,),
    "kind-changed": (CALLERS,),
    "refusal-added": (CALLERS,),
    "prepared-statement-dropped": (CALLERS,),
    "prepared-statement-changed": (CALLERS,),
}

# What breaks nobody, so that the documents can name it too.
HARMLESS = (
    "system-added",
    "table-added",
    "view-added",
    "column-added",
    "check-rewritten",
    "default-added",
    "identity-relaxed",
    "index-changed",
    "constraint-validated",
    "type-added",
    "policy-writes-more",
    "granted",
    "function-added",
    "function-internal",
    "parameter-added",
    "parameter-default-added",
    "volatility-stronger",
    "refusal-dropped",
    "prepared-statement-added",
    "job-changed",
    "comment-changed",
    "partitioning-changed",
)


@dataclass(frozen=True)
class Change:
    """One change: of what (`column messages.content`), by which rule, and how (`text -> uuid`)."""

    thing: str
    rule: str
    how: str = ""

    @property
    def breaks(self) -> tuple[str, ...]:
        """Whom it breaks: readers, writers, callers, or nobody."""
        return BREAKS.get(self.rule, ())

    def __str__(self) -> str:
        told = f" ({self.how})" if self.how not in ("", "added", "dropped") else ""
        return f"{self.thing}: {self.rule}{told}"

    def as_dict(self) -> dict[str, Any]:
        """Return it as `companion contract diff --json` prints it."""
        return {"thing": self.thing, "rule": self.rule, "how": self.how, "breaks": list(self.breaks)}


def changes(old: Contract, new: Contract) -> list[Change]:
    """Return every change that leads from one contract of a system to another."""
    return list(_changes(old, new))


def changes_of_all(old: Mapping[str, Contract], new: Mapping[str, Contract]) -> dict[str, list[Change]]:
    """Return the changes of every system that is in either."""
    found = {}
    for system, was, now in _pairs(old, new):
        if was is None or now is None:
            found[system] = list(_whole(f"system {system}", "system", was, now))
        else:
            found[system] = changes(was, now)
    return found


def broken(found: Sequence[Change], audiences: Sequence[str] = ()) -> list[Change]:
    """Return those changes that break one of the audiences (default: anybody)."""
    return [one for one in found if set(one.breaks) & set(audiences or AUDIENCES)]


def _changes(old: Contract, new: Contract) -> Iterator[Change]:
    yield from _grants("schema", old["schema"], new["schema"], lambda _: "schema-usage-revoked")
    for name, was, now in _pairs(old["types"], new["types"]):
        yield from _enum(f"type {name}", was, now)
    for name, was, now in _pairs(old["tables"], new["tables"]):
        yield from _table(name, was, now)
    for name, was, now in _pairs(old["views"], new["views"]):
        yield from _view(name, was, now)
    yield from _functions(old["functions"], new["functions"])
    for name, was, now in _pairs(old["prepared_statements"], new["prepared_statements"]):
        yield from _whole(f"prepared statement {name}", "prepared-statement", was, now)
    for name, was, now in _pairs(old["jobs"], new["jobs"]):
        if was != now:
            yield Change(f"job {name}", "job-changed", _how(was, now))


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield each name of either with both values, None where there is none: in the order of the old, then the new."""
    for name in dict.fromkeys([*old, *new]):
        yield name, old.get(name), new.get(name)


def _how(was: Any, now: Any) -> str:
    return "added" if was is None else "dropped" if now is None else ""


def _arrow(was: Any, now: Any) -> str:
    return f"{was} -> {now}"


def _whole(thing: str, prefix: str, was: Any, now: Any) -> Iterator[Change]:
    """Yield what happened to a thing that is compared as a whole."""
    if was != now:
        yield Change(thing, f"{prefix}-{_how(was, now) or 'changed'}", _how(was, now))


def _comment(thing: str, was: Contract, now: Contract) -> Iterator[Change]:
    if was.get("comment") != now.get("comment"):
        yield Change(thing, "comment-changed")


def _enum(thing: str, was: Contract | None, now: Contract | None) -> Iterator[Change]:
    if was is None or now is None:
        yield from _whole(thing, "type", was, now)
        return
    yield from _comment(thing, was, now)
    before, after = was.get("labels", []), now.get("labels", [])
    for label in before:
        if label not in after:
            yield Change(thing, "label-dropped", label)
    for label in after:
        if label not in before:
            yield Change(thing, "label-added", label)
    if [one for one in before if one in after] != [one for one in after if one in before]:
        yield Change(thing, "labels-reordered", _arrow(", ".join(before), ", ".join(after)))
    for key in ("type", "null", "default", "range_of"):
        if was.get(key) != now.get(key):
            yield Change(thing, "type-changed", f"{key}: {_arrow(was.get(key), now.get(key))}")


def _table(name: str, was: Contract | None, now: Contract | None) -> Iterator[Change]:
    thing = f"table {name}"
    if was is None or now is None:
        yield from _whole(thing, "table", was, now)
        return
    yield from _comment(thing, was, now)
    for key in ("row_security", "forced"):
        if was.get(key, False) != now.get(key, False):
            yield Change(thing, "row-security-changed", f"{key}: {_arrow(was.get(key, False), now.get(key, False))}")
    if was.get("partition_by") != now.get("partition_by"):
        yield Change(thing, "partitioning-changed", _arrow(was.get("partition_by"), now.get("partition_by")))
    for column, one, other in _pairs(was["columns"], now["columns"]):
        yield from _column(f"column {name}.{column}", one, other)
    yield from _constraints(name, was["constraints"], now["constraints"])
    for index, one, other in _pairs(was["indexes"], now["indexes"]):
        yield from _index(f"index {name}.{index}", one, other)
    for trigger, one, other in _pairs(was["triggers"], now["triggers"]):
        yield from _trigger(f"trigger {name}.{trigger}", one, other)
    for policy, one, other in _pairs(was["policies"], now["policies"]):
        yield from _policy(f"policy {name}.{policy}", one, other)
    yield from _grants(thing, was, now, _relation_rule)


def _view(name: str, was: Contract | None, now: Contract | None) -> Iterator[Change]:
    thing = f"view {name}"
    if was is None or now is None:
        yield from _whole(thing, "view", was, now)
        return
    yield from _comment(thing, was, now)
    if was.get("options", []) != now.get("options", []):
        yield Change(thing, "view-security-changed", _arrow(was.get("options", []), now.get("options", [])))
    for column, one, other in _pairs(was["columns"], now["columns"]):
        yield from _column(f"column {name}.{column}", one, other)
    yield from _grants(thing, was, now, _relation_rule)


def _column(thing: str, was: Contract | None, now: Contract | None) -> Iterator[Change]:
    if was is None and now is not None:
        given = now.get("null", True) or any(key in now for key in ("default", "generated", "identity"))
        yield Change(thing, "column-added" if given else "column-added-required", now["type"])
    elif now is None:
        yield Change(thing, "column-dropped", "dropped")
    elif was is not None:
        yield from _comment(thing, was, now)
        if was["type"] != now["type"]:
            yield Change(thing, _type_rule(was["type"], now["type"]), _arrow(was["type"], now["type"]))
        if was.get("null", True) != now.get("null", True):
            yield Change(thing, "null-allowed" if now.get("null", True) else "null-refused")
        for key in ("default", "generated"):
            before, after = was.get(key), now.get(key)
            if before != after:
                what = "added" if before is None else "dropped" if after is None else "changed"
                yield Change(thing, f"{key}-{what}", _arrow(before, after))
        before, after = was.get("identity"), now.get("identity")
        if before != after:
            rule = {"by default": "relaxed", "always": "stricter"}.get(str(after), "dropped")
            yield Change(thing, f"identity-{rule}", _arrow(before, after))
        if was.get("collation") != now.get("collation"):
            yield Change(thing, "collation-changed", _arrow(was.get("collation"), now.get("collation")))


# Each type holds every value of those before it.
_CHAINS = (
    ("smallint", "integer", "bigint", "numeric"),
    ("real", "double precision"),
    ("date", "timestamp without time zone"),
)
_SIZED = re.compile(r"(character varying|numeric|bit varying)(?:\((\d+)(?:,(\d+))?\))?")


def _type_rule(was: str, now: str) -> str:
    if _holds(now, was):
        return "type-wider"
    return "type-narrower" if _holds(was, now) else "type-changed"


def _holds(wide: str, narrow: str) -> bool:
    """Say whether every value of one type is, unchanged, one of the other."""
    for chain in _CHAINS:
        if wide in chain and narrow in chain:
            return chain.index(wide) > chain.index(narrow)
    if wide == "text" and narrow.startswith("character varying"):
        return True
    one, other = _SIZED.fullmatch(wide), _SIZED.fullmatch(narrow)
    if not one or not other or one[1] != other[1]:
        return False
    if one[2] is None or other[2] is None:
        return one[2] is None
    scale, others = int(one[3] or 0), int(other[3] or 0)
    return scale >= others and int(one[2]) - scale >= int(other[2]) - others


def _constraints(table: str, was: Contract, now: Contract) -> Iterator[Change]:
    renamed: dict[str, str] = {}
    for name in was:
        if name not in now:
            same = [other for other in now if other not in was and now[other] == was[name]]
            if same and same[0] not in renamed.values():
                renamed[name] = same[0]
    for name, other in renamed.items():
        yield Change(f"constraint {table}.{name}", "constraint-renamed", f"to {other}")
    for name, before, after in _pairs(was, now):
        if name not in renamed and name not in renamed.values() and before != after:
            yield from _constraint(f"constraint {table}.{name}", before, after)


def _constraint(thing: str, was: Contract | None, now: Contract | None) -> Iterator[Change]:
    before, after = ((one or {}).get("definition", "").removesuffix(" NOT VALID") for one in (was, now))
    if before != after:
        kind = (after or before).split(" ")[0]
        shown = _arrow(before, after) if before and after else _how(was, now)
        if kind == "CHECK":
            yield Change(thing, _check_rule(before, after), shown)
        else:
            prefix = "foreign-key" if kind == "FOREIGN" else "unique"
            yield Change(thing, f"{prefix}-{_how(was, now) or 'changed'}", shown)
    if was and now:
        yield from _comment(thing, was, now)
        valid = [one.get("validated", True) for one in (was, now)]
        if valid[0] != valid[1]:
            yield Change(thing, "constraint-validated" if valid[1] else "constraint-unvalidated")


def _check_rule(was: str, now: str) -> str:
    """Say whether a CHECK became tighter or looser, where that can be seen: by its arms, lists and bounds."""
    before, after = _demands(was), _demands(now)
    gone, come = [arm for arm in before if arm not in after], [arm for arm in after if arm not in before]
    verdicts = set()
    for old in list(gone):
        for new in come:
            if verdict := _compare(old, new):
                verdicts.add(verdict)
                gone.remove(old)
                come.remove(new)
                break
    verdicts |= {"looser"} if gone else set()
    verdicts |= {"tighter"} if come else set()
    return f"check-{verdicts.pop()}" if len(verdicts) == 1 else "check-changed" if verdicts else "check-rewritten"


# Arms of a form so simple that a longer list or a moved bound tells which of two holds for more values.
_LIST = re.compile(r"(?s)(?!.*\b(?:NOT|CASE)\b)([^=<>]+ (?:= ANY|<@) \(*ARRAY\[)([^\[\]]*)(\][\w\s():\[\]]*)")
_BOUND = re.compile(r"(?s)(?!.*\b(?:NOT|CASE)\b)([^=<>]+ )(<=|>=|<|>)( \(*'?)(-?\d+(?:\.\d+)?)('?\)*(?:::[\w\s]+)?\)*)")


def _compare(old: str, new: str) -> str | None:
    """Return tighter or looser for two arms of which one holds whenever the other does; None if that is not seen."""
    before, after = _parts(old, " OR "), _parts(new, " OR ")
    gone, come = [one for one in before if one not in after], [one for one in after if one not in before]
    if not gone or not come:
        return "looser" if come else "tighter"
    if len(gone) > 1 or len(come) > 1:
        return None
    lists = _LIST.fullmatch(gone[0]), _LIST.fullmatch(come[0])
    if lists[0] and lists[1] and lists[0].group(1, 3) == lists[1].group(1, 3):
        was, now = ({*one[2].split(", ")} for one in lists if one)
        return "tighter" if now < was else "looser" if now > was else None
    bounds = _BOUND.fullmatch(gone[0]), _BOUND.fullmatch(come[0])
    if bounds[0] and bounds[1] and bounds[0].group(1, 2, 3, 5) == bounds[1].group(1, 2, 3, 5):
        more = float(bounds[1][4]) > float(bounds[0][4])
        return "looser" if more == (bounds[0][2] in ("<", "<=")) else "tighter"
    return None


def _demands(definition: str) -> list[str]:
    """Return what a CHECK demands, all of it, as a list."""
    found = _parts(definition.removeprefix("CHECK ").removesuffix(" NO INHERIT"), " AND ")
    return found if len(found) < 2 else [part for one in found for part in _demands(one)]


def _parts(text: str, separator: str) -> list[str]:
    """Return what the separators join that stand in no parentheses, quotes or brackets."""
    text = _bare(text)
    found, start, index = [], 0, 0
    while index < len(text):
        if text.startswith(separator, index):
            found.append(text[start:index])
            start = index + len(separator)
        index = closing(text, index) + 1
    return [_bare(part) for part in (*found, text[start:])] if text else []


def _bare(text: str) -> str:
    """Return `text` without the parentheses around it."""
    while text.startswith("(") and closing(text, 0) == len(text) - 1:
        text = text[1:-1]
    return text


def closing(text: str, start: int) -> int:
    """Return where what begins at `start`, a text in quotes or in parentheses, ends; `start` for anything else."""
    if text[start] == "'":
        return text.find("'", start + 1)
    index = start
    if text[start] in "([":
        index += 1
        while text[index] not in ")]":
            index = closing(text, index) + 1
    return index


def _index(thing: str, was: Contract | None, now: Contract | None) -> Iterator[Change]:
    if was == now:
        return
    unique = [bool(one and one.get("unique")) for one in (was, now)]
    if not any(unique) or (was and now and was.get("definition") == now.get("definition") and all(unique)):
        yield Change(thing, "index-changed", _how(was, now))
    else:
        what = "changed" if all(unique) else "added" if unique[1] else "dropped"
        yield Change(thing, f"unique-{what}", now["definition"] if now else "")


def _trigger(thing: str, was: Contract | None, now: Contract | None) -> Iterator[Change]:
    if was is None or now is None:
        yield from _whole(thing, "trigger", was, now)
        return
    yield from _comment(thing, was, now)
    for key in dict.fromkeys([*was, *now]):
        if key not in ("comment", "raises") and was.get(key) != now.get(key):
            yield Change(thing, "trigger-changed", f"{key}: {_arrow(was.get(key), now.get(key))}")
    for name, what in _refusals(was, now):
        yield Change(thing, f"trigger-{what}", f"refusal {name}")


def _refusals(was: Contract, now: Contract) -> Iterator[tuple[str, str]]:
    """Yield the names that only one of two triggers or functions gives to refusals, and what happened to them."""
    before, after = ({*one.get("raises", ())} for one in (was, now))
    yield from ((name, "added" if name in after else "dropped") for name in sorted(before ^ after))


def _policy(thing: str, was: Contract | None, now: Contract | None) -> Iterator[Change]:
    if was and now:
        yield from _comment(thing, was, now)
        if {**was, "comment": ""} == {**now, "comment": ""}:
            return
        difference = "otherwise"
        keys = [key for key in dict.fromkeys([*was, *now]) if key != "comment" and was.get(key) != now.get(key)]
        how = "; ".join(f"{key}: {_arrow(was.get(key), now.get(key))}" for key in keys)
    else:
        restrictive = (was or now or {}).get("restrictive", False)
        difference = "more" if (was is None) != restrictive else "less"
        how = _how(was, now)
    commands = {one["command"] for one in (was, now) if one}
    if commands & {"SELECT", "ALL"}:
        yield Change(thing, f"policy-reads-{difference}", how)
    if commands - {"SELECT"}:
        yield Change(thing, f"policy-writes-{difference}", how)


def _relation_rule(privilege: str) -> str:
    return "select-revoked" if privilege == "SELECT" else "write-revoked"


def _grants(thing: str, was: Contract, now: Contract, rule: Callable[[str], str]) -> Iterator[Change]:
    """Yield what was granted and revoked, on the whole or on columns; a privilege with grant option is one more."""
    before, after = ({*_privileges(one.get("grants", {}))} for one in (was, now))
    for role, privilege, where in sorted(before - after):
        # What PUBLIC has, everybody has.
        if ("PUBLIC", privilege, where) not in after:
            yield Change(thing, rule(privilege), f"{privilege}{where} from {role}")
    for role, privilege, where in sorted(after - before):
        yield Change(thing, "granted", f"{privilege}{where} to {role}")


def _privileges(grants: Contract) -> Iterator[tuple[str, str, str]]:
    for role, privileges in grants.items():
        if role == "columns":
            for column, roles in privileges.items():
                yield from ((one, what, f" ({column})") for one, whats in roles.items() for what in whats)
        else:
            yield from ((role, privilege, "") for privilege in privileges)


def _functions(was: Contract, now: Contract) -> Iterator[Change]:
    old, new = _by_name(was), _by_name(now)
    for name in dict.fromkeys([*old, *new]):
        gone = {key: one for key, one in old.get(name, {}).items() if key not in new.get(name, {})}
        come = {key: one for key, one in new.get(name, {}).items() if key not in old.get(name, {})}
        for key, one in old.get(name, {}).items():
            if key in new.get(name, {}):
                yield from _function(f"function {key}", one, new[name][key])
        if len(gone) == len(come) == 1:
            # One signature in the place of another.
            ((key, one), (_, other)) = *gone.items(), *come.items()
            yield from _function(f"function {key}", one, other)
            continue
        for key, one in gone.items():
            yield Change(f"function {key}", "function-dropped" if _callable(one) else "function-internal", "dropped")
        for key, one in come.items():
            known = any(map(_callable, old.get(name, {}).values()))
            rule = "function-internal" if not _callable(one) else "function-ambiguous" if known else "function-added"
            yield Change(f"function {key}", rule, "added")


def _by_name(functions: Contract) -> dict[str, Contract]:
    found: dict[str, Contract] = {}
    for key, one in functions.items():
        found.setdefault(key.split("(")[0], {})[key] = one
    return found


def _callable(one: Contract) -> bool:
    return any("EXECUTE" in privileges for privileges in one["grants"].values())


def _function(thing: str, was: Contract, now: Contract) -> Iterator[Change]:
    found = list(_function_changes(thing, was, now))
    if _callable(was):
        yield from found
    else:
        # Nobody could call it: what it does is told by the tables' rules.
        yield from (Change(one.thing, "function-internal", one.how) for one in found)


def _function_changes(thing: str, was: Contract, now: Contract) -> Iterator[Change]:
    yield from _comment(thing, was, now)
    yield from _parameters(thing, _split(was["arguments"]), _split(now["arguments"]))
    if was["result"] != now["result"]:
        yield Change(thing, "result-changed", _arrow(was["result"], now["result"]))
    order = ("volatile", "stable", "immutable")
    if was["volatility"] != now["volatility"]:
        stronger = order.index(now["volatility"]) > order.index(was["volatility"])
        rule = "volatility-stronger" if stronger else "volatility-weaker"
        yield Change(thing, rule, _arrow(was["volatility"], now["volatility"]))
    for key, rule in (("security", "security-changed"), ("strict", "strictness-changed"), ("kind", "kind-changed")):
        if was.get(key) != now.get(key):
            yield Change(thing, rule, _arrow(was.get(key), now.get(key)))
    for name, what in _refusals(was, now):
        yield Change(thing, f"refusal-{what}", name)
    yield from _grants(thing, was, now, lambda _: "execute-revoked")


def _split(arguments: str) -> list[tuple[str, str | None]]:
    """Return the parameters of a function, each with its default."""
    found = (part.partition(" DEFAULT ") for part in _parts(arguments, ", "))
    return [(name, default if word else None) for name, word, default in found]


def _parameters(thing: str, was: list[tuple[str, str | None]], now: list[tuple[str, str | None]]) -> Iterator[Change]:
    for index, (before, default) in enumerate(was):
        if index >= len(now) or now[index][0] != before:
            yield Change(thing, "parameter-changed", _arrow(before, now[index][0] if index < len(now) else "none"))
            return
        after = now[index][1]
        if default != after:
            rule = "parameter-default-added" if default is None else "parameter-default-changed"
            yield Change(thing, rule, f"{before}: {_arrow(default, after)}")
    for name, default in now[len(was) :]:
        rule = "parameter-changed" if default is None else "parameter-added"
        yield Change(thing, rule, f"{name} added")
