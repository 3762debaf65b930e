"""Ask a running `forge serve` plain questions and print every answer in full, with its verdicts, seconds and failures.

Run: python bench/ask.py http://127.0.0.1:8642 [FILE.jsonl] > bench/results/ask-DATE.md
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

QUESTIONS = Path(__file__).with_name("ask_questions.jsonl")


def ask(address: str, question: str) -> tuple[dict[str, Any], float | None, float]:
    """Ask one question; events by name, seconds to the first word that is shown, and seconds in all."""
    started = time.perf_counter()
    first, found, name = None, {"withdrawn": 0}, ""
    with httpx.stream("POST", f"{address}/ask", json={"question": question}, timeout=600, trust_env=False) as said:
        said.raise_for_status()
        for line in said.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
                if name == "text" and first is None:
                    first = time.perf_counter() - started
                found[name] = found["withdrawn"] + 1 if name == "withdrawn" else data
    return found, first, time.perf_counter() - started


def main(arguments: list[str]) -> None:
    """Ask every question in turn."""
    address = arguments[0]
    file = Path(arguments[1]) if len(arguments) > 1 else QUESTIONS
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    served = httpx.get(f"{address}/domain", trust_env=False).json()["model"]
    print(f"# {len(rows)} plain questions to {served['name']} ({served['digest'][:12]})")
    verdicts: Counter[str] = Counter()
    firsts, wholes, answered, withdrawn = [], [], 0, 0
    for row in rows:
        found, first, whole = ask(address, row["question"])
        print(f"\n## {row['id']}\n\n> {row['question']}\n")
        if reading := found.get("reading"):
            facts = ", ".join(f"{name}={value}" for name, value in reading["facts"].items())
            print(f"Read: {reading['language']}, {reading['jurisdictions']}, {reading['change']}, {facts}")
            if reading["asked"]:
                print(f"\nAsked as: {reading['asked']}")
        done = found.get("done") or {"status": "error", "answer": "", "message": found["error"]["message"]}
        answered += done["status"] == "answered"
        print(f"\n```text\n{done['answer'] or done['message']}\n```\n")
        for one in found.get("citations", {}).get("citations", ()):
            verdicts[one["verdict"]] += 1
            print(f"- {one['text']}: {one['verdict']}")
        for said in found.get("engine", {}).get("differences", ()):
            print(f"- law engine: {said}")
        wholes.append(whole)
        firsts += [first] if first is not None else []
        withdrawn += found["withdrawn"]
        shown = f"{first:.1f}" if first is not None else "-"
        print(f"\n{shown} s to the first words, {whole:.1f} s in all, {found['withdrawn']} times withdrawn")
    print(f"\n## Together\n\n{answered} of {len(rows)} answered, {withdrawn} answers withdrawn.")
    print(f"Citations: {dict(verdicts.most_common())}.")
    middle = sorted(firsts)[len(firsts) // 2] if firsts else 0.0
    print(f"Median {middle:.1f} s to the first words, {sorted(wholes)[len(wholes) // 2]:.1f} s in all.")


if __name__ == "__main__":
    main(sys.argv[1:])
