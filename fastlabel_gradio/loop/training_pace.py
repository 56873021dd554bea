"""Training pace: after how many new labels a head is trained. Knows neither labels nor heads, only how many there are.

A head is trained on all labels, so what it costs does not fall with many people at work, while each label brings less. So
that fifty people do not have a head trained every second, each of them gets one as often as somebody alone would.
"""

WORTH = (
    0.2  # of the labels that the newest head has learned: so many new ones are worth a training at any number of people
)
MANY_PEOPLE = 3  # who hold batches: then whoever asks for one goes before a training, and waits for none
LATEST_S = 30.0  # after which labels that are fewer are learned all the same


def labels_due(train_every: int, people: int, learned: int) -> int:
    """So many labels that the newest head has not seen: `train_every` of each person, or a fifth of what it has learned.

    The smaller one of the two, and `train_every` at least; somebody alone has a head trained after `train_every` labels.

    Args:
        people: who hold a batch.
        learned: labels that the newest head was trained on; 0 without one.
    """
    return max(train_every, min(train_every * people, int(WORTH * learned)))
