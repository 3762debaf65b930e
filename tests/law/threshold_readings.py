"""A second reading of the thresholds of the pack: each a predicate of two numbers, beside the words that it reads.

Each was written from the words that it quotes, never from the YAML. Not read: Sweden and the Netherlands, whose acts
name no number of dismissals, and Bulgaria and Lithuania, where the paragraph that names it is not held. No fact says
how old those dismissed are, or in how many days they go: § 45a(1) Z 4 AMFG (AT) and a threshold for a second, longer
period (L.166-1(1) no. 2, LU) are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from forge_assets.law.engine import Facts

Predicate = Callable[[int, int], bool]
"""Whether the statute's numbers are met, of (employees, affected)."""


@dataclass(frozen=True)
class Reading:
    """A threshold as the statute words it."""

    place: str
    words: tuple[str, ...]
    provisions: str
    """Pattern of the ids or cited places of the provisions that hang on it. The first reading that fits one counts."""
    met: Predicate
    also: Callable[[int], Facts] | None = None
    """Further facts that the law derives from the number of employees."""

    @property
    def country(self) -> str:
        return self.place[:2]


READINGS: list[Reading] = []


def reads(
    place: str, *words: str, provisions: str, also: Callable[[int], Facts] | None = None
) -> Callable[[Predicate], Predicate]:
    """Note a predicate as the reading of a place."""

    def note(met: Predicate) -> Predicate:
        READINGS.append(Reading(place, words, provisions, met, also))
        return met

    return note


def usual_bands(employees: int, affected: int) -> bool:
    """Tell by the bands of art. 1(1)(a)(i) of the directive, which many acts repeat: see the words of each reading."""
    if 20 < employees < 100:
        return affected >= 10
    if 100 <= employees < 300:
        return 10 * affected >= employees
    return employees >= 300 and affected >= 30


# Austria


@reads(
    "AT:arbvg:111",
    "dauernd mehr als 200 Arbeitnehmer beschäftigt",
    "gegen Betriebsänderungen (§ 109 Abs. 1)",
    provisions="at-redundancy-objection.*",
)
def at_objection(employees: int, affected: int) -> bool:
    return employees > 200 and at_notice(employees, affected)


@reads(
    "AT:amfg:45a",
    "von mindestens fünf Arbeitnehmern in Betrieben mit in der Regel mehr als 20 und weniger als 100 Beschäftigten",
    "von mindestens fünf vH der Arbeitnehmer in Betrieben mit 100 bis 600 Beschäftigten",
    "von mindestens 30 Arbeitnehmern in Betrieben mit in der Regel mehr als 600 Beschäftigten",
    provisions="AT:amfg:45a:(?!1:4).*",
)
def at_notice(employees: int, affected: int) -> bool:
    if 20 < employees < 100:
        return affected >= 5
    if 100 <= employees <= 600:
        return 100 * affected >= 5 * employees
    return employees > 600 and affected >= 30


@reads(
    "AT:arbvg:109",
    "die Auflösung von Arbeitsverhältnissen, die eine Meldepflicht nach § 45a Abs. 1 Z 1 bis 3",
    provisions="at-collective-redundancy|at-redundancy-.*",
)
def at_change_by_dismissals(employees: int, affected: int) -> bool:
    return at_notice(employees, affected)


# Switzerland


@reads(
    "CH:or:335i",
    "üblicherweise mindestens 250 Arbeitnehmer beschäftigt",
    "innert 30 Tagen mindestens 30 Arbeitnehmern aus Gründen zu kündigen",
    provisions="CH:or:335[ij]:.*",
)
def ch_social_plan(employees: int, affected: int) -> bool:
    return employees >= 250 and affected >= 30


@reads(
    "CH:or:335d",
    "mindestens 10 Arbeitnehmer in Betrieben, die in der Regel mehr als 20 und weniger als 100 Arbeitnehmer",
    "mindestens 10 Prozent der Arbeitnehmer in Betrieben, die in der Regel mindestens 100 und weniger als 300",
    "mindestens 30 Arbeitnehmer in Betrieben, die in der Regel mindestens 300 Arbeitnehmer beschäftigen",
    provisions="CH:or:335[fg]:.*|ch-(employees-)?redundancy-.*",
)
def ch_mass_dismissal(employees: int, affected: int) -> bool:
    return usual_bands(employees, affected)


# Cyprus


