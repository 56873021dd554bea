"""The model card of a bundle, `README.md`: filled from what is known, and silent about what is not.

Its front matter is what the Hugging Face hub reads: https://huggingface.co/docs/hub/model-cards.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import yaml

from fastlabel_gradio.classifier.bundle_config import AuditPart, BundleConfig
from fastlabel_gradio.encoders.licences import restriction

MEDIA = {"image": ("pictures", "picture", ".jpg"), "audio": ("sounds", "sound", ".wav")}
TASKS = {"image": "image-classification", "audio": "audio-classification"}
SOURCES = {
    "person": "one card at a time",
    "group": "confirmed in groups",
    "review": "in a review",
    "search": "found by a search",
    "import": "imported",
    "auto": "accepted by the program at a promised precision; nobody looked at each",
    "verify": "let pass on a screen of one predicted class; they teach nothing",
}
LEAST_AUDIT_ITEMS = 30  # as on the page: with fewer an accuracy says little


def model_card(config: BundleConfig, onnx: str = "") -> str:
    """The whole file.

    Args:
        onnx: what to say of the ONNX files that lie beside, a section's text; "" where there are none.
    """
    sections = [
        _title(config),
        _use(config),
        _section("Classes and data", _data(config)),
        _section("How good it is", _quality(config)),
        _section("What it is made of", _parts(config)),
        *([_section("ONNX", onnx)] if onnx else []),
        _section("Limits", _limits(config)),
    ]
    return f"---\n{_front_matter(config)}---\n\n" + "\n\n".join(sections) + "\n"


def _front_matter(config: BundleConfig) -> str:
    matter: dict[str, Any] = {
        "library_name": "fastlabel-gradio",
        "pipeline_tag": TASKS[config.kind],
        "tags": ["fastlabel", "active-learning", TASKS[config.kind]],
    }
    if config.audit:
        matter |= {"metrics": ["accuracy"], "model-index": [_results(config, config.audit)]}
    return str(yaml.safe_dump(matter, sort_keys=False, allow_unicode=True))


def _results(config: BundleConfig, audit: AuditPart) -> dict[str, Any]:
    """As the hub's table of results takes it."""
    task = {"type": TASKS[config.kind], "name": TASKS[config.kind].replace("-", " ").capitalize()}
    dataset = {"type": config.project, "name": f"random items of the pool '{config.project}', not trained on"}
    metric = {"type": "accuracy", "value": round(audit.accuracy, 4), "name": f"accuracy on {audit.items} audited items"}
    return {"name": config.project, "results": [{"task": task, "dataset": dataset, "metrics": [metric]}]}


def _title(config: BundleConfig) -> str:
    names = ", ".join(f"`{name}`" for name in config.classes[:30])
    more = f" and {len(config.classes) - 30} more" if len(config.classes) > 30 else ""
    return (
        f"# {config.project}: a classifier of {MEDIA[config.kind][0]}\n\n"
        f"It tells {len(config.classes)} classes apart: {names}{more}. Made with FastLabel {config.fastlabel}: a "
        "frozen encoder "
        f"and a small head, trained on {config.head.labels:,} labels."
    )


def _use(config: BundleConfig) -> str:
    suffix = MEDIA[config.kind][2]
    files = f'["a{suffix}", "b{suffix}"]'
    return (
        "## How to use it\n\n"
        "```sh\npip install fastlabel-gradio\n```\n\n"
        "```python\n"
        "from fastlabel_gradio import load_classifier\n\n"
        'classifier = load_classifier("model")  # this folder, or the name of its repository on the hub\n'
        f"labels = classifier.predict({files})\n"
        f"probabilities = classifier.predict_proba({files})  # a column for each of classifier.classes\n"
        "```\n\n"
        f"`fastlabel predict model FOLDER -o out.csv` does the same for a folder of {MEDIA[config.kind][0]}."
        + (_windows(config) if config.sound and config.sound.window_s else "")
    )


def _windows(config: BundleConfig) -> str:
    assert config.sound
    return (
        f" Recordings are cut into windows of {config.sound.window_s:g} s, as those it was trained on; in Python "
        "`classifier.windows(files)` names them."
    )


def _data(config: BundleConfig) -> str:
    sources = [name for name in SOURCES if any(name in by_source for by_source in config.counts.values())]
    if not sources:
        return f"It was trained on {config.head.labels:,} labels; how many each class has is not recorded."
    totals = Counter({name: sum(by.get(name, 0) for by in config.counts.values()) for name in sources})
    rows = [
        [name, *(f"{config.counts.get(name, {}).get(source, 0):,}" for source in sources)] for name in config.classes
    ]
    table = _table(["class", *sources], rows)
    meant = "; ".join(f"{name}: {SOURCES[name]} ({totals[name]:,})" for name in sources)
    return (
        f"Labels in a pool of {config.items:,} {MEDIA[config.kind][0]}, by class and by how they were given:\n\n{table}\n\n"
        f"{meant[0].upper()}{meant[1:]}. The head was trained on {config.head.labels:,} of them; those of the "
        "audit are kept out, and labels that the program accepted by itself teach nothing."
    )


