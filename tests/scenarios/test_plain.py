"""Questions as people ask them: every fact is said once, no heading is asked for, and slips touch no number or law."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from forge_assets.law.model import Domain, Framework
from forge_assets.scenarios.composition.forms import with_forms
from forge_assets.scenarios.facts.counter_rng import keys
from forge_assets.scenarios.facts.draws import draw_facts
from forge_assets.scenarios.pack.files import Pack, load_pack
from forge_assets.scenarios.pack.numerals import in_words
from forge_assets.scenarios.pack.plain import Plain, Saying, YesNoSaying, slots_of
from forge_assets.scenarios.prompts.plain import build_plain
from forge_assets.scenarios.prompts.typos import VARIANTS, Slip, drop_accents, lower_case, mistype
from forge_assets.scenarios.prompts.wordings import draw_slips
from forge_resources.config.strict_yaml import SourceError
from tests.helpers import edit_copy, tiered

SHIPPED = Path(__file__).parents[2] / "frameworks" / "labour"
LANGUAGES = sorted(path.stem for path in (SHIPPED / "plain").glob("*.yaml") if path.stem != "de")
STATED = ("employees", "affected", "works_council", "monitoring", "personal_data", "trade_union", "cameras")
OF_A_FACT = 40
"""Words by which two prompts may differ that differ in one fact: a story says it one way, and apart another."""
EMPTY = ("other", "neighbour", "premise", "pair", "date", "place", "place_quote", "gist", "supposed")


def cases(domain: Domain, pack: Pack, home: str, task: str = "change_assessment", draws: int = 20) -> pl.DataFrame:
    """Rows as the composition makes them: facts drawn for every company and change, some of them stated."""
    drawn = [
        draw_facts(domain, company, change, range(draws))
        for company in pack.companies
        for change in domain.change_types
    ]
    rows = pl.concat(drawn)
    unsaid = [pl.lit(None, dtype=rows[n].dtype).alias(n) for n in domain.drawn_facts if n not in STATED]
    return rows.with_columns(
        *unsaid,
        *(pl.lit("").alias(name) for name in EMPTY),
        pl.lit(home).alias("home"),
        pl.lit(task).alias("task_type"),
        pl.lit([], dtype=pl.List(pl.String)).alias("also"),
        pl.lit("free").alias("form"),
        pl.lit("note").alias("depth"),
        pl.lit("en").alias("answer_language"),
        pl.lit(None, dtype=pl.Int64).alias("supposed_value"),
    )


def home_of(plain: Plain) -> str:
    return next(iter(plain.places))


def asked(domain: Domain, pack: Pack, rows: pl.DataFrame, code: str) -> pl.DataFrame:
    texts, askers = build_plain(domain, rows, pack.languages[code], pack.plain[code])
    return rows.with_columns(texts, askers, pl.Series("slip", draw_slips(rows["key"].to_numpy())))


def as_found(wording: str, values: dict[str, list[str]]) -> str:
    """A pattern that finds a wording in a prompt, whatever it begins with there, with one of its slots' values."""
    parts = re.split(r"\{(\w+)\}", wording)
    found = [re.escape(parts[0])]
    for slot, literal in zip(parts[1::2], parts[2::2], strict=True):
        found += ["(?:" + "|".join(map(re.escape, values[slot])) + ")", re.escape(literal)]
    return r"(?<!\w)" + "".join(found) + r"(?!\w)"


def ways_to_say(
    plain: Plain, name: str, value: object, row: dict[str, object], numbers: dict[str, list[str]]
) -> set[str]:
    """Every pattern that states a fact of a row with a value."""
    words = plain.facts[name]
    side = words if isinstance(words, Saying) else (words.if_true if value else words.if_false)
    places = {"where": list(plain.places[str(row["home"])])}
    own = {"n": numbers[name]} if name in numbers else {}
    ways = {as_found(text, own) for text in side.said + side.brief}
    for entry in plain.together:
        tells = name in entry.slots if isinstance(words, Saying) else entry.facts.get(name) is value
        if tells and entry.slots <= {*numbers, "where"}:
            ways |= {as_found(text, numbers | places) for text in entry.said + entry.brief}
    people = [p for p in plain.people.values() if p.needs == name and value is True]
    return ways | {as_found(text, {}) for person in people for text in person.opens}