@reads(
    "CY:n_28_2001:2",
    "Τουλάχιστο σε 10, σε επιχειρήσεις που απασχολούν συνήθως περισσότερους από 20 και λιγότερους από 100",
    "τουλάχιστο σε δέκα τοις εκατόν (10%) του αριθμού των εργοδοτουμένων, σε επιχειρήσεις που απασχολούν συνήθως "
    "τουλάχιστον 100 και λιγότερους από 300",
    "τουλάχιστο σε 30, σε επιχειρήσεις που απασχολούν συνήθως τουλάχιστο 300",
    provisions="CY:n_28_2001:[4-9](:.*)?",
)
def cy_collective_dismissal(employees: int, affected: int) -> bool:
    return usual_bands(employees, affected)


@reads(
    "CY:n_78_2005:3",
    "σε επιχειρήσεις που απασχολούν τουλάχιστον 30 εργοδοτούμενους",
    "του άρθρου 4 του περί Ομαδικών Απολύσεων Νόμου του 2001",
    provisions="cy-redundancy-change-consultation",
)
def cy_dismissals_as_change(employees: int, affected: int) -> bool:
    return employees >= 30 and cy_collective_dismissal(employees, affected)


# Czechia


@reads(
    "CZ:zakonik_prace:62",
    "10 zaměstnancům u zaměstnavatele zaměstnávajícího od 20 do 100 zaměstnanců",
    "10 % zaměstnanců u zaměstnavatele zaměstnávajícího od 101 do 300 zaměstnanců",
    "30 zaměstnancům u zaměstnavatele zaměstnávajícího více než 300 zaměstnanců",
    provisions="CZ:zakonik_prace:6[23](:.*)?",
)
def cz_mass_dismissal(employees: int, affected: int) -> bool:
    if 20 <= employees <= 100:
        return affected >= 10
    if 101 <= employees <= 300:
        return 10 * affected >= employees
    return employees > 300 and affected >= 30


# Germany


@reads(
    "DE:kschg:17",
    "in Betrieben mit in der Regel mehr als 20 und weniger als 60 Arbeitnehmern mehr als 5 Arbeitnehmer",
    "mindestens 60 und weniger als 500 Arbeitnehmern 10 vom Hundert der im Betrieb regelmäßig beschäftigten "
    "Arbeitnehmer oder aber mehr als 25 Arbeitnehmer",
    "in Betrieben mit in der Regel mindestens 500 Arbeitnehmern mindestens 30 Arbeitnehmer",
    provisions="DE:kschg:1[78](:.*)?",
)
def de_notifiable_dismissals(employees: int, affected: int) -> bool:
    if 20 < employees < 60:
        return affected > 5
    if 60 <= employees < 500:
        return 10 * affected >= employees or affected > 25
    return employees >= 500 and affected >= 30


@reads(
    "DE:betrvg:112a",
    "Betriebsänderung im Sinne des § 111 Satz 3 Nr. 1",  # so of undertakings with more than twenty: § 111 Satz 1
    "weniger als 60 Arbeitnehmern 20 vom Hundert der regelmäßig beschäftigten Arbeitnehmer, aber mindestens 6",
    "mindestens 60 und weniger als 250 Arbeitnehmern 20 vom Hundert der regelmäßig beschäftigten Arbeitnehmer oder "
    "mindestens 37",
    "mindestens 250 und weniger als 500 Arbeitnehmern 15 vom Hundert der regelmäßig beschäftigten Arbeitnehmer oder "
    "mindestens 60",
    "mindestens 500 Arbeitnehmern 10 vom Hundert der regelmäßig beschäftigten Arbeitnehmer, aber mindestens 60",
    provisions="DE:betrvg:112a(:.*)?",
)
def de_social_plan_by_dismissals(employees: int, affected: int) -> bool:
    if not employees > 20:
        return False
    if employees < 60:
        return 100 * affected >= 20 * employees and affected >= 6
    if employees < 250:
        return 100 * affected >= 20 * employees or affected >= 37
    if employees < 500:
        return 100 * affected >= 15 * employees or affected >= 60
    return 100 * affected >= 10 * employees and affected >= 60


# Denmark


@reads(
    "DK:masseafskedigelsesloven:1",
    "Mindst 10 i virksomheder, som normalt beskæftiger over 20 og færre end 100 lønmodtagere",
    "Mindst 10 pct. af antallet af lønmodtagere i virksomheder, som normalt beskæftiger mindst 100 og under 300",
    "Mindst 30 i virksomheder, som normalt beskæftiger mindst 300 lønmodtagere",
    provisions="DK:masseafskedigelsesloven:[5-9](:.*)?",
)
def dk_larger_dismissals(employees: int, affected: int) -> bool:
    return usual_bands(employees, affected)


# Estonia


