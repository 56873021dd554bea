"""One script a figure: `python -m benchmarks.NAME --help`. What they share:

- `report`: `run` (command line, options, tables, JSON), `played` (runs in processes), cells such as `with_error`.
- `data`: the sets, embedded once (`cached_splits`, `load_split`), and whatever else is made once (`made_once`).
- `known_pool`: a project of the app over known vectors: `opened_split` of a set, for `simulation.Experiment`, and
  `opened_made` of a million made-up items.
- `workload`: generated pictures and sounds, the app in its own process (`served`), a person at its REST API (`Annotator`).
- `contestants`: strategies of ours and of peers, played by `simulation.answered`.
"""
