"""What is to be done, checked before any number is read: rule, pre-aggregators, parameters, conditions."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from provenance.aggregation.pre import STEPS
from provenance.aggregation.pre.model import Step
from provenance.aggregation.rights import checked_rights
from provenance.aggregation.rule import Choices, Parameter, Rule
from provenance.aggregation.rules import RULES

__all__ = ["Plan", "known_rule", "known_steps", "parameters_from_text", "planned"]


@dataclass(frozen=True)
class Plan:
    """A rule with its pre-aggregators, for n rows of which at most ``faulty`` are faulty.

    ``counts[i]`` is the number of rows that go into step i, and the last of them that of the rule.
    """

    rule: Rule
    steps: tuple[Step, ...]
    counts: tuple[int, ...]
    choices: Choices
    step_choices: tuple[Choices, ...] = field(default=())

    @property
    def measures(self) -> bool:
        """Say whether the distances of the updates have to be measured before anything can be combined."""
        return bool(self.steps) or (self.rule.combine is not None and not self.rule.blind)

    @property
    def equivariant(self) -> bool:
        """Say whether moving all updates moves the result as much; if not, all of them are taken as differences."""
        return self.rule.equivariant and all(step.equivariant for step in self.steps)


def planned(
    rule: str,
    *,
    n: int,
    faulty: int,
    pre: Sequence[str] = (),
    voting_rights: Sequence[float] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Plan:
    """Check everything that can be checked without the updates; raises ValueError with what is wrong."""
    found, steps = known_rule(rule), known_steps(pre)
    faulty = _count(faulty)
    values = _parameters(found, steps, parameters or {})
    counts = [n]
    for step in steps:
        _refuse_too_few(step.name, step.least(faulty), counts[-1], faulty)
        counts.append(step.rows(counts[-1], values[step.name]))
    if found.name == "mean" and faulty:
        raise ValueError("mean withstands no faulty contributor: use another rule, or --faulty 0")
    _refuse_too_few(found.name, found.least(faulty), counts[-1], faulty)
    choices = Choices(faulty, values[found.name], _rights(found, steps, voting_rights, n, faulty))
    return Plan(
        found, steps, tuple(counts), choices, tuple(Choices(faulty, values[step.name]) for step in steps)
    )


def _count(faulty: Any) -> int:
    if isinstance(faulty, bool) or not hasattr(faulty, "__index__") or operator.index(faulty) < 0:
        raise ValueError(f"faulty must be a whole number from 0 on, not {faulty!r}")
    return operator.index(faulty)


def known_rule(name: str) -> Rule:
    """Look up a rule; raises ValueError."""
    if name not in RULES:
        raise ValueError(_unknown("rule", name, RULES))
    return RULES[name]


def known_steps(names: Sequence[str]) -> tuple[Step, ...]:
    """Look up pre-aggregators, in the order in which they work; raises ValueError."""
    if isinstance(names, str):
        names = (names,)
    for name in names:
        if name not in STEPS:
            raise ValueError(_unknown("pre-aggregator", name, STEPS))
    if len(set(names)) < len(names):
        raise ValueError(f"each pre-aggregator works once, not {', '.join(names)}")
    return tuple(STEPS[name] for name in names)


def parameters_from_text(given: Iterable[str]) -> dict[str, float]:
    """Read ``NAME=NUMBER`` as a command line gives it; raises ValueError."""
    found: dict[str, float] = {}
    for text in given:
        name, separator, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            separator = ""
        if not separator:
            raise ValueError(f"a parameter is NAME=NUMBER, as in W=0.5, not {text!r}")
    return found


def _unknown(kind: str, name: object, table: Mapping[str, object]) -> str:
    near = get_close_matches(str(name), table, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(table)}"
    return f"there is no {kind} {str(name)[:80]!r}; {hint}"


def _refuse_too_few(name: str, least: int, n: int, faulty: int) -> None:
    if n < least:
        raise ValueError(f"{name} withstands {faulty} faulty of {least} contributors or more, not of {n}")


def _parameters(rule: Rule, steps: Sequence[Step], given: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Give each of rule and steps its parameters, by ``name`` or, where two have it, by ``step.name``."""
    owners: list[Rule | Step] = [rule, *steps]
    known = {name for owner in owners for name in owner.parameters}
    known |= {f"{owner.name}.{name}" for owner in owners for name in owner.parameters}
    for name in given:
        if name not in known:
            what = " with ".join(owner.name for owner in owners)
            allowed = ", ".join(sorted(each for each in known if "." not in each)) or "none"
            raise ValueError(f"{what} has no parameter {str(name)[:80]!r}; it has: {allowed}")
    return {
        owner.name: {
            name: _checked(name, given.get(f"{owner.name}.{name}", given.get(name, kind.default)), kind)
            for name, kind in owner.parameters.items()
        }
        for owner in owners
    }


def _checked(name: str, value: Any, kind: Parameter) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or (kind.whole and (value != int(value) or abs(value) > 2**53)):
        raise ValueError(
            f"{name} ({kind.meaning}) must be a {'whole ' if kind.whole else ''}number, not {value!r}"
        )
    if value > kind.most:
        raise ValueError(f"{name} ({kind.meaning}) must be {kind.most:g} at most, not {value!r}")
    if value < kind.least or (kind.open and value == kind.least):
        bound = "above" if kind.open else "at least"
        raise ValueError(f"{name} ({kind.meaning}) must be {bound} {kind.least:g}, not {value!r}")
    return float(value)


def _rights(rule: Rule, steps: Sequence[Step], given: Sequence[float] | None, n: int, faulty: int) -> Any:
    """Check voting rights; None where they are equal and so have no effect but in ``bounded-influence``."""
    if given is None:
        return None
    rights = checked_rights(given, n)
    equal = bool((rights == rights[0]).all())
    if not equal and (not rule.weighted or steps):
        what = f"{rule.name} with {', '.join(step.name for step in steps)}" if steps else rule.name
        raise ValueError(f"{what} has no weighted form: it needs equal voting rights")
    ranked = sorted(rights.tolist(), reverse=True)
    if faulty and 2 * math.fsum(ranked[:faulty]) >= math.fsum(ranked):
        raise ValueError(f"the {faulty} contributors with most voting rights hold half of all rights or more")
    return None if equal and "W" not in rule.parameters else rights