@reads(
    "EE:tooleping:90",
    "5 töötajaga ettevõttes, kus töötab keskmiselt kuni 19 töötajat",
    "10 töötajaga ettevõttes, kus töötab keskmiselt 20–99 töötajat",
    "10 protsendiga töötajatest ettevõttes, kus töötab keskmiselt 100–299 töötajat",
    "30 töötajaga ettevõttes, kus töötab keskmiselt vähemalt 300 töötajat",
    provisions="EE:tooleping:10[123](:.*)?",
)
def ee_collective_termination(employees: int, affected: int) -> bool:
    if employees <= 19:
        return affected >= 5
    if 20 <= employees <= 99:
        return affected >= 10
    if 100 <= employees <= 299:
        return 10 * affected >= employees
    return affected >= 30


# Spain


def es_bands(employees: int, affected: int) -> bool:
    """Tell by the letters a) to c) that arts 40.2, 41.2 and 51.1 share."""
    if employees < 100:
        return affected >= 10
    if 100 <= employees <= 300:
        return 10 * affected >= employees
    return affected >= 30


ES_BANDS = (
    "en las empresas que ocupen menos de cien trabajadores",
    "El diez por ciento del número de trabajadores de la empresa en aquellas que ocupen entre cien y trescientos",
    "en las empresas que ocupen más de trescientos trabajadores",
)


@reads(
    "ES:estatuto_trabajadores:51",
    "Cuando la extinción afectase a más del cincuenta por ciento de los trabajadores",
    provisions="ES:estatuto_trabajadores:51:3",
)
def es_more_than_half(employees: int, affected: int) -> bool:
    return es_collective_dismissal(employees, affected) and 2 * affected > employees


@reads(
    "ES:estatuto_trabajadores:51",
    "un despido colectivo que afecte a más de cincuenta trabajadores",
    provisions="ES:estatuto_trabajadores:51:10",
)
def es_outplacement(employees: int, affected: int) -> bool:
    return es_collective_dismissal(employees, affected) and affected > 50


@reads("ES:rd_1483_2012:7", "En empresas de menos de cincuenta trabajadores", provisions="ES:rd_1483_2012:7:4")
def es_two_meetings(employees: int, affected: int) -> bool:
    return es_collective_dismissal(employees, affected) and employees < 50


@reads("ES:rd_1483_2012:7", "En empresas de cincuenta o más trabajadores", provisions="ES:rd_1483_2012:7:5")
def es_three_meetings(employees: int, affected: int) -> bool:
    return es_collective_dismissal(employees, affected) and employees >= 50


@reads(
    "ES:estatuto_trabajadores:51",
    *ES_BANDS,
    "que afecten a la totalidad de la plantilla de la empresa, siempre que el número de trabajadores afectados sea "
    "superior a cinco",
    provisions="es-redundancy-.*|ES:estatuto_trabajadores:51:(?!7).*",  # 51.7: force majeure, whatever the number,
)
def es_collective_dismissal(employees: int, affected: int) -> bool:
    return es_bands(employees, affected) or (affected == employees and affected > 5)


@reads(
    "ES:estatuto_trabajadores:52",
    "Cuando concurra alguna de las causas previstas en el artículo 51.1 y la extinción afecte a un número inferior al "
    "establecido en el mismo",
    provisions="ES:estatuto_trabajadores:53:1:[ac]",
)
def es_objective_dismissal(employees: int, affected: int) -> bool:
    return not es_collective_dismissal(employees, affected)


@reads(
    "ES:estatuto_trabajadores:40",
    *ES_BANDS,
    "cuando afecte a la totalidad del centro de trabajo, siempre que este ocupe a más de cinco trabajadores",
    provisions="ES:estatuto_trabajadores:40:2",
)
def es_collective_relocation(employees: int, affected: int) -> bool:
    return es_bands(employees, affected) or (affected == employees and employees > 5)


@reads(
    "ES:estatuto_trabajadores:41",
    "Se considera de carácter individual la modificación que, en el periodo de referencia establecido, no alcance los "
    "umbrales señalados para las modificaciones colectivas",
    provisions="ES:estatuto_trabajadores:41:3",
)
def es_individual_change(employees: int, affected: int) -> bool:
    return not es_collective_change(employees, affected)


@reads(
    "ES:estatuto_trabajadores:41",
    *ES_BANDS,
    provisions=r"ES:estatuto_trabajadores:41:(1:[de]|4|5)",
)
def es_collective_change(employees: int, affected: int) -> bool:
    return es_bands(employees, affected)


# European Union: both of the choices that the directive gives the member states


# The directive: a member state chooses the bands or the twenty. What meets both holds in every member state.


@reads(
    "EU:dir_98_59:1",
    "according to the choice of the Member States",
    "at least 20, whatever the number of workers normally employed",
    provisions="eu-redundancy-.*-by-choice",
)
def eu_one_of_both_choices(employees: int, affected: int) -> bool:
    return usual_bands(employees, affected) is not (affected >= 20)


