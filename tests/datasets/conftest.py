"""Sets are drawn from what the scenarios room composes."""

from tests.scenarios.conftest import countries, domain, frameworks, law, pack, samples, scenarios  # noqa: F401
