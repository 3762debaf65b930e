"""What a server says to the page: a domain, and streams of events in the shape that `forge serve` has."""

from __future__ import annotations

from typing import Any

DOMAIN: dict[str, Any] = {
    "title": "Information and consultation of employees in Europe",
    "notice": ["Written by a machine: this text can be wrong.", "No legal advice."],
    "model": {"name": "labour-cpu-1a741ad6dd15", "digest": "1a741ad6dd15"},
    "jurisdictions": [
        {"id": "AT", "name": "Austria", "taught": True},
        {"id": "DE", "name": "Germany", "taught": True},
        {"id": "FR", "name": "France", "taught": False},
    ],
    "changes": [
        {"id": "collective_redundancy", "title": "collective redundancy"},
        {"id": "ai_system", "title": "introduction of an AI system"},
    ],
    "facts": [
        {"id": "employees", "title": "Employees", "kind": "integer"},
        {"id": "works_council", "title": "Works council", "kind": "boolean"},
        {"id": "channel", "title": "Channel", "kind": "choice", "choices": ["online", "doorstep"]},
    ],
    "max_question_bytes": 2000,
}

ANSWER = "Consultation is owed: 🏭 § 102 Abs. 1 BetrVG, and § 999 BetrVG."
Events = list[tuple[str, dict[str, Any]]]
READING = (
    "reading",
    {
        "language": "en",
        "jurisdictions": ["DE"],
        "change": "collective_redundancy",
        "facts": {"employees": 200, "works_council": True},
        "asked": "Please assess. Germany, 200 employees.",
        "notes": ["30 people: taken as those affected"],
    },
)


def _cited(text: str, verdict: str, **more: Any) -> dict[str, Any]:
    start = ANSWER.index(text)
    fields = {"key": None, "words": None, "law": None, "as_of": None, "status": None}
    return {"text": text, "start": start, "end": start + len(text), "verdict": verdict, **fields, **more}


GOOD: Events = [
    READING,
    ("text", {"delta": ANSWER[:20]}),
    ("text", {"delta": ANSWER[20:]}),
    (
        "citations",
        {
            "citations": [
                _cited(
                    "§ 102 Abs. 1 BetrVG",
                    "required",
                    key="DE:betrvg:102:1",
                    words="Der Betriebsrat ist vor jeder Kündigung zu hören.",
                    law="Betriebsverfassungsgesetz",
                    as_of="2026-08-19",
                    status="current",
                ),
                _cited("§ 999 BetrVG", "not_applicable"),
            ],
            "seen": 2,
            "judged": 2,
            "unchecked": ["one number"],
        },
    ),
    (
        "engine",
        {
            "duties": [
                {
                    "citation": "§ 102 Abs. 1 BetrVG",
                    "key": "DE:betrvg:102:1",
                    "level": "consultation",
                    "text": "consultation before each dismissal",
                    "certain": True,
                }
            ],
            "differences": ["The model does not name § 17 Abs. 1 KSchG."],
        },
    ),
    ("done", {"status": "answered", "answer": ANSWER, "message": None}),
]
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>\u202egnp.\u0007"

STREAMS: dict[str, Events] = {
    "good": GOOD,
    "withdrawn": [
        READING,
        ("text", {"delta": "Wrong, wrong. "}),
        ("withdrawn", {"reason": "A citation does not exist."}),
        *GOOD[1:],
    ],
    "refused": [
        READING,
        ("done", {"status": "refused", "answer": "", "message": "No country was found in the question."}),
    ],
    "error": [READING, ("error", {"message": "The model stopped while it answered."})],
    "broken off": [READING, ("text", {"delta": "Half an "})],
    "hostile": [
        ("reading", {**READING[1], "asked": HOSTILE, "notes": [HOSTILE]}),
        ("text", {"delta": HOSTILE}),
        (
            "citations",
            {
                "citations": [
                    {**_cited("§ 999 BetrVG", "unheld"), "text": HOSTILE, "words": HOSTILE, "start": 0, "end": 4}
                ],
                "seen": 1,
                "judged": 1,
                "unchecked": [HOSTILE],
            },
        ),
        ("done", {"status": "answered", "answer": HOSTILE, "message": HOSTILE}),
    ],
}
"""By the question that starts them."""
