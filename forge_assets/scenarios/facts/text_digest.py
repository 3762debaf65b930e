"""Compute the digest of a text that the seeds, pairs and ids of samples are made from."""

from __future__ import annotations

import hashlib

SEPARATOR = "\x1f"
"""Keeps the parts of a text apart."""


def text_digest(text: str, length: int) -> str:
    """Compute the first `length` hex digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:length]
