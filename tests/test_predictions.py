"""Predictions: the suggestion of a card, and the classes that are offered beside it."""

import numpy as np

from fastlabel_gradio.loop.predictions import most_probable


def test_runners_up_are_the_next_most_probable_classes_in_their_order() -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(7), 40).astype(np.float32)
    for most, places in ((1, 1), (4, 4), (9, 7)):
        found = np.stack(most_probable(probabilities, most), axis=1)
        assert (found == np.argsort(-probabilities, axis=1, kind="stable")[:, :places]).all()
    assert [places.tolist() for places in most_probable(np.ones((2, 2), dtype=np.float32), 4)] == [[0, 0], [1, 1]]
    assert [len(places) for places in most_probable(probabilities[:0], 2)] == [0, 0]
