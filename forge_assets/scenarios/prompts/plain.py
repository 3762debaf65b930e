"""Build prompts of the register `plain`: questions as people ask them, with no headings and no fixed order.

A question is a handful of statements in free order: the change, where, the facts, each by itself or several in one
wording. Every choice hangs on the row's key, so words stay where law is edited; both sides of a contrast pair have the
same words but for the fact that was changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from forge_assets.law.model import Domain
from forge_assets.scenarios.facts.counter_rng import choose_index
from forge_assets.scenarios.pack.language import ENGLISH, Language
from forge_assets.scenarios.pack.plain import CITED, OPTIONAL, VOICES, Plain
from forge_assets.scenarios.prompts.frames import phrase_extra, stated_in
from forge_assets.scenarios.prompts.statements import Case, draw_people, say_supposed, slot_values, tell_case
from forge_assets.scenarios.prompts.typos import Slip
from forge_assets.scenarios.prompts.wordings import Hand, Numbers, draw_slips, scatter

PLAIN = "plain"
"""The register's name."""
ASIDE = 6
"""One prompt in so many says something that decides nothing."""


def build_plain(domain: Domain, rows: pl.DataFrame, language: Language, plain: Plain) -> tuple[pl.Series, pl.Series]:
    """Build the prompts of rows of one language, and who asks; empty where the prompt does not say it.

    Args:
        rows: as in `tables.Prompts`; of one country each. Columns depth, form, answer_language, supposed,
            supposed_value, place, place_quote and gist may be missing.

    Raises:
        ValueError: the language has no words for a country or a task.
    """
    if nowhere := set(rows["home"].unique()) - set(plain.places):
        raise ValueError(f"plain/{plain.language}.yaml: `places` has no {min(nowhere)}: add it")
    cited = rows["task_type"].is_in(CITED).to_numpy()
    done: list[tuple[Numbers, pl.Series]] = []
    askers: list[tuple[Numbers, pl.Series]] = []
    for bare, at in ((False, np.flatnonzero(~cited)), (True, np.flatnonzero(cited))):
        if len(at):
            some = rows[at]
            key = some["key"].to_numpy()
            hand = Hand(language.language, key, draw_slips(key), plain.vocabulary)
            texts, asker = (
                (_bare(some, language, plain, hand), pl.Series([""] * len(at)))
                if bare
                else _about_cases(domain, some, language, plain, hand)
            )
            done.append((at, texts))
            askers.append((at, asker))
    return scatter(rows.height, done).alias("prompt"), scatter(rows.height, askers).alias("asker")


def _about_cases(
    domain: Domain, rows: pl.DataFrame, language: Language, plain: Plain, hand: Hand
) -> tuple[pl.Series, pl.Series]:
    frame = choose_index(hand.keys, len(plain.frames), "plain frame")
    asked_by = draw_people(rows, plain, hand)
    voices = np.array([VOICES.index(person.voice) for person in plain.people.values()])
    case = Case(rows, plain, language, hand, stated_in(domain, rows), frame, voices[asked_by], asked_by)
    says_who = case.frames_with("who") & (choose_index(hand.keys, 3, "says who") > 0)
    values = slot_values(domain, case)
    plan, facts = tell_case(case, says_who, values)
    people = list(plain.people)
    who = hand.pick([p.opens for p in plain.people.values()], np.where(says_who, asked_by, -1), "opens")
    question = _question(case, values)
    slots = {
        "hello": _sometimes(hand, plain.greetings, 4, "hello"),
        "who": who,
        "plan": plan,
        "facts": facts,
        "story": facts,
        "extra": _extra(case),
        "question": question,
        "form": _form(rows, language, plain, hand),
        "thanks": _sometimes(hand, plain.thanks, 2, "thanks"),
    }
    named = pl.Series([*people, ""]).gather(np.where(says_who, asked_by, len(people)))
    return _framed(plain.frames, slots, frame, hand.slips), named


def _raised(text: pl.Expr) -> pl.Expr:
    return text.str.slice(0, 1).str.to_uppercase() + text.str.slice(1)


def _question(case: Case, values: dict[str, pl.Series]) -> pl.Series:
    plain, rows, hand = case.plain, case.rows, case.hand
    tasks = list(plain.questions)
    if unknown := set(rows["task_type"].unique()) - set(tasks):
        raise ValueError(f"plain/{plain.language}.yaml: `questions` has no {min(unknown)}: add it")
    asked = rows["task_type"].replace_strict({t: i for i, t in enumerate(tasks)}, return_dtype=pl.Int64).to_numpy()
    groups = [plain.questions[task].of(voice) for task in tasks for voice in VOICES]
    supposed = {"supposed": say_supposed(case, values)} if "supposed" in rows.columns else {}
    return hand.pick(groups, asked * len(VOICES) + case.voice, "plain question", values=supposed)


def _extra(case: Case) -> pl.Series:
    """A premise, a neighbour or a date, and now and then what decides nothing."""
    told = phrase_extra(case.language, case.rows, 0)
    aside = _sometimes(case.hand, case.plain.asides, ASIDE, "plain aside", rare=True)
    both = pl.concat_str(
        pl.when(pl.lit(told) != "").then(pl.lit(told)), pl.lit(aside), separator=" ", ignore_nulls=True
    )
    return pl.select(both.alias("extra")).to_series()


