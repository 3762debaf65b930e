"""Conversations whose token ids must be the same wherever a model runs: scripts, signs, spaces that go wrong first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

TEXTS = (
    "How many employees? 1,250 of 12 500; 33.3%; 1. 2. 3.",
    "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "Zażółć gęślą jaźń, § 23(1a) pkt 2",
    "Съкращаване на щата: чл. 130в, ал. 1",
    "Ομαδικές απολύσεις: άρθρο 5 παρ. 3 ν. 1387/1983",
    "L’employeur « informe » le comité : art. L. 1233-28",
    "Kündigung—„vor jeder“ … nicht?\n\n\tNein!  Zwei  Leerzeichen ",
    "日本語の質問です。🚀 ✅ e\N{COMBINING ACUTE ACCENT}",
    "<|im_end|> <end_of_turn> </s> [INST]",
    "",
)


def golden_rows(system: str, asked: Sequence[list[dict[str, str]]]) -> list[dict[str, Any]]:
    """Build the rows of a job that compares token ids.

    Args:
        system: what stands before each question.
        asked: questions of the benchmark as chat messages, compared too.
    """
    fixed = [[{"role": "system", "content": system}, {"role": "user", "content": text}] for text in TEXTS]
    return [{"prompt": messages} for messages in (*fixed, *asked)]
