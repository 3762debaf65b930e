"""Drop the page cache of weight files: a worker's end frees its own memory, but not the files it has read."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable
from pathlib import Path

WEIGHTS = (".safetensors", ".bin", ".gguf")


def drop(paths: Iterable[Path]) -> None:
    """Drop the cached pages of every weight file under these folders.

    Loaded weights are the file itself, mapped; the kernel keeps pages that a process maps, so models that nobody
    holds any more are collected first. Datasets stay: they are small, and the next job reads them.
    """
    gc.collect()
    for path in sorted(file for folder in paths for file in folder.rglob("*") if file.suffix in WEIGHTS):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)
