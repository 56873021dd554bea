"""Rows put behind a small batch, so that what a matrix product gives for a row does not depend on how many rows there are.

Libraries round otherwise where a matrix has few rows: an item that came alone got a vector that differed in the seventh digit
from the one that it got among others, and two programs that batch differently would not say the same of it.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

FEWEST_ROWS = 16  # from here on products by MKL and oneDNN gave the same bits for a row in a batch of any size


def padded(rows: "torch.Tensor") -> "torch.Tensor":
    """The rows, and zeros behind them where there are fewer than 16."""
    missing = FEWEST_ROWS - len(rows)
    if missing <= 0:
        return rows
    import torch

    return torch.cat([rows, rows.new_zeros(missing, *rows.shape[1:])])
