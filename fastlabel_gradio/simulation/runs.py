"""What a simulation gives: learning curves, and what they were played on."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the annotator does.

    Attributes:
        batch: items a batch.
        labels: after how many labels a run ends.
        noise: share of answers that are wrong, another class at random.
        left_open_share: share of the pool that is left open: the items that a head trained on every label is least sure of.
        audited: whether a share of each batch is kept for the audit, as the project has it.
    """

    batch: int = 10
    labels: int = 300
    noise: float = 0.0
    left_open_share: float = 0.0
    audited: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One learning curve: the accuracy on the test part at each number of labels.

    Attributes:
        encoder: as it was named. items_per_s: that it reads and embeds a second on this machine.
    """

    strategy: str
    seed: int
    labels: list[int] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    encoder: str = ""
    items_per_s: float = field(default=0.0, compare=False)  # how busy the machine is makes no other run


@dataclass(frozen=True, slots=True)
class Setting:
    """What was played on.

    Attributes:
        items: of the pool, those with a known label. test_items: of the test part.
        grouping: what items are grouped by, for people; "" without groups. test_groups: how many the test part has.
        shared_groups: how many of those the pool has too.
        low, high: 95 % interval of the accuracy with every label, for items, or groups, like those of the test part.
    """

    project: str
    encoder: str
    items: int
    classes: int
    test_items: int
    grouping: str
    test_groups: int
    shared_groups: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class EncoderResult:
    """What one of several encoders gives beside its runs.

    Attributes:
        encoder: as it was named. full_supervision: accuracy with every label of the pool.
        items_per_s: that it reads and embeds a second on this machine.
    """

    encoder: str
    full_supervision: float
    items_per_s: float


@dataclass(frozen=True, slots=True)
class Simulation:
    """All runs, and the accuracy of a head that was trained on every label of the pool.

    Attributes:
        encoders: those that are compared, whose runs all stand in `runs`; the other figures are of the first one.
        unavailable: (encoder, reason) of those that were asked for and are not available.
    """

    full_supervision: float
    runs: list[Run]
    setting: Setting | None = None
    encoders: list[EncoderResult] = field(default_factory=list)
    unavailable: list[tuple[str, str]] = field(default_factory=list)