def written(plain: Plain, value: int) -> list[str]:
    words = in_words(pl.Series([value]), plain.language, plain.spoken)[0]
    return [str(value), *([words, words[:1].upper() + words[1:]] if words else [])]


@pytest.mark.parametrize("code", tiered(["de", *LANGUAGES]))
def test_every_stated_fact_is_said_once_and_its_opposite_never(domain: Domain, pack: Pack, code: str) -> None:
    plain = pack.plain[code]
    rows = asked(domain, pack, cases(domain, pack, home_of(plain), draws=3), code).filter(pl.col("slip") == Slip.NONE)
    assert rows.height > 200
    for row in rows.iter_rows(named=True):
        stated = {name: row[name] for name in STATED}
        numbers = {n: written(plain, v) for n, v in stated.items() if isinstance(v, int) and not isinstance(v, bool)}
        for name, value in stated.items():
            ways = ways_to_say(plain, name, value, row, numbers)
            assert any(re.search(way, row["prompt"], re.IGNORECASE) for way in ways), (name, value, row["prompt"])
        for name in ("employees", "affected"):
            # "Two sites" has a number as well, which is none of the facts'.
            if numbers["employees"] != numbers["affected"] and row[name] > 2:
                said = sum(
                    len(re.findall(rf"(?<!\w){n}(?!\w)", row["prompt"], re.IGNORECASE))
                    for n in set(map(str.lower, numbers[name]))
                )
                assert said == 1, (name, numbers[name], row["prompt"])


@pytest.mark.parametrize("code", tiered(["de", *LANGUAGES]))
def test_the_country_is_always_said_and_only_that_one(domain: Domain, pack: Pack, code: str) -> None:
    plain = pack.plain[code]
    for home in plain.places:
        rows = asked(domain, pack, cases(domain, pack, home, draws=1), code)
        said = rows["prompt"].str.contains("|".join(map(re.escape, plain.places[home])))
        # A place may open the sentence, and has a capital then.
        raised = "|".join(re.escape(way[:1].upper() + way[1:]) for way in plain.places[home])
        assert (said | rows["prompt"].str.contains(raised)).all()


def test_no_question_asked_plainly_names_a_heading(samples: pl.DataFrame) -> None:
    plain = samples.filter((pl.col("register") == "plain") & (pl.col("sections").list.len() > 1))
    assert plain.height > 1000
    for prompt, sections in plain.select("prompt", "sections").sample(1000, seed=1).iter_rows():
        assert "; ".join(sections) not in prompt


def test_half_of_the_questions_on_one_country_are_asked_plainly_where_there_are_words(
    samples: pl.DataFrame, pack: Pack
) -> None:
    single = samples.filter(
        (pl.col("jurisdictions").list.len() == 1)
        & pl.col("task_type").is_in(["change_assessment", "legal_advisory", "consultation_plan"])
    )
    shares = dict(single.group_by("language").agg((pl.col("register") == "plain").mean()).iter_rows())
    for code, share in shares.items():
        assert share == pytest.approx(0.5, abs=0.08) if code in pack.plain else share == 0
    assert set(samples.filter(pl.col("register") == "plain")["language"]) <= set(pack.plain)


def test_a_language_without_a_file_is_never_asked_plainly(domain: Domain, pack: Pack) -> None:
    rows = cases(domain, pack, "DE")
    lacking = pack.model_copy(update={"plain": {c: p for c, p in pack.plain.items() if c != "de"}})
    formed = with_forms(lacking, rows, "de")
    assert set(formed.filter(pl.col("register") == "plain")["language"]) == {"en"}
    assert "plain" in set(with_forms(pack, rows, "de").filter(pl.col("language") == "de")["register"])


