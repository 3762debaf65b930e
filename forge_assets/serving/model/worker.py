"""Run llama.cpp's server on the loopback address until standard input ends.

Run: python -m forge_assets.serving.model.worker FILE SLOTS CONTEXT THREADS
It prints one line of JSON with its address. Whoever started it holds the other end of its standard input: when that
process goes, however it goes, so does this one.
"""

from __future__ import annotations

import json
import os
import sys


def main(arguments: list[str]) -> int:
    """Serve a model; returns 1 where it cannot be loaded."""
    import xllamacpp

    file, slots, context, threads = arguments[0], *map(int, arguments[1:4])
    given = xllamacpp.CommonParams()
    given.model.path = file
    given.n_parallel, given.n_ctx = slots, slots * context
    given.hostnames, given.port = ["127.0.0.1"], 0
    given.use_jinja, given.warmup, given.verbosity, given.offline = True, False, 0, True
    given.cache_ram_mib = 0
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = threads
    try:
        server = xllamacpp.Server(given)
    except RuntimeError as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return 1
    print(json.dumps({"address": server.listening_address}), flush=True)
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os._exit(0)  # its threads may still be at work on an answer that nobody waits for


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
