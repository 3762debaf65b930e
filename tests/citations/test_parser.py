"""Citations are recognised in every form people write, and told real from fabricated from unknown."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forge_assets.citations.law_index import LawIndex
from forge_assets.citations.parser import parse
from forge_assets.citations.rendering import Style, render
from forge_assets.law.citation_key import CitationKey
from forge_assets.law.model import Framework
from forge_assets.law.statutes import Statutes, subdivisions


def _keys(text: str, laws: LawIndex, default: str | None = None) -> list[str]:
    return [str(citation.key) for citation in parse(text, laws, default)]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("§ 87 Abs. 1 Nr. 6 BetrVG", ["DE:betrvg:87:1:6"]),
        ("§87(1) No. 6 BetrVG", ["DE:betrvg:87:1:6"]),
        ("§ 87 I Nr. 6 BetrVG", ["DE:betrvg:87:1:6"]),
        ("§ 87 Absatz 1 Nummer 6 Betriebsverfassungsgesetz", ["DE:betrvg:87:1:6"]),
        ("Section 87(1) no. 6 of the Works Constitution Act (BetrVG)", ["DE:betrvg:87:1:6"]),
        ("section 87 (1) (6) of the German Works Constitution Act", ["DE:betrvg:87:1:6"]),
        ("BetrVG § 87 Abs. 1 Nr. 6", ["DE:betrvg:87:1:6"]),
        ("§\u00a087 Abs.\u00a01 Nr.\u00a06 BetrVG", ["DE:betrvg:87:1:6"]),
        ("§§ 111, 112 BetrVG", ["DE:betrvg:111", "DE:betrvg:112"]),
        ("§§ 111 ff. BetrVG", ["DE:betrvg:111"]),
        ("§§ 111\u2013113 BetrVG", ["DE:betrvg:111", "DE:betrvg:112", "DE:betrvg:112a", "DE:betrvg:113"]),
        ("§ 87 Abs. 1 Nr. 2, 3 und 6 BetrVG", ["DE:betrvg:87:1:2", "DE:betrvg:87:1:3", "DE:betrvg:87:1:6"]),
        ("§ 87 Abs. 1 Nr. 2 bis 4 BetrVG", ["DE:betrvg:87:1:2", "DE:betrvg:87:1:3", "DE:betrvg:87:1:4"]),
        ("§ 87 Abs. 1 Nr. 6 i.V.m. § 77 Abs. 4 BetrVG", ["DE:betrvg:87:1:6", "DE:betrvg:77:4"]),
        ("§§ 17 Abs. 2, 18 KSchG", ["DE:kschg:17:2", "DE:kschg:18"]),
        ("§ 17 Abs. 2 Satz 1 Nr. 3 KSchG", ["DE:kschg:17:2:3"]),
        ("Section 17(1) and (2) KSchG", ["DE:kschg:17:1", "DE:kschg:17:2"]),
        ("§ 111 Satz 3 Nr. 1 BetrVG", ["DE:betrvg:111:-:1"]),
        ("§ 613a Abs. 5 BGB", ["DE:bgb:613a:5"]),
        ("§ 96a Abs. 1 Z 1 ArbVG", ["AT:arbvg:96a:1:1"]),
        ("§ 109 Abs 1 Z 1a ArbVG", ["AT:arbvg:109:1:1a"]),
        ("§ 108 Abs. 2a ArbVG", ["AT:arbvg:108:2a"]),
        ("art. L. 2312-38 C. trav.", ["FR:code_du_travail:L2312-38"]),
        ("article L2312-38 du code du travail", ["FR:code_du_travail:L2312-38"]),
        ("Article L. 2312-38 of the French Labour Code", ["FR:code_du_travail:L2312-38"]),
        ("L.2312-38 C.trav.", ["FR:code_du_travail:L2312-38"]),
        ("art. L. 2312-38 C. trav, as said", ["FR:code_du_travail:L2312-38"]),
        ("**§ 111** **BetrVG**", ["DE:betrvg:111"]),
        ("Articles 25(1)(d) and 25(1)(e) of the Works Councils Act", ["NL:wor:25:1:d", "NL:wor:25:1:e"]),
        ("art. L. 2312-8, II, 4° C. trav.", ["FR:code_du_travail:L2312-8:II:4"]),
        (
            "articles L. 1233-8 à L. 1233-10 du Code du travail",
            ["FR:code_du_travail:L1233-8", "FR:code_du_travail:L1233-9", "FR:code_du_travail:L1233-10"],
        ),
        (
            "articles L. 1233-8, L. 1233-10 et L. 2312-8 du code du travail",
            ["FR:code_du_travail:L1233-8", "FR:code_du_travail:L1233-10", "FR:code_du_travail:L2312-8"],
        ),
        ("art. 25 lid 1 onder a WOR", ["NL:wor:25:1:a"]),
        ("Art. 25(1)(a) WOR", ["NL:wor:25:1:a"]),
        ("artikel 25, eerste lid, onderdeel a, van de Wet op de ondernemingsraden", ["NL:wor:25:1:a"]),
        ("art. 25 lid 1 onder a, d en e WOR", ["NL:wor:25:1:a", "NL:wor:25:1:d", "NL:wor:25:1:e"]),
        ("art. 64.4 d) ET", ["ES:estatuto_trabajadores:64:4:d"]),
        ("art. 64.4.d) ET", ["ES:estatuto_trabajadores:64:4:d"]),
        ("artículo 51.2 del Estatuto de los Trabajadores", ["ES:estatuto_trabajadores:51:2"]),
        ("artículo 64, apartado 4, letra d), del ET", ["ES:estatuto_trabajadores:64:4:d"]),
        ("Article 64(4)(d) of the Workers\u2019 Statute", ["ES:estatuto_trabajadores:64:4:d"]),
        ("arts. 41.4 y 51.2 ET", ["ES:estatuto_trabajadores:41:4", "ES:estatuto_trabajadores:51:2"]),
        ("art. 47 bis ET", ["ES:estatuto_trabajadores:47bis"]),
        (
            "- § 90 Abs. 1 Nr. 3 BetrVG: information\n- art. 64.4 d) ET: information",
            ["DE:betrvg:90:1:3", "ES:estatuto_trabajadores:64:4:d"],
        ),
    ],
)
def test_a_citation_is_understood_however_it_is_written(laws: LawIndex, text: str, keys: list[str]) -> None:
    found = parse(text, laws)
    assert [str(citation.key) for citation in found] == keys
    assert {citation.status for citation in found} == {"real"}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("§ 87 Abs. 1 Nr. 99 BetrVG", "fabricated"),
        ("§ 87 Abs. 7 BetrVG", "fabricated"),
        ("§ 999 BetrVG", "fabricated"),
        ("art. L. 2312-999 C. trav.", "fabricated"),
        ("art. L. 9999-1 C. trav.", "unverifiable"),  # outside the ranges of the code that are held
        ("§ 6 BetrVG", "repealed"),
        ("art. 64.4 z) ET", "fabricated"),
        ("art. 25 lid 9 WOR", "fabricated"),
        ("§ 96 Abs. 1 Nr. 3 ArbVG", "real"),
        ("§ 4 ArbZG", "unheld"),
        ("Article 12 of Directive 89/391/EEC", "unheld"),
        ("Section 3 of the Federal Holidays Act", "unheld"),
        ("art. 1195 du Code civil", "unheld"),
        ("art. 28 LOLS", "unverifiable"),
        ("§ 87 Abs. 1 Nr. 6", "unverifiable"),
    ],
)
def test_a_citation_is_real_fabricated_or_unverifiable(laws: LawIndex, text: str, status: str) -> None:
    assert [citation.status for citation in parse(text, laws)] == [status]


@pytest.mark.parametrize(
    "text",
    [
        "The works council must agree before introduction.",
        "We dismiss 30 of 120 employees within 90 days (25%).",
        "See section 3 of this plan and page 87.",
        "ET phone home, et cetera; BetrVG applies.",
        "# 1. Assessment\n2. Steps\n(3) Deadline",
        "",
    ],
)
def test_prose_without_a_citation_gives_none(laws: LawIndex, text: str) -> None:
    assert parse(text, laws) == []


def test_a_number_after_a_comma_in_prose_is_no_further_citation(laws: LawIndex) -> None:
    text = "Under KSchG, as § 17 Abs. 2, 30 employees are consulted."
    assert _keys(text, laws, "DE") == ["DE:kschg:17:2"]


def test_a_bare_citation_takes_the_nearest_law_of_its_country_named_before(laws: LawIndex) -> None:
    text = "The BetrVG governs. KSchG as well: § 17 Abs. 1. But the BetrVG has § 111."
    assert _keys(text, laws, "DE") == ["DE:kschg:17:1", "DE:betrvg:111"]


def test_without_a_country_a_bare_citation_is_of_the_only_country_whose_law_is_named(laws: LawIndex) -> None:
    assert _keys("The BetrVG governs: § 111.", laws) == ["DE:betrvg:111"]
    (found,) = parse("The BetrVG governs, the ArbVG does not: § 111 Abs. 1.", laws)
    assert found.status == "unverifiable"


def test_a_bare_citation_takes_the_only_law_of_its_country(laws: LawIndex) -> None:
    assert _keys("art. L. 2312-38", laws, "FR") == ["FR:code_du_travail:L2312-38"]
    assert _keys("§ 111", laws, "DE") == ["DE:betrvg:111"]
    assert [c.status for c in parse("§ 17", laws, "DE")] == ["unverifiable"]  # several German laws have one


def test_a_law_we_do_not_hold_is_not_replaced_by_one_named_before(laws: LawIndex) -> None:
    assert _keys("§ 90 BetrVG and § 4 ArbZG", laws, "DE") == ["DE:betrvg:90", "ZZ:arbzg:4"]
    assert _keys("§ 90 BetrVG gilt, ebenso ferieloven § 5", laws, "DE") == ["DE:betrvg:90", "ZZ:ferieloven:5"]


def test_spans_mark_the_citation_in_the_text_and_never_overlap(laws: LawIndex) -> None:
    text = "First § 87 Abs. 1 Nr. 6 BetrVG, then §§ 111, 112 BetrVG and art. 64.4 d) ET."
    found = parse(text, laws)
    assert [text[slice(*c.span)] for c in found] == [c.text for c in found]
    assert [c.text for c in found] == [
        "§ 87 Abs. 1 Nr. 6 BetrVG", "§§ 111", "112 BetrVG", "art. 64.4 d) ET",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("DE:betrvg:87:1:6", "§ 87 Abs. 1 Nr. 6 BetrVG"),
        ("AT:arbvg:96:1:3", "§ 96 Abs. 1 Z 3 ArbVG"),
        ("FR:code_du_travail:L2312-38", "art. L. 2312-38 C. trav."),
        ("NL:wor:25:1:a", "art. 25 lid 1 onder a WOR"),
        ("ES:estatuto_trabajadores:64:4:d", "art. 64.4 d) ET"),
        ("ES:estatuto_trabajadores:51:2", "art. 51.2 ET"),
        ("BG:kodeks_na_truda:130в:1", "чл. 130в, ал. 1 КТ"),
        ("GB:ice_regs_2004:20:1", "reg. 20(1) ICE Regulations 2004"),
        ("LT:darbo_kodeksas:206:1", "DK 206 str. 1 d."),
        ("HU:munka_torvenykonyve:11/A:1", "Mt. 11/A. § (1) bekezdés"),
        ("HU:munka_torvenykonyve:264:2:d", "Mt. 264. § (2) bekezdés d) pont"),
        ("LV:darba_likums:105:1:3", "Darba likuma 105. pants, 1. daļa, 3. punkts"),
        ("PL:kodeks_pracy:22(2):1", "art. 22² § 1 k.p."),
        ("SE:mbl:11:1", "11 § 1 st. MBL"),
        ("FR:code_du_travail:L2312-8:II:4", "art. L. 2312-8, II, 4° C. trav."),
    ],
)
def test_a_key_is_written_as_its_country_writes_it(frameworks: dict[str, Framework], key: str, text: str) -> None:
    place = CitationKey.parse(key)
    assert render(place, frameworks[place.jurisdiction]) == text


@pytest.mark.parametrize("style", ["national", "english"])
def test_every_place_of_every_statute_survives_writing_and_reading(
    frameworks: dict[str, Framework], statutes: dict[str, Statutes], laws: LawIndex, style: Style
) -> None:
    lost = []
    for code, framework in frameworks.items():
        for law, units in statutes[code].items():
            for number, unit in units.items():
                places = [CitationKey(code, law, number)]
                for label, paragraph in subdivisions(unit).items():
                    places += [CitationKey(code, law, number, label)] * (label != "-")
                    places += [CitationKey(code, law, number, label, point) for point in paragraph.points]
                for key in places:
                    text = render(key, framework, style)
                    found = parse(text, laws)
                    if [(c.key, c.text) for c in found] != [(key, text)] or found[0].status == "fabricated":
                        lost.append(key)
    assert lost == []


def test_every_catalogued_key_survives_writing_and_reading_inside_a_sentence(
    frameworks: dict[str, Framework], laws: LawIndex
) -> None:
    for framework in frameworks.values():
        keys = [p.cite for p in framework.provisions] + [s.basis for s in framework.escalation]
        for key in [*keys, *(body.basis for body in framework.bodies)]:
            text = f"- {render(key, framework)}: duty of the employer, 30 days."
            assert _keys(text, laws) == [str(key)]


PIECES = ["§ 87", "§§", "Abs. 1", "Nr. 6", "BetrVG", "art.", "L. 2312-38", "C. trav.", ",", "und", "64.4",
          "d)", "ET", "(1)", "-", "111", "lid 1", "onder a", "WOR", "i.V.m.", "of the", "\n"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=20).map(" ".join))
def test_any_text_is_read_without_failing_and_spans_stay_in_order(laws: LawIndex, text: str) -> None:
    found = parse(text, laws, "DE")
    starts = [c.span[0] for c in found]
    assert starts == sorted(starts)
    assert all(0 <= c.span[0] < c.span[1] <= len(text) and c.text == text[slice(*c.span)] for c in found)


@pytest.mark.parametrize("piece", ["§ 1, ", "((((", "art. 64.", "§§ 1-2, 3 und ", "§ 87 BetrVG, § 1 ", " "])
def test_reading_time_grows_with_the_text_and_not_faster(laws: LawIndex, piece: str) -> None:
    def seconds(repeats: int) -> float:
        started = time.process_time()
        parse(piece * repeats, laws, "DE")
        return time.process_time() - started

    short, long = min(seconds(500) for _ in range(3)), seconds(8_000)
    assert long < 16 * short * 6 + 0.2