def test_the_same_rows_have_the_same_words_whatever_stands_beside_them(domain: Domain, pack: Pack) -> None:
    rows = cases(domain, pack, "DE", draws=4)
    whole = asked(domain, pack, rows, "de")
    some = asked(domain, pack, rows[7:90], "de")
    assert some.equals(whole[7:90])


@pytest.mark.parametrize("code", tiered(["de", *LANGUAGES]))
@pytest.mark.parametrize("fact", tiered(["employees", "works_council", "monitoring", "trade_union"]))
def test_both_sides_of_a_pair_have_the_same_words_but_for_the_fact(
    domain: Domain, pack: Pack, code: str, fact: str
) -> None:
    plain = pack.plain[code]
    rows = cases(domain, pack, home_of(plain), draws=4).with_columns(pl.lit("pair").alias("pair"))
    edit = pl.col(fact) * 8 if fact == "employees" else ~pl.col(fact)
    one, other = (asked(domain, pack, side, code) for side in (rows, rows.with_columns(edit)))
    assert one["asker"].equals(other["asker"])
    for first, second, slip in zip(one["prompt"], other["prompt"], one["slip"], strict=True):
        if slip == Slip.NONE:
            assert first != second
            assert len(set(first.split()) ^ set(second.split())) <= OF_A_FACT, (first, second)


def test_a_what_if_question_names_the_changed_fact_and_value(domain: Domain, pack: Pack) -> None:
    rows = cases(domain, pack, "DE", "what_if", draws=4)
    for code, says in (("en", r"\b7\b|seven"), ("de", r"\b7\b|sieben")):
        changed = rows.with_columns(pl.lit("affected").alias("supposed"), pl.lit(7, pl.Int64).alias("supposed_value"))
        texts = asked(domain, pack, changed.filter(pl.col("affected") != 7), code)
        assert texts["prompt"].str.contains(says).all()
    gone = rows.with_columns(pl.lit("works_council").alias("supposed"), pl.lit(0, pl.Int64).alias("supposed_value"))
    texts = asked(domain, pack, gone, "en").filter(pl.col("slip").is_in([Slip.NONE, Slip.STOP]))
    words = pack.plain["en"].facts["works_council"]
    assert isinstance(words, YesNoSaying)
    assert texts["prompt"].str.contains("|".join(words.if_false.supposed)).all()


def test_the_length_asked_for_is_said_and_none_where_the_question_leaves_it_open(domain: Domain, pack: Pack) -> None:
    rows = cases(domain, pack, "DE", draws=4)
    lengths = pack.plain["en"].lengths
    everything = "|".join(re.escape(text) for depth in ("note", "advice", "memo") for text in getattr(lengths, depth))
    assert not asked(domain, pack, rows, "en")["prompt"].str.contains(everything).any()
    for depth in ("note", "advice", "memo"):
        formed = asked(
            domain, pack, rows.with_columns(pl.lit("depth").alias("form"), pl.lit(depth).alias("depth")), "en"
        )
        clean = formed.filter(pl.col("slip") == Slip.NONE)
        assert clean["prompt"].str.contains("|".join(map(re.escape, getattr(lengths, depth)))).all()


def test_an_english_answer_is_asked_for_in_other_languages_and_only_there(domain: Domain, pack: Pack) -> None:
    rows = cases(domain, pack, "DE", draws=4)
    wanted = "|".join(map(re.escape, pack.plain["de"].english))
    clean = asked(domain, pack, rows, "de").filter(pl.col("slip") == Slip.NONE)
    assert clean["prompt"].str.contains(wanted).all()
    german = asked(domain, pack, rows.with_columns(pl.lit("de").alias("answer_language")), "de")
    assert not german["prompt"].str.contains(wanted).any()