@reads(
    "EU:dir_98_59:1",
    "at least 10 in establishments normally employing more than 20 and less than 100 workers",
    "at least 10 % of the number of workers in establishments normally employing at least 100 but less than 300",
    "at least 30 in establishments normally employing 300 workers or more",
    "at least 20, whatever the number of workers normally employed",
    provisions="EU:dir_98_59:[234](:.*)?",
)
def eu_collective_redundancies(employees: int, affected: int) -> bool:
    return usual_bands(employees, affected) and affected >= 20


# Finland: § 2 opens the act from 20 employees


@reads("FI:yhteistoimintalaki:21", "irtisanoa vähintään kymmenen työntekijää", provisions="FI:.*:21:[13]")
def fi_action_plan(employees: int, affected: int) -> bool:
    return employees >= 20 and affected >= 10


@reads(
    "FI:yhteistoimintalaki:21",
    "Jos työnantaja harkitsee irtisanovansa alle kymmenen työntekijää",
    provisions="FI:yhteistoimintalaki:21:4",
)
def fi_principles(employees: int, affected: int) -> bool:
    return employees >= 20 and affected < 10


@reads(
    "FI:yhteistoimintalaki:23",
    "neuvottelut koskevat alle kymmenen työntekijän irtisanomista",
    provisions="FI:yhteistoimintalaki:23:2:1",
)
def fi_fourteen_days(employees: int, affected: int) -> bool:
    return employees >= 20 and affected < 10


@reads(
    "FI:yhteistoimintalaki:23",
    "alle kymmenen työntekijän",
    "kuusi viikkoa",
    "työntekijöiden määrä on säännöllisesti alle 30",
    provisions="FI:yhteistoimintalaki:23:2",
)
def fi_six_weeks(employees: int, affected: int) -> bool:
    return employees >= 20 and not affected < 10 and not employees < 30


# France: collective means two or more; a committee is set up from eleven employees (L2311-2)


@reads(
    "FR:code_du_travail:L1233-8",
    "un licenciement collectif pour motif économique de moins de dix salariés",
    "dans les entreprises d'au moins onze salariés",
    provisions="FR:code_du_travail:L1233-(8|10)(:.*)?",
)
def fr_fewer_than_ten(employees: int, affected: int) -> bool:
    return employees >= 11 and 2 <= affected < 10


@reads(
    "FR:code_du_travail:L1233-19",
    "un licenciement collectif pour motif économique de moins de dix salariés",
    provisions="FR:code_du_travail:L1233-19(:.*)?",
)
def fr_fewer_than_ten_to_the_authority(employees: int, affected: int) -> bool:
    return 2 <= affected < 10


@reads(
    "FR:code_du_travail:L1233-11",
    "qu'il s'agisse d'un licenciement individuel ou inclus dans un licenciement collectif de moins de dix salariés",
    provisions="FR:code_du_travail:L1233-11(:.*)?",
)
def fr_interview(employees: int, affected: int) -> bool:
    return affected < 10


@reads(
    "FR:code_du_travail:L1233-5",
    "Lorsque l'employeur procède à un licenciement collectif pour motif économique",
    provisions="FR:code_du_travail:L1233-5(:.*)?",
)
def fr_order_of_dismissals(employees: int, affected: int) -> bool:
    return affected >= 2


@reads(
    "FR:code_du_travail:L1233-29",
    "Dans les entreprises ou établissements employant habituellement moins de cinquante salariés",
    provisions="FR:code_du_travail:L1233-29(:.*)?",
)
def fr_ten_or_more_under_fifty(employees: int, affected: int) -> bool:
    return fr_ten_or_more(employees, affected) and employees < 50


@reads(
    "FR:code_du_travail:L1233-61",
    "Dans les entreprises d'au moins cinquante salariés, lorsque le projet de licenciement concerne au moins dix",
    provisions="FR:code_du_travail:L1233-(30|34|49|57-1|58|61|63)(:.*)?",
)
def fr_job_protection_plan(employees: int, affected: int) -> bool:
    return employees >= 50 and affected >= 10


@reads(
    "FR:code_du_travail:L1233-28",
    "un licenciement collectif pour motif économique d'au moins dix salariés",
    "réunit et consulte le comité social et économique",
    provisions="FR:code_du_travail:L1233-3[12](:.*)?",
)
def fr_ten_or_more(employees: int, affected: int) -> bool:
    return employees >= 11 and affected >= 10


