"""What a job is asked, row by row."""

from __future__ import annotations

import polars as pl

from forge_assets.datasets.roles import prompt_rows


def test_a_row_carries_its_countries_and_the_schema_that_its_answer_must_follow() -> None:
    sets = pl.DataFrame(
        {
            "position": [1, 0, 2],
            "role": ["benchmark", "benchmark", "train"],
            "sample_id": ["read", "answer", "taught"],
            "jurisdictions": [["AT"], ["AT", "DE"], ["AT"]],
            "system": ["Answer in JSON.", "Cite the law.", "Answer in JSON."],
            "prompt": ["50 people, Austria.", "What applies?", "60 people, Austria."],
            "output_schema": ['{"type":"object"}', "", '{"type":"object"}'],
        }
    )
    assert prompt_rows(sets, "benchmark") == [
        {
            "sample_id": "answer",
            "prompt": [{"role": "system", "content": "Cite the law."}, {"role": "user", "content": "What applies?"}],
            "countries": ["AT", "DE"],
        },
        {
            "sample_id": "read",
            "prompt": [
                {"role": "system", "content": "Answer in JSON."},
                {"role": "user", "content": "50 people, Austria."},
            ],
            "countries": ["AT"],
            "schema": '{"type":"object"}',
        },
    ]
