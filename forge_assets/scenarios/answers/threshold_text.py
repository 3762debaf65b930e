"""Write the tests of thresholds in words, and the arithmetic that decides them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from forge_assets.law.engine import Alternative, Test
from forge_assets.law.explanation import percent
from forge_assets.law.model import Bound
from forge_assets.scenarios.answers.case import AnswerCase, Field

_SHARES = {
    "at least": "share_at_least",
    "more than": "share_more_than",
    "at most": "share_at_most",
    "less than": "share_less_than",
}


def tests_in_words(case: AnswerCase, tests: Alternative) -> str:
    """Write the numeric tests of an alternative: `at least 21 employees`; empty where none is."""
    parts = [part for test in tests for part in (_limits(case, test.fact, test.bound), _shares(case, test))]
    return _both(case, [part for part in parts if part])


def arithmetic(case: AnswerCase, tests: Alternative) -> str:
    """Write the numeric tests with the numbers of the case: `at least 21 employees (here 120)`; empty: none is."""
    said = []
    for test in tests:
        if plain := _limits(case, test.fact, test.bound):
            known = test.fact in case.facts
            said.append(case.writer.say("here", tests=plain, value=value_of(case, test.fact)) if known else plain)
        if shares := _shares(case, test):
            said.append(_share(case, test, shares))
    return _both(case, said)


def needs(case: AnswerCase, failed: Sequence[Alternative]) -> str:
    """Write what failed: numbers with by how much, `at least 21 employees (here 9, 12 short)`, and facts beside what
    is stated, `works council (here no works council)`."""
    if short := _smallest(case, failed):
        return short
    return either(case, [text for text in (_failed(case, tests) for tests in nearest(failed)) if text])


def nearest(failed: Sequence[Alternative]) -> list[Alternative]:
    """The alternatives that lack no fact beside all that another one lacks."""
    lacking = [{test.fact for test in tests} for tests in failed]
    return [tests for tests, own in zip(failed, lacking, strict=True) if not any(other < own for other in lacking)]


def _failed(case: AnswerCase, tests: Alternative) -> str:
    numbers = _both(case, [_missed(case, test) for test in tests if _is_number(test)])
    wanted = {t.fact: t.bound.is_ for t in tests if t.bound.is_ is not None and t.fact in case.facts}
    facts = [
        case.writer.say("here", tests=case.fact(name, needed), value=case.fact(name)) for name, needed in wanted.items()
    ]
    return ", ".join(text for text in (numbers, *facts) if text)


def _smallest(case: AnswerCase, failed: Sequence[Alternative]) -> str:
    """Alternatives that are all too high for one number, with what is missing to the lowest; empty: they are not."""
    tests = [test for alternative in failed for test in alternative]
    if len(failed) < 2 or len(tests) != len(failed) or len({test.fact for test in tests}) > 1:
        return ""
    lowest = [t.bound.min for t in tests if t.bound.min is not None and t.value is not None and t.value < t.bound.min]
    if len(lowest) < len(tests) or any(test.bound.shares for test in tests):
        return ""
    short = case.number(f"{{={min(lowest)}-{tests[0].fact}}}", "difference")
    said, value = needs_briefly(case, failed), value_of(case, tests[0].fact)
    return case.writer.say("missed_by", tests=said, value=value, short=short)


def needs_briefly(case: AnswerCase, failed: Iterable[Alternative]) -> str:
    """Write what failed without the arithmetic; empty where it is not numbers alone."""
    alternatives = [tests_in_words(case, tests) for tests in failed]
    return either(case, alternatives) if all(alternatives) else ""


def either(case: AnswerCase, said: Iterable[str]) -> str:
    """Join alternatives, each once."""
    return _joined(case, "either", list(dict.fromkeys(said)))


def value_of(case: AnswerCase, name: str) -> str:
    """The number stated, as a slot of the row."""
    return case.number(f"{{{name}}}", f"fact:{name}")


def limits_of(tests: Iterable[Test]) -> tuple[Field, ...]:
    """The limits of numeric tests as exact fields."""
    found = []
    for test in tests:
        numbers = [str(n) for n in (test.bound.min, test.bound.max) if n is not None]
        found += [Field("threshold", (text,)) for text in (*numbers, *map(percent, test.bound.shares.values()))]
    return tuple(dict.fromkeys(found))


def _is_number(test: Test) -> bool:
    return test.bound.is_ is None


def _limits(case: AnswerCase, name: str, bound: Bound) -> str:
    """The smallest and the greatest number allowed; empty: neither is set."""
    if bound.min is None and bound.max is None:
        return ""
    say, measure = case.writer.say, case.measure(name)
    if bound.min is not None and bound.max is not None:
        return say("between", low=_limit(case, bound.min), high=_limit(case, bound.max), measure=measure)
    if bound.min is not None:
        return say("at_least", limit=_limit(case, bound.min), measure=measure)
    return say("at_most", limit=_limit(case, bound.max), measure=measure) if bound.max is not None else ""


def _shares(case: AnswerCase, test: Test) -> str:
    """The shares of another number that are tested; empty: none is."""
    if not test.bound.share_of:
        return ""
    whole, measure = case.measure(test.bound.share_of), case.measure(test.fact)
    said = [
        case.writer.say(_SHARES[word], limit=_limit(case, percent(share)), whole=whole, measure=measure)
        for word, share in test.bound.shares.items()
    ]
    return _both(case, said)


def _limit(case: AnswerCase, number: int | str) -> str:
    return case.number(str(number), "limit")


def _share(case: AnswerCase, test: Test, said: str) -> str:
    whole = test.bound.share_of or ""
    if not case.facts.keys() >= {test.fact, whole}:
        return said
    share = case.number(f"{{%{test.fact}/{whole}}}", "share")
    return case.writer.say(
        "here_share", tests=said, part=value_of(case, test.fact), whole=value_of(case, whole), percent=share
    )


def _missed(case: AnswerCase, test: Test) -> str:
    bound, value = test.bound, test.value
    said = tests_in_words(case, (test,))
    if bound.min is not None and value is not None and value < bound.min:
        short = case.number(f"{{={bound.min}-{test.fact}}}", "difference")
        return case.writer.say("missed_by", tests=said, value=value_of(case, test.fact), short=short)
    if bound.max is not None and value is not None and value > bound.max:
        over = case.number(f"{{={test.fact}-{bound.max}}}", "difference")
        return case.writer.say("exceeded_by", tests=said, value=value_of(case, test.fact), over=over)
    return _share(case, test, said) if bound.shares else said


def _both(case: AnswerCase, said: Sequence[str]) -> str:
    return _joined(case, "both", said)


def _joined(case: AnswerCase, phrase: str, said: Sequence[str]) -> str:
    if not said:
        return ""
    text = said[0]
    for more in said[1:]:
        text = case.writer.say(phrase, first=text, second=more)
    return text
