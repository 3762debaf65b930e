"""Say what the law engine finds, and where an answer differs from it."""

from __future__ import annotations

from typing import Any

from forge_assets.citations.rendering import render
from forge_assets.law.cross_border import combine
from forge_assets.law.engine import Finding, State
from forge_assets.law.explanation import explain_finding
from forge_assets.law.headline import ranked
from forge_assets.serving.judging import Judged
from forge_assets.serving.library import Library
from forge_assets.serving.reading.question import Reading


def engine_says(library: Library, read: Reading, judged: Judged | None) -> dict[str, Any] | None:
    """List the duties of a stated case, the first first, and where an answer differs; None where no case is stated.

    Args:
        judged: the answer's citations; None where nothing was answered.
    """
    if not read.change or not read.jurisdictions or not read.facts:
        return None
    held = library.frameworks(read.jurisdictions)
    frameworks = {each.jurisdiction: each for each in held}
    combined = combine(library.domain, held, read.change, dict.fromkeys(read.jurisdictions, read.facts))
    groups = [*combined.national.values(), *([one.finding for one in found] for found in combined.union.values())]
    duties, differences = [], []
    cited = {one.key for one in judged.citations} if judged else set()
    for findings in groups:
        by_id = {finding.provision.id: finding for finding in findings}
        for provision in ranked(library.domain, (finding.provision for finding in findings)):
            finding = by_id[provision.id]
            if not (finding.applies or finding.hinges_on or finding.state is State.JUDGED):
                continue
            written = render(provision.cite, frameworks[provision.cite.jurisdiction])
            certain = finding.applies and not provision.incomplete
            duties.append(
                {
                    "citation": written,
                    "key": str(provision.cite),
                    "level": provision.level,
                    "text": _text(finding),
                    "certain": certain,
                }
            )
            national = provision.cite.jurisdiction in read.jurisdictions
            if judged is not None and certain and national and provision.core and str(provision.cite) not in cited:
                differences.append(f"{written} applies, and the answer does not cite it: {provision.summary}")
    if judged is not None:
        differences += [
            f"the answer cites {one.text}, which does not apply to what is stated"
            for one in judged.citations
            if one.verdict in ("not_applicable", "not_in_force")
        ]
    return {"duties": duties, "differences": differences}


def _text(finding: Finding) -> str:
    why = "; ".join(explain_finding(finding)[1:])
    return f"{finding.provision.summary} ({why})" if why else finding.provision.summary
