"""Tables as standard output takes them: drawn to its width on a terminal, plain lines of any length elsewhere."""

from __future__ import annotations

import sys

from forge_resources.presentation.text_table import TextTable


def show(table: TextTable) -> None:
    """Print a table with its title and note."""
    if not (sys.stdout.isatty() and table.head):
        print(table.plain())
        return
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False)
    for i, (name, width) in enumerate(zip(table.head, table.widths, strict=True)):
        if i in table.left:
            drawn.add_column(Text(name), overflow="fold")
        else:
            drawn.add_column(Text(name), overflow="fold", justify="right", min_width=width)
    for at, row in enumerate(table.rows):
        drawn.add_row(*(Text(cell, style="bold" if (at, i) in table.strong else "") for i, cell in enumerate(row)))
    if table.title:
        print(table.title)
    Console(file=sys.stdout).print(drawn)
    if table.note:
        print(table.note)