def places(count: int, task: str) -> pl.DataFrame:
    rows = pl.DataFrame({"key": keys(np.arange(count, dtype=np.uint64), "places")})
    return rows.with_columns(
        *(pl.lit("").alias(name) for name in (*EMPTY, "archetype", "company", "change_type")),
        pl.lit("DE").alias("home"),
        pl.lit(task).alias("task_type"),
        pl.lit("free").alias("form"),
        pl.lit("note").alias("depth"),
        pl.lit("en").alias("answer_language"),
        pl.lit([], dtype=pl.List(pl.String)).alias("also"),
    ).with_columns(
        pl.lit("§ 87 Abs. 1 Nr. 6 BetrVG").alias("place"),
        pl.lit("technischen Einrichtungen, die dazu bestimmt sind").alias("place_quote"),
        pl.lit("technical devices that monitor behaviour").alias("gist"),
    )


@pytest.mark.parametrize("code", ["de", "en"])
def test_a_cited_place_or_quote_is_never_mistyped(domain: Domain, pack: Pack, code: str) -> None:
    says = asked(domain, pack, places(600, "place_says"), code)
    assert says["prompt"].str.contains("§ 87 Abs. 1 Nr. 6 BetrVG", literal=True).all()
    assert set(says["slip"]) == set(map(int, Slip))
    found = asked(domain, pack, places(600, "place_found"), code)
    wanted = "technischen Einrichtungen, die dazu bestimmt sind|technical devices that monitor behaviour"
    assert found["prompt"].str.contains(wanted).all()
    assert found["prompt"].str.contains("technical devices").any() is (code == "en")


def test_one_prompt_in_six_is_mistyped_and_its_numbers_places_and_names_are_not(domain: Domain, pack: Pack) -> None:
    rows = cases(domain, pack, "AT", "cba_summary")
    typed = asked(domain, pack, rows, "de")
    slips = typed.filter(pl.col("slip") != Slip.NONE)
    assert slips.height / typed.height == pytest.approx(1 / 6, abs=0.02)
    assert slips.select(pl.col("prompt").str.contains(pl.col("company"), literal=True)).to_series().all()
    numbers = slips.filter(pl.col("affected") > 100)
    assert numbers.select(pl.col("prompt").str.contains(pl.format("\\b{}\\b|hundert", "affected"))).to_series().all()
    assert slips["prompt"].str.contains("Österreich|Wien|Graz|Linz|Salzburg").all()


def wordings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from wordings(part)


@pytest.mark.parametrize("code", tiered(["de", *LANGUAGES]))
def test_a_mistake_changes_no_slot_and_makes_no_known_word(pack: Pack, code: str) -> None:
    plain = pack.plain[code]
    changed = 0
    for text in set(wordings(plain.model_dump())):
        for variant in range(VARIANTS):
            wrong = mistype(text, variant, plain.vocabulary)
            assert slots_of(wrong) == slots_of(text)
            before, after = (re.findall(r"[^\W\d_]+", t) for t in (text, wrong))
            odd = [(b, a) for b, a in zip(before, after, strict=True) if a != b]
            assert len(odd) <= 1
            for word, mistaken in odd:
                changed += 1
                assert (word[0], word[-1]) == (mistaken[0], mistaken[-1])
                assert mistaken.casefold() not in plain.vocabulary
        for spelt in (lower_case(text), drop_accents(text, code)):
            assert slots_of(spelt) == slots_of(text)
    assert changed > 500


def test_letters_that_a_keyboard_lacks_are_written_as_people_write_them() -> None:
    assert drop_accents("Für {n} Leute über Köln", "de") == "Fuer {n} Leute ueber Koeln"
    assert drop_accents("Zażółć gęślą jaźń {where}", "pl") == "Zazolc gesla jazn {where}"
    assert drop_accents("на работното място й", "bg") == "на работното място й"
    assert lower_case("Wir haben {n} Leute") == "wir haben {n} leute"


