"""Say in one sentence what a job died of and what to change: libraries say the same thing in many ways."""

from __future__ import annotations

import errno
import re

from forge_resources.processes.cause import Cause

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FULL_WORDS = re.compile(r"No space left|quota exceeded|File too large|os error (?:27|28|122)\b|failed writing file")
_MEMORY_WORDS = re.compile(r"can't allocate memory|out of memory|Cannot allocate memory|bad_alloc")
_WEIGHTS = {"SafetensorError", "UnpicklingError"}
_WEIGHTS_WORDS = re.compile(r"deserializing header|not fully covered|no file named .*safetensors|size mismatch for")


def cause_of(error: BaseException) -> Cause:
    """Classify what a job died of that raised this."""
    chain = _chain(error)
    if any(_full(one) for one in chain):
        return Cause.DISK_FULL
    if any(_out_of_memory(one) for one in chain):
        return Cause.OUT_OF_MEMORY
    if any(_unreadable(one) for one in chain):
        return Cause.UNREADABLE
    return Cause.DIVERGED if any(isinstance(one, FloatingPointError) for one in chain) else Cause.UNKNOWN


def explain_failure(error: BaseException) -> str:
    """Explain in a sentence what happened, and what to change where a person can."""
    said, cause = _first_line(_chain(error)[-1]), cause_of(error)
    if cause is Cause.DISK_FULL:
        return f"the disk is full: {said}. Make room and run it again: it goes on from its last whole checkpoint"
    if cause is Cause.OUT_OF_MEMORY:
        return f"out of memory: {said}. Use a smaller batch_size with more accumulation, or gradient_checkpointing"
    if cause is Cause.UNREADABLE:
        return f"weights cannot be read: {said}. Remove their folder: what made it makes it again"
    if cause is Cause.DIVERGED:
        return said
    return f"{type(error).__name__}: {_first_line(error)}"


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it was raised from, down to the first."""
    found = [error]
    while (cause := found[-1].__cause__ or found[-1].__context__) is not None and cause not in found:
        found.append(cause)
    return found


def _full(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in _FULL) or bool(_FULL_WORDS.search(str(error)))


def _out_of_memory(error: BaseException) -> bool:
    return isinstance(error, MemoryError) or bool(_MEMORY_WORDS.search(str(error)))


def _unreadable(error: BaseException) -> bool:
    return type(error).__name__ in _WEIGHTS or bool(_WEIGHTS_WORDS.search(str(error)))


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
