"""Name the blocks that sections of answers may be made of; `scenarios/answers/blocks/registry.py` writes them."""

BLOCK_NAMES = (
    "verdict",
    "thresholds",
    "lead",
    "basis",
    "steps",
    "timing",
    "duties",
    "duties_in_full",
    "facts",
    "not_applying",
    "what_if",
    "open",
    "limits",
    "data_rules",
    "timeline",
    "escalation",
    "escalation_stages",
    "stricter",
    "compare",
    "timetable",
    "who",
    "when",
    "whether",
    "suppose",
    "agreement",
    "agreement_gaps",
    "system",
)

READS = {"agreement": "agreement", "agreement_gaps": "agreement", "system": "system"}
"""Block to the exhibit that it sums up."""
