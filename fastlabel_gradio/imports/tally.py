"""What of an import was left out, counted by kind with the first examples."""

from collections import Counter

from fastlabel_gradio.types import LeftOut

EXAMPLES = 3


class LeftOutLabels:
    """Counts by kind; `LeftOut.why` names the first examples."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._why: dict[str, str] = {}
        self._examples: dict[str, list[str]] = {}

    def add(self, what: str, why: str, example: str) -> None:
        self._counts[what] += 1
        self._why.setdefault(what, why)
        examples = self._examples.setdefault(what, [])
        if len(examples) < EXAMPLES:
            examples.append(example if len(example) <= 120 else f"{example[:119]}…")

    def all(self) -> list[LeftOut]:
        return [
            LeftOut(what, f"{self._why[what]} ({'; '.join(self._examples[what])})", count)
            for what, count in self._counts.most_common()
        ]
