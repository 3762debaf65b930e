"""The shipped laws, and one question about Germany."""

from __future__ import annotations

from typing import Any

import pytest

from forge_assets.citations.law_index import LawIndex
from tests import shipped

REFERENCE = """## Assessment
Co-determination: owed to the works council (Betriebsrat).
## Legal basis
- § 87 Abs. 1 Nr. 6 BetrVG: co-determination on technical devices
- § 90 Abs. 1 Nr. 3 BetrVG: information on planned work processes"""


@pytest.fixture(scope="session")
def laws() -> LawIndex:
    return shipped.laws()


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