@reads(
    "FR:code_du_travail:L1233-46",
    "tout projet de licenciement pour motif économique d'au moins dix salariés",
    provisions="FR:code_du_travail:L1233-(38|46)(:.*)?",
)
def fr_ten_or_more_to_the_authority(employees: int, affected: int) -> bool:
    return affected >= 10


@reads(
    "FR:code_du_travail:L1233-39",
    "Dans les entreprises de moins de cinquante salariés",
    "à compter de la notification du projet de licenciement à l'autorité administrative",
    provisions="fr-redundancy-letters",
)
def fr_letters_under_fifty(employees: int, affected: int) -> bool:
    return fr_ten_or_more_to_the_authority(employees, affected) and employees < 50


@reads(
    "FR:code_du_travail:L1233-39",
    "Dans les entreprises de cinquante salariés ou plus, lorsque le projet de licenciement concerne dix salariés",
    provisions="fr-redundancy-letters-from-50",
)
def fr_letters_from_fifty(employees: int, affected: int) -> bool:
    return employees >= 50 and affected >= 10


@reads(
    "FR:code_du_travail:L1233-4",
    "Le licenciement pour motif économique d'un salarié ne peut intervenir que lorsque",
    provisions="FR:code_du_travail:L1233-(4|60)(:.*)?",
)
def fr_any_dismissal(employees: int, affected: int) -> bool:
    return affected >= 1


@reads(
    "FR:code_du_travail:L2312-39",
    "projets de restructuration et de compression des effectifs",
    provisions="fr-workforce-reduction-consultation",
)
def fr_workforce_reduction(employees: int, affected: int) -> bool:
    return employees >= 50 and affected >= 2  # the committee of art. L2312-1; collective: two or more


# Great Britain


@reads(
    "GB:tulrca_1992:188",
    "where the employer is proposing to dismiss 100 or more employees",
    "at least 45 days",
    provisions="GB:tulrca_1992:188:1A:a",
)
def gb_forty_five_days(employees: int, affected: int) -> bool:
    return affected >= 100


@reads("GB:tulrca_1992:188", "otherwise, at least 30 days", provisions="GB:tulrca_1992:188:1A:b")
def gb_thirty_days(employees: int, affected: int) -> bool:
    return gb_redundancies(employees, affected) and not gb_forty_five_days(employees, affected)


@reads("GB:tulrca_1992:188", "20 or more employees at one establishment", provisions="GB:tulrca_1992:188:.*")
def gb_redundancies(employees: int, affected: int) -> bool:
    return affected >= 20


# Greece: what is beyond the limits is collective


@reads(
    "GR:ergatiko_kodikas:352",
    "που απασχολούν περισσότερους από είκοσι εργαζομένους",
    "υπερβαίνουν κάθε ημερολογιακό μήνα τα όρια",
    "Μέχρι έξι (6) εργαζομένους",
    "πενήντα (150) εργαζομένους",
    "Ποσοστό πέντε τοις εκατό (5%) του προσωπικού και μέχρι τριάντα (30) εργαζομένους",
    provisions="gr-redundancy-.*|GR:ergatiko_kodikas:35[46](:.*)?",
)
def gr_collective_dismissals(employees: int, affected: int) -> bool:
    if not employees > 20:
        return False
    if employees <= 150:
        return affected > 6
    return 100 * affected > 5 * employees or affected > 30


# Hungary


@reads(
    "HU:munka_torvenykonyve:71",
    "húsznál több és száznál kevesebb munkavállaló foglalkoztatása esetén legalább tíz munkavállaló",
    "száz vagy annál több, de háromszáznál kevesebb munkavállaló foglalkoztatása esetén legalább a munkavállalók tíz "
    "százaléka",
    "háromszáz vagy annál több munkavállaló foglalkoztatása esetén legalább harminc munkavállaló",
    provisions="HU:munka_torvenykonyve:7[1-6](:.*)?",
)
def hu_collective_reduction(employees: int, affected: int) -> bool:
    return usual_bands(employees, affected)


# Ireland


@reads(
    "IE:pea1977:6",
    "at least 5 in an establishment normally employing more than 20 and less than 50 employees",
    "at least 10 in an establishment normally employing at least 50 but less than 100 employees",
    "at least ten per cent. of the number of employees in an establishment normally employing at least 100 but less",
    "at least 30 in an establishment normally employing 300 or more employees",
    provisions="IE:pea1977:(9|1[0-8])(:.*)?",
)
def ie_collective_redundancies(employees: int, affected: int) -> bool:
    if 20 < employees < 50:
        return affected >= 5
    if 50 <= employees < 100:
        return affected >= 10
    if 100 <= employees < 300:
        return 10 * affected >= employees
    return employees >= 300 and affected >= 30


# Italy


