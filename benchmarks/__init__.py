"""Benchmarks: one script per figure in docs/benchmarks.md. Run them as modules, e.g. `python -m benchmarks.interface`."""
