"""Define what somebody asks, and how it is put to the model: in the form that it was trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from forge_assets.law.engine import Facts
from forge_assets.law.stated_facts import check_facts, fact_value
from forge_assets.scenarios.pack.files import load_parts
from forge_assets.scenarios.pack.language import ENGLISH
from forge_assets.scenarios.pack.plain import Plain, Saying, YesNoSaying
from forge_assets.serving.library import Library
from forge_assets.serving.reading.question import Reading
from forge_resources.storage.strict import Strict


class Asked(Strict):
    """A question, and what is said of it beside its text; that goes before what is read from the text."""

    question: str
    jurisdictions: tuple[str, ...] = ()
    change: str | None = None
    facts: Mapping[str, int | bool] = {}


class AskedError(ValueError):
    """A question cannot be asked so; `field` says what is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


FIELDS = frozenset(Asked.model_fields)


def read_asked(library: Library, given: Mapping[str, object]) -> Asked:
    """Check what a caller sends.

    Raises:
        AskedError: a field or a value is not known; names it.
    """
    if unknown := sorted(set(given) - FIELDS):
        raise AskedError(unknown[0], f"{unknown[0][:60]}: no such field; there are {', '.join(sorted(FIELDS))}")
    question, codes = given.get("question"), given.get("jurisdictions") or ()
    change, facts = given.get("change"), given.get("facts") or {}
    if not isinstance(question, str) or not question.strip():
        raise AskedError("question", "question: write a question")
    if not isinstance(codes, list | tuple) or not all(isinstance(code, str) for code in codes):
        raise AskedError("jurisdictions", 'jurisdictions: give a list of country codes, e.g. ["DE"]')
    codes = tuple(dict.fromkeys(code.upper() for code in codes))
    for code in codes:
        if code not in library.names:
            raise AskedError("jurisdictions", f"{code[:20]}: no such country; choose from {', '.join(library.names)}")
    if change is not None and change not in library.domain.change_types:
        known = ", ".join(library.domain.change_types)
        raise AskedError("change", f"{str(change)[:60]}: no such kind of change; choose from {known}")
    if not isinstance(facts, Mapping):
        raise AskedError("facts", 'facts: give an object of facts and values, e.g. {"employees": 120}')
    stated: dict[str, int | bool] = {}
    for name, value in facts.items():
        if not isinstance(value, str | int | bool):
            raise AskedError(f"facts.{str(name)[:60]}", f"{str(name)[:60]}: give a number, true or false")
        try:
            stated[str(name)] = fact_value(library.domain, str(name), value)
        except ValueError as error:
            raise AskedError(f"facts.{str(name)[:60]}", str(error)) from error
    return Asked(question=question, jurisdictions=codes, change=str(change) if change else None, facts=stated)


def completed(library: Library, asked: Asked, read: Reading) -> Reading:
    """Put what is said beside a question over what was read from it.

    Raises:
        AskedError: facts contradict one another.
    """
    change = asked.change or read.change
    facts = {**read.facts, **asked.facts}
    countries = asked.jurisdictions or read.jurisdictions
    try:
        check_facts(library.domain, (), load_parts(library.pack, library.domain), dict.fromkeys(countries, facts))
    except ValueError as error:
        raise AskedError("facts", str(error)) from error
    return read.model_copy(update={"jurisdictions": countries, "change": change, "facts": facts})


def trained_form(library: Library, asked: Asked, read: Reading, whole: Reading, languages: Iterable[str]) -> str | None:
    """Put a question as the model was trained to be asked, where its own text is not so.

    What is said beside the text is added to it as people say it. A question in a language that the model does not
    answer in is told anew, in English: small models read those worse, whether they were taught to or not.

    Args:
        read: what the text says.
        whole: that, and what is said beside it.
        languages: in which the model answers; none: nobody says.

    Returns:
        None where the text itself is such a form.
    """
    pack = library.wordings
    taught = set(languages) or set(pack.plain)
    code = whole.language if whole.language in taught and whole.language in pack.plain else ENGLISH
    plain = pack.plain.get(code)
    if plain is None:
        return None
    foreign = whole.language is not None and whole.language not in taught
    said: list[str] = []
    if whole.change and (foreign or whole.change != read.change):
        group = plain.changes[whole.change].said
        said.append((*group.any, *group.ours)[0])
    if whole.jurisdictions and (foreign or whole.jurisdictions != read.jurisdictions):
        places = [plain.places[code][0] for code in whole.jurisdictions if code in plain.places]
        said += [plain.where.said[0].replace("{where}", place) for place in places]
    new: Facts = whole.facts if foreign else {n: v for n, v in whole.facts.items() if read.facts.get(n) != v}
    said += [_fact(plain, name, value) for name, value in new.items() if name in plain.facts]
    if foreign:
        if not whole.change:
            return None
        question = next(iter(plain.questions.values()))
        return " ".join([*said, (*question.any, *question.ours)[0]])
    return f"{asked.question.strip()} {' '.join(said)}" if said else None


def _fact(plain: Plain, name: str, value: int | bool) -> str:
    saying = plain.facts[name]
    if isinstance(saying, YesNoSaying):
        return (saying.if_true if value else saying.if_false).said[0]
    assert isinstance(saying, Saying)
    return saying.said[0].replace("{n}", str(value))
