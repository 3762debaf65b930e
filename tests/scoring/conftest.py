"""The shipped laws, and one question about Germany."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from forge_assets.citations.law_index import LawIndex
from forge_assets.law.loading import load_domain, load_framework
from forge_assets.law.statutes import load_statutes

PACK = Path(__file__).parents[2] / "frameworks" / "labour"

REFERENCE = """## Assessment
Co-determination: owed to the works council (Betriebsrat).
## Legal basis
- § 87 Abs. 1 Nr. 6 BetrVG: co-determination on technical devices
- § 90 Abs. 1 Nr. 3 BetrVG: information on planned work processes"""


@pytest.fixture(scope="session")
def laws() -> LawIndex:
    domain = load_domain(PACK)
    frameworks = [load_framework(path, domain) for path in sorted((PACK / "jurisdictions").glob("*.yaml"))]
    return LawIndex.build(domain, frameworks, {f.jurisdiction: load_statutes(PACK, f) for f in frameworks})


@pytest.fixture
def sample() -> dict[str, Any]:
    return {
        "sample_id": "one",
        "jurisdictions": ["DE"],
        "response": REFERENCE,
        "sections": ["Assessment", "Legal basis"],
        "expected_citations": ["DE:betrvg:87:1:6", "DE:betrvg:90:1:3"],
        "expected_level": "co_determination",
        "levels": ["information", "consultation", "co_determination"],
    }
