"""Check that the number and unit of every term stand in words of the text."""

from __future__ import annotations

from collections.abc import Iterator

from forge_assets.law.checks.faults import Found
from forge_assets.law.model import Framework
from forge_assets.law.term_evidence import unsaid_terms
from forge_assets.law.terms import length


def term_faults(framework: Framework) -> Iterator[Found]:
    """Find terms whose length no words of the text say."""
    for i, provision in enumerate(framework.provisions):
        for term in unsaid_terms(framework, provision):
            what = f"{provision.id}: no words of the text say «{length(term)}»"
            mend = (
                "correct the term, give its words under `said_at`, or list the country's word for the number or the "
                "unit under `term_words`"
            )
            yield "terms", "error", ("provisions", i, "term"), what, mend