@reads(
    "IT:l_223_1991:24",
    "che occupino piu' di quindici dipendenti",
    "intendano effettuare almeno cinque licenziamenti",
    provisions="IT:l_223_1991:.*",
)
def it_collective_dismissals(employees: int, affected: int) -> bool:
    return employees > 15 and affected >= 5


# Luxembourg


@reads(
    "LU:code_du_travail:L.411-1",
    "au moins quinze salariés liés par contrat de travail",
    provisions="lu-redundancy-delegation-first",
)
def lu_collective_dismissals_without_delegation(employees: int, affected: int) -> bool:
    return lu_collective_dismissals(employees, affected) and employees >= 15


@reads(
    "LU:code_du_travail:L.124-2",
    "Lorsque l’employeur qui occupe cent cinquante salariés au moins envisage de licencier un salarié",
    provisions=r"LU:code_du_travail:L\.124-2(:.*)?",
)
def lu_interview(employees: int, affected: int) -> bool:
    return employees >= 150 and affected >= 1


@reads(
    "LU:code_du_travail:L.166-1",
    "pour une même période de trente jours, au moins égal à sept salariés",
    provisions=r"LU:code_du_travail:L\.166-\d+(:.*)?|lu-redundancy-delegation-consultation",
)
def lu_collective_dismissals(employees: int, affected: int) -> bool:
    return affected >= 7


# Latvia


@reads(
    "LV:darba_likums:105",
    "vismaz pieci darbinieki, ja darba devējs uzņēmumā parasti nodarbina vairāk nekā 20, bet mazāk nekā 50",
    "vismaz 10 darbinieki, ja darba devējs uzņēmumā parasti nodarbina vismaz 50, bet mazāk nekā 100",
    "vismaz 10 procenti no darbinieku skaita, ja darba devējs uzņēmumā parasti nodarbina vismaz 100, bet mazāk",
    "vismaz 30 darbinieki, ja darba devējs uzņēmumā parasti nodarbina 300 un vairāk",
    provisions="LV:darba_likums:10[5-7](:.*)?",
)
def lv_collective_dismissal(employees: int, affected: int) -> bool:
    if 20 < employees < 50:
        return affected >= 5
    if 50 <= employees < 100:
        return affected >= 10
    if 100 <= employees < 300:
        return 10 * affected >= employees
    return employees >= 300 and affected >= 30


# Norway


@reads(
    "NO:arbeidsmiljoloven:15-2",
    "Med masseoppsigelser menes oppsigelser som foretas overfor minst 10 arbeidstakere",
    provisions="no-redundancy-(?!closure).*",
)
def no_mass_dismissal(employees: int, affected: int) -> bool:
    return affected >= 10


# Poland


@reads(
    "PL:zwolnienia_grupowe_2003:1",
    "pracodawcę zatrudniającego co najmniej 20 pracowników",
    "10 pracowników, gdy pracodawca zatrudnia mniej niż 100 pracowników",
    "10% pracowników, gdy pracodawca zatrudnia co najmniej 100, jednakże mniej niż 300 pracowników",
    "30 pracowników, gdy pracodawca zatrudnia co najmniej 300 lub więcej pracowników",
    provisions="PL:zwolnienia_grupowe_2003:[23468](:.*)?",
)
def pl_group_dismissals(employees: int, affected: int) -> bool:
    if employees < 20:
        return False
    if employees < 100:
        return affected >= 10
    if employees < 300:
        return 10 * affected >= employees
    return affected >= 30


@reads(
    "PL:zwolnienia_grupowe_2003:10",
    "przez pracodawcę zatrudniającego co najmniej 20 pracowników",
    "obejmują mniejszą liczbę pracowników niż określona w art. 1",
    provisions="PL:zwolnienia_grupowe_2003:10(:.*)?",
)
def pl_fewer_dismissals(employees: int, affected: int) -> bool:
    return employees >= 20 and not pl_group_dismissals(employees, affected)


# Portugal: micro is «menos de 10 trabalhadores», small «de 10 a menos de 50 trabalhadores» (art. 100(1)(a), (b))


def pt_small(employees: int) -> Facts:
    return {"small_enterprise": employees < 50}


@reads(
    "PT:codigo_trabalho:359",
    "pelo menos, dois ou cinco trabalhadores, conforme se trate, respectivamente, de microempresa ou de pequena "
    "empresa, por um lado, ou de média ou grande empresa, por outro",
    provisions="PT:codigo_trabalho:36[0-36](:.*)?",
    also=pt_small,
)
def pt_collective_dismissal(employees: int, affected: int) -> bool:
    return affected >= (2 if employees < 50 else 5)