def _form(rows: pl.DataFrame, language: Language, plain: Plain, hand: Hand) -> pl.Series:
    """How long the answer shall be, and in which language, where the question says so."""
    parts = []
    if "form" in rows.columns:
        depths = {"note": plain.lengths.note, "advice": plain.lengths.advice, "memo": plain.lengths.memo}
        depth = rows["depth"].replace_strict({d: i for i, d in enumerate(depths)}, return_dtype=pl.Int64).to_numpy()
        free = (rows["form"] == "free").to_numpy()
        parts.append(hand.pick(list(depths.values()), np.where(free, -1, depth), "length"))
    if "answer_language" in rows.columns and language.language != ENGLISH:
        english = (rows["answer_language"] == ENGLISH).to_numpy()
        parts.append(hand.pick([plain.english], np.where(english, 0, -1), "in english"))
    if not parts:
        return pl.Series([""] * rows.height)
    named = [part.alias(str(i)) for i, part in enumerate(parts)]
    return pl.DataFrame(named).select(pl.concat_str("*", separator=" ", ignore_nulls=True).alias("form")).to_series()


def _bare(rows: pl.DataFrame, language: Language, plain: Plain, hand: Hand) -> pl.Series:
    """Questions about one place of the law."""
    key, found = hand.keys, plain.place_found
    by_place = (rows["task_type"] == "place_says").to_numpy()
    gist = (rows["gist"] != "").to_numpy() if found.gist else np.zeros(hand.size, dtype=np.bool_)
    gist &= (rows["place_quote"] == "").to_numpy() | (choose_index(key, 2, "by gist") == 0)
    which = np.where(by_place, 0, np.where(gist, 2, 1))
    values = {
        "place": rows["place"],
        "quote": rows["place_quote"],
        "gist": rows["gist"],
        "in_country": rows["home"].replace_strict(language.within, return_dtype=pl.String),
    }
    groups = [plain.place_says, found.quote, found.gist]
    slots = {
        "hello": _sometimes(hand, plain.greetings, 4, "hello"),
        "question": hand.pick(groups, which, "cited", values=values),
        "form": _form(rows, language, plain, hand),
        "thanks": _sometimes(hand, plain.thanks, 2, "thanks"),
    }
    return _framed(plain.bare, slots, choose_index(key, len(plain.bare), "bare frame"), hand.slips)


def _sometimes(hand: Hand, words: Sequence[str], odds: int, stream: str, *, rare: bool = False) -> pl.Series:
    """One of some wordings, in all but one prompt of `odds`, or in that one alone; null elsewhere."""
    drawn = choose_index(hand.keys, odds, stream, "at all") == 0
    return hand.pick([words], np.where(drawn == rare, 0, -1), stream)


_PART = re.compile(r"\{(\w+)\}( ?)")


def _framed(frames: Sequence[str], slots: dict[str, pl.Series], used: Numbers, slips: Numbers) -> pl.Series:
    """Put the pieces into the frame of each row; an optional part that is empty takes the space after it along."""
    table = pl.DataFrame([text.fill_null("").alias(name) for name, text in slots.items()])
    table = table.with_columns(pl.Series("lower", slips == Slip.LOWER))
    parts = []
    for i, frame in enumerate(frames):
        at = np.flatnonzero(used == i)
        if len(at):
            text = table[at].select(pl.concat_str(_pieces(frame)).alias("prompt"))["prompt"]
            if "\n" in frame:  # parts that came out empty leave spaces beside line ends, and lines with nothing in them
                text = text.str.replace_all(r" +\n", "\n").str.replace_all(r"\n{3,}", "\n\n")
            parts.append((at, text.str.strip_chars()))
    text = scatter(len(used), parts)
    at = np.flatnonzero(slips == Slip.STOP)  # never a full stop, which may be a citation's
    rest = np.flatnonzero(slips != Slip.STOP)
    return scatter(len(used), [(at, text.gather(at).str.replace(r" ?[?;]$", "")), (rest, text.gather(rest))])


def _pieces(frame: str) -> list[pl.Expr]:
    found, end = [], 0
    for match in _PART.finditer(frame):
        found.append(pl.lit(frame[end : match.start()]))
        name, space = match[1], match[2]
        raised, name = name[0].isupper(), name[0].lower() + name[1:]
        text = pl.col(name.removesuffix("_brief").removesuffix("_inside"))
        if raised:
            text = pl.when(pl.col("lower")).then(text).otherwise(_raised(text))
        if name == "question_inside":
            lowered = text.str.slice(0, 2).str.to_lowercase() + text.str.slice(2)
            text = pl.when(text.str.contains(r"^[¿¡]?\p{Lu}\p{Ll}")).then(lowered).otherwise(text)
        spaced = text + space
        found.append(pl.when(text == "").then(pl.lit("")).otherwise(spaced) if name in OPTIONAL else spaced)
        end = match.end()
    return [*found, pl.lit(frame[end:])]
