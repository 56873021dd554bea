"""FastLabel: from a folder of unlabeled pictures or sounds to a trained classifier in an afternoon.

`docs/loop.md` explains the loop, `docs/extending.md` how to add a source, an encoder, a strategy or an exporter.
"""

__version__ = "0.1.0"