@reads(
    "PT:codigo_trabalho:359",
    "abrangendo, pelo menos, dois ou cinco trabalhadores",
    "redução do número de trabalhadores determinada por motivos de mercado, estruturais ou tecnológicos",
    provisions="PT:codigo_trabalho:369(:.*)?",
    also=pt_small,
)
def pt_job_abolition(employees: int, affected: int) -> bool:
    """Tell a dismissal «por extinção de posto de trabalho» (art. 369(1)): too few go for a collective one."""
    return not pt_collective_dismissal(employees, affected)


# Romania


@reads(
    "RO:codul_muncii:68",
    "cel puţin 10 salariaţi, dacã angajatorul care disponibilizeazã are încadraţi mai mult de 20 de salariaţi şi mai "
    "puţin de 100 de salariaţi",
    "cel puţin 10% din salariaţi, dacã angajatorul care disponibilizeazã are încadraţi cel puţin 100 de salariaţi, dar "
    "mai puţin de 300 de salariaţi",
    "cel puţin 30 de salariaţi, dacã angajatorul care disponibilizeazã are încadraţi cel puţin 300 de salariaţi",
    provisions="RO:codul_muncii:(69|7[0-3])(:.*)?",
)
def ro_collective_dismissal(employees: int, affected: int) -> bool:
    return usual_bands(employees, affected)


# Slovakia


@reads(
    "SK:zakonnik_prace:73",
    "najmenej s desiatimi zamestnancami u zamestnávateľa, ktorý zamestnáva viac ako 20 a menej ako 100 zamestnancov",
    "najmenej s 10 % zamestnancov z celkového počtu zamestnancov u zamestnávateľa, ktorý zamestnáva najmenej 100 a "
    "menej ako 300 zamestnancov",
    "najmenej s 30 zamestnancami u zamestnávateľa, ktorý zamestnáva najmenej 300 zamestnancov",
    provisions="SK:zakonnik_prace:73(:.*)?",
)
def sk_mass_dismissal(employees: int, affected: int) -> bool:
    return usual_bands(employees, affected)


