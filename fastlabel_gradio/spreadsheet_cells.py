"""Cells that a spreadsheet would run as a formula, made harmless and taken back. Used where a CSV is written and read."""

import re

# OWASP, CSV Injection: these begin a formula, the last four in East Asian editions.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_MARKED = re.compile("'+[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")


def harmless(cell: str) -> str:
    """The cell with "'" before it where it begins a formula, or begins like a cell that got one; `original` takes it back."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def original(cell: str) -> str:
    """The cell that `harmless` was given."""
    return cell[1:] if cell.startswith("'") and _MARKED.match(cell) else cell
