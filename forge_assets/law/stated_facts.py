"""Facts as somebody states them, checked as the pack declares them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence

from forge_assets.law.engine import Facts
from forge_assets.law.model import Domain, Framework

MOST = 1_000_000_000
"""No count of people is larger."""


def count(text: str) -> int:
    """A whole number from 0.

    Raises:
        ValueError: it is none, or too large.
    """
    if not re.fullmatch("[0-9]+", text):
        raise ValueError(f"{_cut(text)} is no count: give a whole number from 0, in digits")
    if len(text) > len(str(MOST)) or int(text) > MOST:
        raise ValueError(f"{_cut(text)} is too large: give a number up to {MOST:,}")
    return int(text)


def day(text: str) -> dt.date:
    """A day, YYYY-MM-DD.

    Raises:
        ValueError: there is no such day.
    """
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return dt.date.fromisoformat(text)
    except ValueError:
        pass  # told below
    raise ValueError(f"{_cut(text)} is no day of the calendar: write YYYY-MM-DD, e.g. 2026-03-31")


def check_facts(
    domain: Domain, unions: Iterable[Framework], parts: Iterable[tuple[str, str]], stated: Mapping[str, Facts]
) -> None:
    """Refuse facts that contradict one another: a part that is more than its whole, a sum less than its parts.

    Args:
        unions: frameworks whose members' facts add up.
        parts: facts that are a part of another, each with that other one.
        stated: country to its facts.

    Raises:
        ValueError: names both facts and the country.
    """
    for country, facts in stated.items():
        for name, kind in domain.facts.items():
            if kind.requires and facts.get(name) and facts.get(kind.requires) is False:
                raise ValueError(f"{country}: {name} cannot be without {kind.requires}: correct one of them")
        for part, whole in parts:
            if part in facts and whole in facts and facts[part] > facts[whole]:
                raise ValueError(
                    f"{country}: {part} {facts[part]} is more than {whole} {facts[whole]}, of which it is a part: "
                    "correct one of them"
                )
    for union in unions:
        _check_sums(domain, union, {code: stated[code] for code in union.members if code in stated})


def _check_sums(domain: Domain, union: Framework, stated: Mapping[str, Facts]) -> None:
    for total, rule in domain.combined_facts.items():
        part = rule.sum or rule.count or ""
        numbers: Sequence[int] = [int(facts[part]) for facts in stated.values() if part in facts]
        least = sum(numbers) if rule.sum else sum(number >= rule.min for number in numbers)
        for country, facts in stated.items():
            if total in facts and facts[total] < least:
                raise ValueError(
                    f"{country}: {total} {facts[total]} is less than the {least} that {part} of "
                    f"{', '.join(stated)} add up to: correct one of them"
                )
            if total in facts and rule.count and facts[total] > len(union.members):
                raise ValueError(f"{country}: {total} {facts[total]} is more than the members of {union.name}")


def _cut(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text


def read_facts(domain: Domain, given: Iterable[str]) -> dict[str, int | bool]:
    """Read facts written as NAME=VALUE; a yes/no fact may stand alone, which states it.

    Raises:
        ValueError: there is no such fact, it cannot have that value, or it is given twice.
    """
    facts: dict[str, int | bool] = {}
    for text in given:
        name, _, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if name in facts:
            raise ValueError(f"{name} is given twice: keep one of them")
        facts[name] = fact_value(domain, name, value.strip().lower())
    return facts


def fact_value(domain: Domain, name: str, value: str | int | bool) -> int | bool:
    """Read one fact's value; of a yes/no fact an empty text means that it holds.

    Raises:
        ValueError: there is no such fact, or it cannot have that value.
    """
    if name not in domain.facts:
        raise ValueError(f"{_cut(name)}: no such fact; choose from {', '.join(domain.facts)}")
    if domain.facts[name].type == "integer":
        if isinstance(value, bool):
            raise ValueError(f"{name} is a number, in digits")
        try:
            return count(str(value))
        except ValueError as error:
            raise ValueError(f"{name} is a number: {error}") from error
    if isinstance(value, bool):
        return value
    known = {"true": True, "yes": True, "": True, "false": False, "no": False}
    if value not in known:
        raise ValueError(f"{name} is true or false, not {_cut(str(value))}")
    return known[str(value)]
