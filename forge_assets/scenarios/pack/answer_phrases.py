"""List the phrases that answers are made of, with the slots that each of them fills."""

from __future__ import annotations

from collections.abc import Mapping

GIST = "gist"
"""Slot of fields that are written in English alone."""
COMPARED = (
    "country_duty",
    "country_none",
    "stricter_than",
    "strictest",
    "equal",
    "no_duty",
    "level_in",
    "none_asks",
    "equal_all",
    "across",
    "national",
    "order_stated",
    "order_open",
)
"""Phrases of answers that compare countries, which is asked in English."""

PHRASES: Mapping[str, tuple[str, ...]] = {
    name: tuple(slots.split())
    for name, slots in {
        "subject": "country change",
        "owed": "level body",
        "concerns": "level body",
        "lead": "level duty",
        "met": "tests",
        "none": "reason",
        "unsettled": "reason",
        "not_reached": "place needs",
        "not_stated": "facts places",
        "in_any_case": "rest",
        "in_any_case_none": "",
        "not_yet": "date place day",
        "foreign": "other country",
        "repealed": "",
        "at_least": "limit measure",
        "at_most": "limit measure",
        "between": "low high measure",
        "share_at_least": "limit whole measure",
        "share_more_than": "limit whole measure",
        "share_at_most": "limit whole measure",
        "share_less_than": "limit whole measure",
        "both": "first second",
        "either": "first second",
        "here": "tests value",
        "here_share": "tests part whole percent",
        "missed_by": "tests value short",
        "exceeded_by": "tests value over",
        "duty": "gist place",
        "duty_quoted": "body quote place",
        "duty_placed": "body place",
        "nothing": "",
        "also": "duty more",
        "head": "level place",
        "what": "gist",
        "words": "quote",
        "owed_to": "body",
        "by_when": "deadline",
        "on_breach": "consequence",
        "why": "reason",
        "always": "",
        "stated": "facts",
        "decides": "place tests",
        "decides_fact": "place fact",
        "misses": "place tests",
        "if_fact": "fact effect",
        "if_number": "value measure effect",
        "comes": "places",
        "goes": "places",
        "comes_and_goes": "first second",
        "step_by": "date duty",
        "step_timed": "duty deadline",
        "step_owner": "body duty",
        "change_on": "date",
        "waiting": "date latest place",
        "step": "gist place",
        "step_staged": "stage gist place",
        "step_quoted": "stage quote place",
        "step_placed": "stage place",
        "rule": "gist place",
        "rule_quoted": "place quote",
        "depends": "place gist",
        "depends_quoted": "place quote",
        "depends_placed": "place",
        "nothing_open": "",
        "text_of": "law day",
        "complete": "",
        "silent": "",
        "not_covered": "",
        "country_duty": "country duty",
        "country_none": "country",
        "stricter_than": "change level country less",
        "strictest": "change level countries less",
        "equal": "change level countries",
        "no_duty": "",
        "level_in": "level country",
        "none_asks": "change countries",
        "equal_all": "change level countries",
        "across": "body duty",
        "national": "country body duty",
        "order_stated": "duty",
        "order_open": "",
        "who": "body duty",
        "who_none": "reason",
        "when": "deadline duty",
        "when_none": "places",
        "whether_yes": "level duty",
        "whether_no": "reason",
        "whether_unsettled": "reason",
        "suppose_same": "places",
        "suppose_same_none": "",
        "suppose_changes": "effect",
        "place_says": "place gist quote",
        "place_quoted": "place quote",
        "place_found": "place gist",
        "place_found_quoted": "place level body",
    }.items()
}
"""Name of a phrase to its slots; every alternative must have all of them."""

SAYS_NONE = ("none", "in_any_case_none", "country_none", "whether_no", "who_none", "none_asks")
SAYS_UNSETTLED = ("unsettled", "whether_unsettled")
"""Phrases by which an answer says that nothing applies, or that the texts do not settle it: scoring looks for it."""


def is_english_only(phrase: str) -> bool:
    """Whether only `en.yaml` needs a phrase."""
    return phrase in COMPARED or GIST in PHRASES[phrase]