def _quality(config: BundleConfig) -> str:
    if config.audit is None:
        return (
            "It was not measured: no random items were labeled that it did not see. Label the audit's items in FastLabel, or "
            f"measure it on items of your own before you rely on it.{_promise(config)}"
        )
    audit = config.audit
    groups = f" in {audit.groups:,} groups" if audit.groups is not None else ""
    few = f" With fewer than {LEAST_AUDIT_ITEMS} items that says little." if audit.items < LEAST_AUDIT_ITEMS else ""
    recall = _table(
        ["class", "right", "items"],
        [[name, str(right), str(items)] for name, (right, items) in zip(config.classes, audit.recall, strict=True)],
    )
    return (
        f"**{_percent(audit.accuracy)} right** (95 % interval {_percent(audit.low)} to {_percent(audit.high)}), "
        f"on {audit.items:,} random items{groups} that it never saw: true for {audit.true_for}.{few} Its confidence is off "
        f"by {100 * audit.calibration_error:.1f} points on average.\n\n{recall}{_thresholds(config)}{_promise(config)}"
    )


def _thresholds(config: BundleConfig) -> str:
    if not config.thresholds:
        return ""
    rows = [
        [
            f"{one.confidence:g}",
            _percent(one.coverage),
            _percent(one.right / one.items),
            f"{_percent(one.low)} to {_percent(one.high)}",
        ]
        for one in config.thresholds
        if one.items
    ]
    table = _table(["confidence at least", "share of items", "right", "95 % interval"], rows)
    return f"\n\nWhat `--min-confidence` brings, on the same items:\n\n{table}"


def _promise(config: BundleConfig) -> str:
    if not config.promise:
        return ""
    said = config.promise.get("words") or ", ".join(f"{key}: {value}" for key, value in config.promise.items())
    return f"\n\nOf the labels that the program accepted by itself: {said}"


def _parts(config: BundleConfig) -> str:
    encoder, head = config.encoder, config.head
    weights = f", weights {encoder.weights}" if encoder.weights else ""
    licence = f", licence of the weights: {encoder.licence}" if encoder.licence else ""
    learned = " What it learned from the pool is in `encoder.safetensors`." if encoder.learned else ""
    trained = datetime.fromtimestamp(head.trained_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        f"- Encoder: `{encoder.kind}`{weights}{licence}; {encoder.dim} numbers an item; fingerprint "
        f"`{encoder.fingerprint}`, which "
        f"every weight changes.{learned}",
        f"- Head: version {head.version}, recipe `{head.recipe}`, seed {head.seed}, trained {trained}; in "
        "`head.safetensors`.",
        f"- Confidence: calibrated with temperature {config.calibration.temperature:.3g}, by labels that the head "
        "did not see.",
    ]
    if config.sound:
        lines.append(f"- Sounds: {_sound(config)}.")
    return "\n".join(lines)


def _sound(config: BundleConfig) -> str:
    assert config.sound
    sound = config.sound
    said = [f"up to {sound.top_hz:,} Hz", f"channel {sound.channel}"]
    said += [f"from {sound.low_hz:,} Hz on"] if sound.low_hz else []
    said += [f"{sound.expand} times slower"] if sound.expand > 1 else []
    said += [f"windows of {sound.window_s:g} s every {sound.hop_s:g} s"] if sound.window_s and sound.hop_s else []
    return ", ".join(said)


def _limits(config: BundleConfig) -> str:
    lines = [
        "It gives one of its classes to anything, also to what is none of them: look at the confidence.",
        "The figures hold for items like those of the pool. Of another camera, microphone, place or season they "
        "may be lower.",
        "The same program on the same kind of machine gives the same numbers but for rounding; in another precision, as on "
        f"another processor, they differ more (it was made on {config.encoder.device} in {config.encoder.precision}).",
    ]
    if restricted := restriction(config.encoder.kind, config.encoder.licence):
        lines.append(restricted)
    unlearned = [name for name in config.classes if config.counts and not sum(config.counts.get(name, {}).values())]
    if unlearned:
        lines.append(f"No label teaches {', '.join(f'`{name}`' for name in unlearned)}: it hardly ever finds those.")
    return "\n".join(f"- {line}" for line in lines)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
