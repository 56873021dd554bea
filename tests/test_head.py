"""The head learns, is deterministic, scores in blocks, and comes back from its checkpoint or is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save
from sklearn.datasets import load_digits

from fastlabel_gradio.errors import CheckpointError
from fastlabel_gradio.head import (
    Head,
    HeadInfo,
    HeadMaker,
    HeadRecipe,
    Spread,
    check_head,
    fit_temperature,
    load_head,
    out_of_fold_logits,
    save_head,
    train_head,
)
from fastlabel_gradio.head.model import HIDDEN_UNITS, MLPHead
from fastlabel_gradio.head.recipe import (
    batch_rows,
    label_weights,
    learning_rate,
    linear_weight,
    peak_rate,
    sum_temperature,
    training_steps,
    usual_temperature,
)
from fastlabel_gradio.head.ridge import MOST_LEFT_OUT, PENALTY, Held, Ridge, linear_part
from fastlabel_gradio.head.training import _gradients
from fastlabel_gradio.head.wrong_labels import FEWEST_OF_CLASS, chances_right, evidence
from fastlabel_gradio.superseded import Superseded, unhurried
from fastlabel_gradio.types import Label, LabelSchema
from tests.checkpoints import superseded_after

pytestmark = pytest.mark.usefixtures("whole_trainings")

DIGITS = tuple(Label(number + 1, str(number)) for number in range(10))


def _digits(count: int) -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    vectors = data.data.astype(np.float32)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True))[:count], data.target[:count]


def _info(**fields: object) -> HeadInfo:
    return HeadInfo(**{"version": 1, "classes": DIGITS, "encoder_fingerprint": "abc", "label_count": 1, **fields})


def test_a_head_learns_digits() -> None:
    vectors, targets = _digits(1797)
    head = train_head(vectors[:1200], targets[:1200], _info())
    accuracy = (head.predict_proba(vectors[1200:]).argmax(axis=1) == targets[1200:]).mean()
    assert accuracy > 0.9


def test_probabilities_sum_to_one_and_an_empty_pool_gives_none() -> None:
    vectors, targets = _digits(100)
    head = train_head(vectors, targets, _info())
    probabilities = head.predict_proba(vectors)
    assert probabilities.shape == (100, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-3)
    assert head.predict_proba(vectors[:0]).shape == (0, 10)
    assert head.hidden(vectors).shape == (100, 512)


def test_the_same_labels_and_seed_give_the_same_head() -> None:
    vectors, targets = _digits(300)
    first, second = (train_head(vectors, targets, _info(seed=3)) for _ in range(2))
    other = train_head(vectors, targets, _info(seed=4))
    np.testing.assert_array_equal(first.predict_proba(vectors), second.predict_proba(vectors))
    assert not np.array_equal(first.predict_proba(vectors), other.predict_proba(vectors))


def test_rows_are_scored_as_the_whole_pool_is() -> None:
    vectors, targets = _digits(200)
    head = train_head(vectors, targets, _info())
    rows = np.array([199, 3, 3, 70])
    np.testing.assert_allclose(head.predict_proba_rows(vectors, rows), head.predict_proba(vectors)[rows], atol=1e-2)


def test_an_item_alone_gets_the_same_probabilities_to_the_last_bit() -> None:
    embeddings, targets = _digits(40)
    head = train_head(embeddings, targets, _info())
    alone = np.concatenate([head.predict_proba(embeddings[row : row + 1]) for row in range(20)])
    np.testing.assert_array_equal(head.predict_proba(embeddings)[:20], alone)


def test_one_label_is_enough_to_train() -> None:
    vectors, targets = _digits(1)
    head = train_head(vectors, targets, _info())
    assert head.predict_proba(vectors).argmax() == targets[0]


def test_the_recipe_grows_with_the_labels() -> None:
    assert [training_steps(n) for n in (10, 300, 1_000, 20_000)] == [50, 38, 50, 430]
    assert [batch_rows(n) for n in (10, 1_000, 20_000)] == [10, 128, 256]
    rates = [learning_rate(step, 40, 1.0) for step in range(40)]
    assert max(rates) == 1.0
    assert rates.index(1.0) < 5
    assert rates[-1] < 0.01


def test_a_checkpoint_brings_the_same_head_back(tmp_path: Path) -> None:
    vectors, targets = _digits(150)
    head = train_head(vectors, targets, _info(version=7, label_count=150))
    save_head(head, tmp_path / "head.safetensors")
    loaded = load_head(tmp_path / "head.safetensors")
    assert loaded.info == head.info
    np.testing.assert_array_equal(loaded.predict_proba(vectors), head.predict_proba(vectors))
    assert [path.name for path in tmp_path.iterdir()] == ["head.safetensors"]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "head.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="Train again"):
        load_head(path)


def test_a_truncated_checkpoint_is_refused(tmp_path: Path) -> None:
    vectors, targets = _digits(20)
    path = tmp_path / "head.safetensors"
    save_head(train_head(vectors, targets, _info()), path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError):
        load_head(path)


def _tampered(
    path: Path, weights: dict[str, torch.Tensor] | None = None, metadata: str | None = None, **details: object
) -> Path:
    """A checkpoint of a real head with some of its weights, or of what its header says, replaced."""
    vectors, targets = _digits(20)
    save_head(train_head(vectors, targets, _info()), path)
    with safe_open(path, framework="pt") as file:
        header = {**json.loads(file.metadata()["fastlabel"]), **details}
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # safe_open is no mapping
    said = json.dumps(header) if metadata is None else metadata
    path.write_bytes(save({**tensors, **(weights or {})}, metadata={"fastlabel": said}))
    return path


@pytest.mark.parametrize(
    "details",
    [
        {"version": 10**30},
        {"version": -1},
        {"version": "the newest"},
        {"label_count": float("nan")},
        {"label_count": "many"},
        {"temperature": 0},
        {"temperature": float("inf")},
        {"temperature": "warm"},
        {"trained_at": float("nan")},
        {"trained_at": "yesterday"},
        {"seconds": [1]},
        {"labels": "cat"},
        {"labels": []},
        {"labels": [{"id": "zero", "name": 1}]},
        {"labels": [1, 2]},
        {"encoder_fingerprint": 3},
        {"format": 99},
    ],
)
def test_a_header_that_no_training_writes_is_refused(tmp_path: Path, details: dict[str, object]) -> None:
    with pytest.raises(CheckpointError, match="Train again"):
        load_head(_tampered(tmp_path / "head.safetensors", **details))


@pytest.mark.parametrize("metadata", ["", "[]", "3", "null", "[" * 100_000, '{"format": 2}', "9" * 5_000])
def test_a_header_that_is_no_header_is_refused(tmp_path: Path, metadata: str) -> None:
    with pytest.raises(CheckpointError, match="Train again"):
        load_head(_tampered(tmp_path / "head.safetensors", metadata=metadata))


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("skip.weight", torch.full((10, 64), torch.nan)),
        ("skip.bias", torch.full((10,), torch.inf)),
        ("output.weight", torch.full((10, 512), 1e30)),
        ("hidden.weight", torch.zeros(64)),
        ("hidden.weight", torch.zeros((512, 3))),
        ("skip.weight", torch.zeros((10, 64), dtype=torch.int64)),
        ("skip.weight", torch.zeros((9, 64))),
        ("another", torch.zeros(1)),
    ],
)
def test_weights_that_no_training_gives_are_refused(tmp_path: Path, name: str, tensor: torch.Tensor) -> None:
    with pytest.raises(CheckpointError, match="Train again"):
        load_head(_tampered(tmp_path / "head.safetensors", {name: tensor}))


def test_a_head_for_embeddings_of_another_length_is_refused(tmp_path: Path) -> None:
    path = _tampered(tmp_path / "head.safetensors")
    load_head(path, dim=64)
    with pytest.raises(CheckpointError, match="embeddings of 64 numbers, these have 48"):
        load_head(path, dim=48)


def test_a_header_that_announces_more_than_there_is_is_refused(tmp_path: Path) -> None:
    path = _tampered(tmp_path / "head.safetensors")
    path.write_bytes((2**62).to_bytes(8, "little") + path.read_bytes()[8:])
    with pytest.raises(CheckpointError):
        load_head(path)


def test_a_head_of_another_encoder_or_schema_is_refused_with_both_sides_named() -> None:
    schema = LabelSchema(DIGITS)
    check_head(_info(), schema, "abc")
    with pytest.raises(CheckpointError, match=r"abc.*xyz"):
        check_head(_info(), schema, "xyz")
    with pytest.raises(CheckpointError, match="classes"):
        check_head(_info(), LabelSchema(DIGITS[:5]), "abc")
    with pytest.raises(CheckpointError, match="classes"):
        check_head(_info(), LabelSchema(DIGITS[::-1]), "abc")


def test_the_ridge_regression_is_the_minimum_of_its_loss() -> None:
    vectors, targets = (torch.from_numpy(array) for array in _digits(300))
    weights = torch.rand(300, generator=torch.Generator().manual_seed(0)) + 0.5
    goals = torch.nn.functional.one_hot(targets.long(), 10) - 0.1
    for labels in (40, 300):  # fewer than the 64 dimensions, and more
        found = Ridge.of(vectors[:labels], targets[:labels].long(), weights[:labels], 10).solved(PENALTY).double()
        residuals = vectors[:labels].double() @ found.T - goals[:labels]
        gradient = (weights[:labels, None] * residuals).T @ vectors[:labels].double() + PENALTY * found
        assert float(gradient.abs().max()) < 1e-4


def test_what_the_ridge_regression_says_of_a_left_out_label_is_what_it_says_when_trained_without() -> None:
    vectors, targets = (torch.from_numpy(array) for array in _digits(90))
    weights = torch.rand(90, generator=torch.Generator().manual_seed(0)) + 0.5
    for labels in (40, 90):  # fewer than the 64 dimensions, and more
        some = vectors[:labels], targets[:labels].long(), weights[:labels]
        said = Ridge.of(*some, 10).left_out(PENALTY, Held.first(labels))
        assert said.shape == (labels, 10)
        for place in (0, 17, labels - 1):
            others = (torch.cat([array[:place], array[place + 1 :]]) for array in some)
            torch.testing.assert_close(
                said[place], Ridge.of(*others, 10).solved(PENALTY) @ vectors[place], atol=1e-3, rtol=1e-3
            )


def test_of_groups_the_ridge_regression_says_what_it_says_when_trained_without_the_whole_group() -> None:
    vectors, targets = (torch.from_numpy(array) for array in _digits(90))
    weights = torch.rand(90, generator=torch.Generator().manual_seed(0)) + 0.5
    groups = np.random.default_rng(0).integers(12, size=90)
    for labels in (40, 90):  # fewer than the 64 dimensions, and more
        some, of_them = (vectors[:labels], targets[:labels].long(), weights[:labels]), groups[:labels]
        held = Held.whole(targets[:labels].numpy(), of_them, torch.device("cpu"))
        said = Ridge.of(*some, 10).left_out(PENALTY, held)
        assert held.rows.tolist() == list(range(labels))
        assert held.known == len(np.unique(of_them))
        for group in (of_them[0], of_them[17]):
            inside = torch.from_numpy(of_them == group)
            alone = Ridge.of(*(array[~inside] for array in some), 10).solved(PENALTY) @ vectors[:labels][inside].T
            torch.testing.assert_close(said[inside], alone.T, atol=1e-3, rtol=1e-3)


def test_groups_are_left_out_whole_as_far_as_they_are_few_and_judged_where_others_have_their_class() -> None:
    def held(targets: np.ndarray, groups: np.ndarray) -> Held:
        return Held.whole(targets.astype(np.int64), groups.astype(np.int64), torch.device("cpu"))

    many = held(np.arange(4_000) % 3, np.arange(4_000) // 7)
    assert MOST_LEFT_OUT - 7 < len(many.rows) <= MOST_LEFT_OUT
    assert len(many.rows) % 7 == 0
    large = held(np.arange(1_500) % 3, np.arange(1_500) // 500)
    assert len(large.rows) == 500
    own_class = held(np.arange(60) // 20, np.arange(60) // 20)
    assert len(own_class.judged) == 0
    everything = held(np.arange(60) % 3, np.zeros(60))
    assert len(everything.judged) == 0


def test_windows_of_one_recording_do_not_vouch_for_each_other() -> None:
    """Labels are drawn by a coin for each recording of five windows that are nearly alike: no map knows other recordings."""
    rng = np.random.default_rng(0)
    recordings = rng.normal(size=(40, 1, 64))
    windows = (recordings + 0.1 * rng.normal(size=(40, 5, 64))).reshape(200, 64)
    vectors = torch.from_numpy((windows / np.linalg.norm(windows, axis=1, keepdims=True)).astype(np.float32))
    targets, groups = torch.from_numpy(np.repeat(rng.integers(2, size=40), 5)), np.repeat(np.arange(40), 5)
    told, untold = (float(linear_part(vectors, targets, torch.ones(200), 2, of).weight.norm()) for of in (groups, None))
    assert told < 0.3 * untold
    alone = linear_part(vectors, targets, torch.ones(200), 2, np.zeros(200, dtype=np.int64)).weight
    assert bool(alone.isfinite().all())


def test_the_linear_part_is_strong_where_left_out_labels_are_right_and_says_little_where_they_are_not() -> None:
    vectors, targets = (torch.from_numpy(array) for array in _digits(300))
    weights, guessed = torch.ones(300), torch.randint(10, (300,), generator=torch.Generator().manual_seed(0))
    known, guesses = (
        float((vectors @ linear_part(vectors, goals, weights, 10).weight.T).std())
        for goals in (targets.long(), guessed)
    )
    assert known > 5 * guesses
    one = linear_part(vectors[:1], targets[:1].long(), weights[:1], 10).weight
    assert bool(one.isfinite().all())


def test_the_linear_part_leads_while_labels_are_few() -> None:
    found = [linear_weight(labels, 500) for labels in (10, 20, 100, 400, 2_000, 20_000)]
    assert found == sorted(found, reverse=True)
    assert found[1] == 1.5
    assert found[3] == 0.6
    assert linear_weight(400, 64) < 0.6  # short embeddings are soon known better by the MLP
    assert [sum_temperature(labels, 500) for labels in (20, 20_000)] == [2, 1]


def test_long_embeddings_are_learned_at_a_lower_rate() -> None:
    assert peak_rate(64) == peak_rate(512) == 2 * peak_rate(2_048)


def test_gradients_are_those_that_autograd_finds() -> None:
    draws = torch.Generator().manual_seed(0)
    module, goals = MLPHead(6, 3), torch.arange(9) % 3
    inputs, offsets, weights = (torch.rand(shape, generator=draws) - 0.3 for shape in ((9, 6), (9, 3), (9,)))
    kept = (torch.rand((9, HIDDEN_UNITS), generator=draws) > 0.2).float() * 1.25
    logits = module.output(torch.relu(module.hidden(inputs)) * kept) + offsets
    loss = (torch.nn.functional.cross_entropy(logits, goals, reduction="none") * weights).sum()
    wanted = torch.autograd.grad(loss, [*module.hidden.parameters(), *module.output.parameters()])
    found = _gradients(module, inputs, offsets, goals, weights, kept)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_standardising_is_part_of_the_weights() -> None:
    vectors, targets = _digits(300)
    spread = Spread.of(vectors)
    standard = spread.standardised(vectors)
    np.testing.assert_allclose(standard.mean(axis=0), 0, atol=1e-5)
    assert np.square(standard).sum(axis=1).mean() == pytest.approx(1)
    on_raw = train_head(vectors, targets, _info(), spread=spread).logits(vectors)
    np.testing.assert_allclose(on_raw, train_head(standard, targets, _info()).logits(standard), atol=0.2)
    alike = np.repeat(vectors[:1], 5, axis=0)
    np.testing.assert_array_equal(Spread.of(alike).standardised(alike), alike)


def test_a_pool_away_from_the_origin_is_learned_better_when_its_place_is_known() -> None:
    vectors, targets = _digits(1797)
    spread = Spread.of(vectors[:1200])
    plain, standardised = (
        np.mean(
            [
                (
                    train_head(vectors[rows], targets[rows], _info(), spread=known)
                    .predict_proba(vectors[1200:])
                    .argmax(axis=1)
                    == targets[1200:]
                ).mean()
                for rows in (np.random.default_rng(seed).permutation(1200)[:100] for seed in range(4))
            ]
        )
        for known in (None, spread)
    )
    assert standardised > plain


def test_a_head_is_at_least_as_good_as_logistic_regression_on_few_labels() -> None:
    from sklearn.linear_model import LogisticRegression

    vectors, targets = _digits(1797)
    ours, theirs = [], []
    for seed in range(5):
        rows = np.random.default_rng(seed).permutation(1200)[:100]
        head = train_head(vectors[rows], targets[rows], _info(seed=seed))
        ours.append((head.predict_proba(vectors[1200:]).argmax(axis=1) == targets[1200:]).mean())
        model = LogisticRegression(C=30, max_iter=500).fit(vectors[rows], targets[rows])
        theirs.append(model.score(vectors[1200:], targets[1200:]))
    assert np.mean(ours) > np.mean(theirs) - 0.005


def test_weights_of_labels_even_the_classes_out() -> None:
    targets = np.array([0, 0, 0, 0, 1])
    np.testing.assert_allclose(label_weights(targets, 3, 0.0), 1)
    np.testing.assert_allclose(label_weights(targets, 3, 1.0), [0.625] * 4 + [2.5])
    half = label_weights(targets, 3, 0.5)
    assert half[4] / half[0] == pytest.approx(2)
    assert half.mean() == pytest.approx(1)


def test_class_weighting_finds_more_of_a_rare_class() -> None:
    vectors, targets = _digits(1797)
    rows = np.concatenate([np.flatnonzero(targets[:1200] != 8)[:600], np.flatnonzero(targets[:1200] == 8)[:4]])
    rare = vectors[1200:][targets[1200:] == 8]
    recall = []
    for power in (0.0, 1.0):
        head = train_head(vectors[rows], targets[rows], _info(), recipe=HeadRecipe(class_weighting=power))
        recall.append((head.predict_proba(rare).argmax(axis=1) == 8).mean())
    assert recall[1] > recall[0]


def test_an_ensemble_answers_with_the_mean_of_the_logits_of_its_members() -> None:
    vectors, targets = _digits(200)
    three = train_head(vectors, targets, _info(), recipe=HeadRecipe(ensemble=3))
    one = train_head(vectors, targets, _info())
    assert three.hidden(vectors).shape == (200, 3 * 512)
    state, first = three.state_dict(), one.state_dict()
    torch.testing.assert_close(state["hidden.weight"][:512], first["hidden.weight"])
    torch.testing.assert_close(state["output.weight"][:, :512], first["output.weight"] / 3)
    assert not torch.equal(state["hidden.weight"][512:1024], state["hidden.weight"][:512])


def test_an_ensemble_comes_back_from_its_checkpoint(tmp_path: Path) -> None:
    vectors, targets = _digits(100)
    head = train_head(vectors, targets, _info(), recipe=HeadRecipe(ensemble=2)).at_temperature(2.0)
    save_head(head, tmp_path / "head.safetensors")
    loaded = load_head(tmp_path / "head.safetensors")
    np.testing.assert_array_equal(loaded.predict_proba(vectors), head.predict_proba(vectors))


def test_temperature_changes_confidence_but_no_prediction() -> None:
    vectors, targets = _digits(150)
    head = train_head(vectors[:100], targets[:100], _info())
    sure, unsure = (head.at_temperature(value).predict_proba(vectors) for value in (0.5, 4.0))
    np.testing.assert_array_equal(sure.argmax(axis=1), unsure.argmax(axis=1))
    assert sure.max(axis=1).mean() > head.predict_proba(vectors).max(axis=1).mean() > unsure.max(axis=1).mean()
    assert head.info.temperature == 1.0


def test_the_temperature_is_found_at_which_targets_were_drawn() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (20_000, 5)).astype(np.float32)
    for true in (0.5, 1.0, 3.0):
        targets = (logits / true + rng.gumbel(size=logits.shape)).argmax(axis=1)
        assert fit_temperature(logits, targets) == pytest.approx(true, rel=0.05)
    assert fit_temperature(logits, rng.integers(5, size=20_000)) == pytest.approx(10.0)
    assert fit_temperature(logits, logits.argmax(axis=1)) == pytest.approx(0.1)


def test_the_usual_temperature_falls_with_the_labels() -> None:
    found = [usual_temperature(labels) for labels in (1, 20, 200, 1_000_000)]
    assert found == sorted(found, reverse=True)
    assert (found[1], found[3]) == (6.0, 1.0)


def test_out_of_fold_logits_are_of_every_label_by_heads_that_did_not_see_it() -> None:
    vectors, targets = _digits(100)
    trained_on: list[int] = []

    def train(some: np.ndarray, goals: np.ndarray, groups: np.ndarray | None) -> Head:
        trained_on.append(len(goals))
        return train_head(some, goals, _info())

    found = out_of_fold_logits(vectors, targets, train, seed=0)
    assert found is not None
    logits, left_out = found
    assert trained_on == [80] * 5
    assert logits.shape == (100, 10)
    np.testing.assert_array_equal(np.sort(left_out), np.arange(100))
    seen = train_head(vectors, targets, _info()).logits(vectors).argmax(axis=1)
    right = (logits.argmax(axis=1) == targets[left_out]).mean()
    assert 0.5 < right < (seen == targets).mean()


def test_large_sets_leave_out_only_as_many_folds_as_needed_and_nobody_waits_for_a_stale_answer() -> None:
    vectors, targets = _digits(1797)
    repeated, goals = np.tile(vectors, (4, 1)), np.tile(targets, 4)
    head = train_head(vectors[:50], targets[:50], _info())
    found = out_of_fold_logits(repeated, goals, lambda some, of, groups: head, seed=0)
    assert found is not None
    assert 1_000 <= len(found[1]) < 2_000
    with pytest.raises(Superseded):
        out_of_fold_logits(vectors, targets, lambda some, of, groups: head, seed=0, checkpoint=superseded_after(0))


def test_out_of_fold_logits_leave_out_whole_groups() -> None:
    vectors, targets = _digits(120)
    groups = np.random.default_rng(0).integers(30, size=120)
    group_of = {vector.tobytes(): group for vector, group in zip(vectors, groups, strict=True)}
    folds: list[set[int]] = []

    def train(some: np.ndarray, goals: np.ndarray, groups: np.ndarray | None) -> Head:
        folds.append({int(group_of[vector.tobytes()]) for vector in some})
        return train_head(some, goals, _info())

    found = out_of_fold_logits(vectors, targets, train, seed=0, groups=groups)
    assert found is not None
    np.testing.assert_array_equal(np.sort(found[1]), np.arange(120))
    left_out = [set(groups.tolist()) - fold for fold in folds]
    assert len(left_out) == 5
    assert sum(map(len, left_out)) == len(set.union(*left_out)) == len(set(groups.tolist()))
    assert min(np.isin(groups, [*some]).sum() for some in left_out) >= 12


def test_of_groups_that_cannot_be_left_out_there_are_no_logits() -> None:
    vectors, targets = _digits(60)

    def train(some: np.ndarray, goals: np.ndarray, groups: np.ndarray | None) -> Head:
        return train_head(some, goals, _info())

    two = targets % 2
    assert out_of_fold_logits(vectors, two, train, seed=0, groups=np.ones(60, dtype=np.int64)) is None
    assert out_of_fold_logits(vectors, two, train, seed=0, groups=two) is None


def test_calibration_brings_confidence_near_accuracy() -> None:
    from fastlabel_gradio.head.evaluation import expected_calibration_error

    vectors, targets = _digits(1797)
    head = train_head(vectors[:200], targets[:200], _info())
    found = out_of_fold_logits(
        vectors[:200], targets[:200], lambda some, of, groups: train_head(some, of, _info()), seed=0
    )
    assert found is not None
    logits, left_out = found
    own = head.at_temperature(fit_temperature(logits, targets[left_out]))
    heads = [head.at_temperature(0.3), own, head.at_temperature(3)]
    errors = [expected_calibration_error(one.predict_proba(vectors[600:]), targets[600:]) for one in heads]
    assert errors[1] < 0.08
    assert errors[1] == min(errors)


def _with_wrong_labels(targets: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    wrong = rng.random(len(targets)) < share
    return np.where(wrong, (targets + rng.integers(1, 10, len(targets))) % 10, targets)


def test_the_share_of_wrong_labels_is_found_and_which_they_are() -> None:
    vectors, targets = _digits(600)
    spread = Spread.of(vectors)
    for share in (0.0, 0.1):
        said = torch.from_numpy(_with_wrong_labels(targets, share, np.random.default_rng(0)))
        found = linear_part(torch.from_numpy(spread.standardised(vectors)), said, torch.ones(600), 10)
        assert abs(found.wrong - share) <= 0.05
        assert (found.left_out is None) == (share == 0)
        if found.left_out is not None:
            doubted, wrong = chances_right(found.left_out, said, found.wrong) < 0.5, said != torch.from_numpy(targets)
            assert doubted[wrong].float().mean() > 0.7
            assert doubted[~wrong].float().mean() < 0.02


def test_labels_of_a_rare_class_are_not_doubted() -> None:
    goals = torch.tensor([0] * 30 + [1] * (FEWEST_OF_CLASS - 1) + [2] * FEWEST_OF_CLASS)
    chances = chances_right(torch.tensor([[9.0, 0.0, 0.0]]).expand(len(goals), 3), goals, 0.05)
    assert bool((chances[30 : 30 + FEWEST_OF_CLASS - 1] == 1).all())
    assert bool((chances[-FEWEST_OF_CLASS:] < 0.1).all())
    assert bool((chances[:30] > 0.95).all())


def test_labels_that_are_missed_as_often_as_answers_are_unsure_are_no_evidence_of_wrong_ones() -> None:
    draws = torch.Generator().manual_seed(0)
    answers = torch.randn((400, 5), generator=draws)
    goals = (4 * answers).softmax(dim=1).multinomial(1, generator=draws)[:, 0]
    found = evidence(answers, goals)
    assert found.wrong == 0
    assert 3 < found.scale < 5.3
    some_wrong = torch.where(torch.arange(400) < 40, torch.randint(5, (400,), generator=draws), goals)
    assert evidence(answers, some_wrong).wrong in (0.05, 0.1, 0.2)


def test_wrong_labels_cost_little() -> None:
    vectors, targets = _digits(1797)
    rng = np.random.default_rng(0)
    accuracies = []
    for noise in (0.0, 0.05):
        shares = []
        for seed in range(4):
            rows = np.random.default_rng(seed).permutation(1200)[:600]
            said = targets[rows].copy()
            wrong = rng.random(600) < noise
            said[wrong] = (said[wrong] + rng.integers(1, 10, wrong.sum())) % 10
            head = train_head(vectors[rows], said, _info(seed=seed))
            shares.append((head.predict_proba(vectors[1200:]).argmax(axis=1) == targets[1200:]).mean())
        accuracies.append(np.mean(shares))
    assert accuracies[0] - accuracies[1] <= 0.03


def _maker(vectors: np.ndarray) -> HeadMaker:
    return HeadMaker(DIGITS, "abc", sample=lambda: vectors[:1200])


def test_a_maker_counts_its_heads_and_gives_the_same_one_for_the_same_labels() -> None:
    vectors, targets = _digits(1797)
    maker = _maker(vectors)
    first = maker.train(vectors[:50], targets[:50], None, now=1.0)
    second = maker.train(vectors[:90], targets[:90], first, now=2.0)
    assert (first.info.version, second.info.version, second.info.label_count) == (1, 2, 90)
    assert maker.first() is None
    again = maker.calibrate(maker.train(vectors[:90], targets[:90], first, 3.0), vectors[:90], targets[:90], unhurried)
    calibrated = maker.calibrate(second, vectors[:90], targets[:90], unhurried)
    np.testing.assert_array_equal(calibrated.predict_proba(vectors), again.predict_proba(vectors))


def test_a_head_keeps_its_temperature_where_labels_are_too_few_or_a_newer_one_is_wanted() -> None:
    vectors, targets = _digits(100)
    maker = _maker(vectors)
    few = maker.train(vectors[:15], targets[:15], None, now=1.0)
    assert maker.calibrate(few, vectors[:15], targets[:15], unhurried) is few
    head = maker.train(vectors, targets, None, now=1.0)
    with pytest.raises(Superseded):
        maker.calibrate(head, vectors, targets, superseded_after(0))


def test_few_labels_make_a_head_less_sure_at_once_and_surer_only_slowly() -> None:
    vectors, targets = _digits(1797)
    maker = _maker(vectors)
    rng = np.random.default_rng(0)
    guessed = rng.integers(10, size=60)
    unsure = maker.train(vectors[:60], guessed, None, now=1.0)
    assert maker.calibrate(unsure, vectors[:60], guessed, unhurried).info.temperature > 1.5
    for labels, least in ((40, 0.75), (1200, 0.1)):
        head = maker.train(vectors[:labels], targets[:labels], None, now=1.0)
        assert maker.calibrate(head, vectors[:labels], targets[:labels], unhurried).info.temperature > least