def test_some_numbers_are_words_and_only_where_the_language_allows(domain: Domain, pack: Pack) -> None:
    assert in_words(pl.Series([7, 40, 45, 300, 301, 1, None]), "de", "all").to_list() == [
        "sieben", "vierzig", "fünfundvierzig", "dreihundert", None, None, None,
    ]  # fmt: skip
    assert in_words(pl.Series([7, 40, 300]), "cs", "tens").to_list() == [None, "čtyřicet", None]
    rows = cases(domain, pack, "DE").filter(pl.col("affected").is_between(2, 100))
    digits = asked(domain, pack, rows, "en").select(pl.col("prompt").str.contains(pl.format("\\b{}\\b", "affected")))
    assert 1 - digits.to_series().mean() == pytest.approx(1 / 8, abs=0.03)  # type: ignore[operator]


def test_every_country_that_speaks_a_language_has_places_in_it(pack: Pack, frameworks: dict[str, Framework]) -> None:
    for framework in frameworks.values():
        plain = pack.plain.get(framework.language)
        if plain and not framework.members:
            assert framework.jurisdiction in plain.places


def broken(folder: Path, code: str, old: str, new: str) -> int:
    """Copy the pack with one replacement made in a plain file; the line it stands on."""
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("statutes", "jurisdictions"))
    path = folder / "plain" / f"{code}.yaml"
    return edit_copy(path, path, old, new)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("  affected:\n    said:", "  afected:\n    said:", "differs from the pack in afected, affected"),
        ("  site_merger:\n    said:", "  site_fusion:\n    said:", "site_fusion, site_merger"),
        ("  when:\n    any:", "  whenever:\n    any:", "when, whenever"),
        ("  BG: [in Bulgaria", "  XX: [in Bulgaria", "differs from the pack in BG, XX"),
        ("in Graz, in Linz", "in Graz, in Hamburg", "'in Hamburg' stands for AT as well"),
        ("in Belgium, here in Belgium,", "", "no wording names the country"),
        ("[\"We have {n} people.", "[\"We have {m} people.", "has the slots ['m']"),
        ("[\"We have {n} people.", "[\"We have people.", "has the slots []"),
        ("[\"We have {n} people.", "[\"We have {n} of 400 people.", "a digit or a citation"),
        ("There is a works council.", "There is a works council", "is no sentence"),
        ("Which deadlines do we", "Which deadlines under § do we", "a digit or a citation"),
        (
            "no works council, without a works council, there's no works council, never had a works council, "
            "we don't have a works council, ",
            "",
            "2 wordings: give at least 5",
        ),
        ("{employees} employees {where}\"", "{employees} employees\"", "has other slots"),
        ("needs: trade_union", "needs: employees", "employees is no yes/no fact"),
        ("{plan} {facts} {extra} {form} {thanks}", "{facts} {extra} {form} {thanks}", "the case must stand once"),
        ("{story} {extra} {question} {form}\"", "{story} {extra} {question}\"", "no {form}"),
        ("spoken: all", "spoken: some", "spoken"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_plain_file_is_refused_with_its_file_and_line(
    tmp_path: Path, domain: Domain, old: str, new: str, says: str
) -> None:
    line = broken(tmp_path, "en", old, new)
    with pytest.raises(SourceError) as refused:
        load_pack(tmp_path, domain)
    assert says in str(refused.value)
    assert refused.value.path == tmp_path / "plain" / "en.yaml"
    assert "differs from" in str(refused.value) or abs(refused.value.line - line) <= 30


def test_number_words_of_a_language_that_has_none_are_refused(tmp_path: Path, domain: Domain) -> None:
    broken(tmp_path, "de", "language: de", "language: et")
    (tmp_path / "plain" / "de.yaml").rename(tmp_path / "plain" / "et.yaml")
    with pytest.raises(
        SourceError, match=r"et\.yaml:\d+: num2words has no words for numbers in et: write `spoken: none`"
    ):
        load_pack(tmp_path, domain)


def test_a_country_without_places_is_refused_with_the_file_to_mend(domain: Domain, pack: Pack) -> None:
    with pytest.raises(ValueError, match=r"plain/de\.yaml: `places` has no FR: add it"):
        asked(domain, pack, cases(domain, pack, "FR", draws=1), "de")