SIZES = [
    # place, words, fewest employees, most employees, provisions
    ("AT:arbvg:109", "dauernd mindestens 20 Arbeitnehmer", 20, None, "at-social-plan|at-consequences-agreement"),
    ("AT:arbvg:111", "dauernd mehr als 200 Arbeitnehmer", 201, None, "AT:arbvg:111:.*"),
    ("BE:cct_39:1", "au moins 50 travailleurs", 50, None, "be-new-technology-information"),
    ("CH:mitwirkungsgesetz:3", "mindestens 50", 50, None, "ch-representation-(right|joint-organisation|election|size)"),
    ("CH:mitwirkungsgesetz:5", "mehr als 500 Beschäftigten", 501, None, "ch-representation-vote-large"),
    ("CY:n_78_2005:3", "τουλάχιστον 30 εργοδοτούμενους", 30, None, "CY:n_78_2005:.*"),
    ("CZ:zakonik_prace:280", "méně než 10 zaměstnanců", 10, None, "CZ:zakonik_prace:280:1:[abc]"),
    ("DE:betrvg:99", "mehr als zwanzig", 21, None, "de-individual-staff-measures"),
    ("DE:betrvg:106", "mehr als einhundert", 101, None, "DE:betrvg:106:.*"),
    ("DE:betrvg:110", "mehr als 1.000", 1001, None, "DE:betrvg:110:1"),
    ("DE:betrvg:110", "mehr als zwanzig", 21, 1000, "DE:betrvg:110:2"),
    ("DE:betrvg:111", "mehr als 300 Arbeitnehmern", 301, None, "de-change-consultant"),
    ("DE:betrvg:111", "mehr als zwanzig", 21, None, "de-operational-change|de-change-.*|DE:betrvg:11(2:[14]|3:3)"),
    ("DK:hoeringsloven:2", "mindst 35 ansatte", 35, None, "DK:hoeringsloven:4(:.*)?"),
    ("ES:estatuto_trabajadores:28", "al menos cincuenta trabajadores", 50, None, "ES:estatuto_trabajadores:28:3"),
    ("ES:lols:8", "más de 250 trabajadores", 251, None, "ES:lols:8:2:c"),
    ("ES:lols:10", "más de 250 trabajadores", 251, None, "ES:lols:10:3(:.*)?"),
    ("EU:dir_2002_14:3", "undertakings employing at least 50 employees", 50, None, "eu-change-consultation"),
    ("EU:dir_2002_14:3", "establishments employing at least 20 employees", 20, 49, "eu-change-consultation-from-20"),
    ("EU:dir_2002_14:3", "establishments employing at least 20 employees", 20, None, "EU:dir_2002_14:4:2:[bc]"),
    ("EU:gdpr:30", "fewer than 250 persons", 1, 249, "eu-gdpr-records-under-250"),
    ("EU:gdpr:30", "fewer than 250 persons", 250, None, "eu-gdpr-records"),
    ("FI:yhteistoimintalaki:2", "vähintään 150", 150, None, "FI:yhteistoimintalaki:(29|3[0-4])(:.*)?"),
    ("FI:yhteistoimintalaki:23", "säännöllisesti alle 30", 20, 29, "FI:yhteistoimintalaki:23:2:3"),
    ("FI:yhteistoimintalaki:2", "vähintään 20", 20, None, "FI:.*:([6-9]|1[0-6]|19|2[02-8]|3[5-7])(:.*)?"),
    ("FR:code_du_travail:L1233-71", "d'au moins mille salariés", 1000, None, r"FR:.*:L1233-57-(9|19)"),
    ("FR:code_du_travail:L2311-2", "d'au moins onze salariés", 11, None, "FR:code_du_travail:L2314-4"),
    (
        "FR:code_du_travail:L2312-1",
        "d'au moins cinquante salariés",
        50,
        None,
        r"FR:.*:L23(12-(8|[1-6]\d(?<!59|60))|15-94)(:.*)?",
    ),
    ("GR:ergatiko_kodikas:444", "τουλάχιστον πενήντα (50) εργαζομένους", 50, None, "GR:ergatiko_kodikas:44[58](:.*)?"),
    ("HR:zakon_o_radu:29", "najmanje dvadeset radnika", 20, None, "HR:zakon_o_radu:29:6"),
    ("IE:epica2006:4", "at least 50 employees", 50, None, "IE:epica2006:(3|6|7|1[0-3]):.*"),
    ("IT:dlgs_25_2007:3", "almeno 50 lavoratori", 50, None, "IT:dlgs_25_2007:.*"),
    ("IT:l_428_1990:47", "più di quindici lavoratori", 16, None, "IT:l_428_1990:47:.*"),
    ("LT:darbo_kodeksas:205", "dvidešimt ir daugiau darbuotojų", 20, None, "LT:darbo_kodeksas:205:.*"),
    ("LT:darbo_kodeksas:206", "dvidešimt ir daugiau darbuotojų", 20, None, "LT:darbo_kodeksas:206:.*"),
    ("LU:code_du_travail:L.414-2", "moins de 150 salariés", 1, 149, r"LU:code_du_travail:L\.414-2:6"),
    ("LU:code_du_travail:L.414-9", "au moins 150 salariés", 150, None, r"LU:code_du_travail:L\.414-9(:.*)?"),
    ("LV:darba_likums:55", "ne mazāk kā 10 darbiniekus", 10, None, "LV:darba_likums:55:.*"),
    ("NL:wor:2", "ten minste 50 personen", 50, None, "NL:wor:2:1"),
    ("NL:wor:23", "ten minste 100 personen", 100, None, "nl-pay-ratios-discussion"),
    ("NO:arbeidsmiljoloven:7-1", "minst 30 arbeidstakere", 30, None, "no-committee-(plans|working-time)"),
    ("NO:arbeidsmiljoloven:7-1", "virksomhet med færre enn 30 arbeidstakere", 1, 29, "no-committee-under-30"),
    ("NO:arbeidsmiljoloven:8-1", "minst 50 arbeidstakere", 50, None, "NO:arbeidsmiljoloven:8-[12](:.*)?"),
    ("NO:arbeidsmiljoloven:8-4", "minst 50 arbeidstakere", 50, None, "NO:arbeidsmiljoloven:8-4(:.*)?"),
    (
        "PL:informowanie_konsultacje_2006:1",
        "co najmniej 50 pracowników",
        50,
        None,
        "PL:informowanie_konsultacje_2006:14:.*",
    ),
    ("RO:legea_467_2006:4", "cel puțin 20 de angajați", 1, 19, "ro-change-process-small"),
    (
        "RO:legea_467_2006:4",
        "cel puțin 20 de angajați",
        20,
        None,
        "RO:legea_467_2006:5:.*|ro-change-process(-transfer|-redundancy)?|ro-third-party-assistance",
    ),
    ("SK:zakonnik_prace:233", "najmenej 50 zamestnancov", 50, None, "SK:zakonnik_prace:234:1"),
]
"""Thresholds of size alone."""


def _sized(fewest: int, most: int | None) -> Predicate:
    return lambda employees, affected: fewest <= employees <= (most or employees)


OF_SIZE = [Reading(place, (words,), who, _sized(first, last)) for place, words, first, last, who in SIZES]
