"""A table of words and figures for a terminal or a pipe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TextTable:
    """Cells, the sentences around them, and how they are set.

    Attributes:
        head: names of the columns; none where there is nothing to tell but the note.
        left: columns that are set to the left; the others are set to the right.
        strong: row and column of the cells that stand out where type can.
        ruled: whether plain text has a line below the head and below the last row.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    title: str = ""
    note: str = ""
    left: frozenset[int] = frozenset({0})
    strong: frozenset[tuple[int, int]] = frozenset()
    ruled: bool = False

    @property
    def widths(self) -> tuple[int, ...]:
        """Characters of the longest cell of each column."""
        return tuple(max(map(len, column)) for column in zip(self.head, *self.rows, strict=True))

    def plain(self) -> str:
        """One line a row, never broken or cut, two spaces between columns."""
        if not self.head:
            return self.note
        lines = [
            "  ".join(
                cell.ljust(width) if i in self.left else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, self.widths, strict=True))
            ).rstrip()
            for row in (self.head, *self.rows)
        ]
        rule = ["-" * max(map(len, lines))] if self.ruled else []
        title = [self.title, ""] if self.title else []
        space = [] if self.ruled else [""]
        note = [*space, self.note] if self.note else []
        return "\n".join([*title, lines[0], *rule, *lines[1:], *rule, *note])
