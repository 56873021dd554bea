"""Tiny random CLIP and CLAP models on disk, as their libraries write them, and a machine without a network.

The libraries are imported where they are used: they take seconds, and most tests do without.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastlabel_gradio import devices
from fastlabel_gradio.encoders import clip_weights

TINY_CLIP = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
TINY_PREPARATION = {
    "mean": [0.5, 0.4, 0.3],
    "std": [0.2, 0.3, 0.4],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}
CLAP_RATE_HZ, CLAP_SECONDS = 8000, 2  # of the tiny CLAP; the real one has 48 kHz and 10 s
TINY_CLAP_SOUND = {
    "num_mel_bins": 64,
    "spec_size": 128,
    "window_size": 4,
    "patch_embeds_hidden_size": 8,
    "depths": [1, 1],
    "num_attention_heads": [2, 2],
    "num_hidden_layers": 2,
    "hidden_size": 16,
}
TINY_CLAP_TEXT = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
}


def write_tiny_clip(folder: Path, seed: int) -> Path:
    """A random CLIP on disk as open_clip's `push_to_hf_hub` writes one."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    folder.mkdir(exist_ok=True)
    torch.manual_seed(seed)
    save_file(open_clip.CLIP(**TINY_CLIP).state_dict(), folder / clip_weights.WEIGHTS_NAMES[0])
    config = {"model_cfg": TINY_CLIP, "preprocess_cfg": TINY_PREPARATION}
    (folder / clip_weights.CONFIG_NAME).write_text(json.dumps(config))
    return folder


def write_tiny_clap(folder: Path, seed: int, fuses: bool = False, padding: str = "repeatpad") -> Path:
    """A random CLAP with its processor on disk as transformers' `save_pretrained` writes them."""
    import torch
    from transformers import ClapConfig, ClapFeatureExtractor, ClapModel, ClapProcessor

    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    sound = {**TINY_CLAP_SOUND, "enable_fusion": fuses, "fusion_type": "aff_2d" if fuses else None}
    text = {**TINY_CLAP_TEXT, "vocab_size": len(tokenizer)}
    model = ClapModel(ClapConfig(text_config=text, audio_config=sound, projection_dim=24))
    normalisation = model.audio_model.audio_encoder.batch_norm  # as if trained on decibels
    normalisation.running_mean.fill_(-30)
    normalisation.running_var.fill_(400)
    extractor = ClapFeatureExtractor(
        sampling_rate=CLAP_RATE_HZ,
        max_length_s=CLAP_SECONDS,
        hop_length=64,
        fft_window_size=512,
        frequency_min=50,
        frequency_max=3800,
        truncation="fusion" if fuses else "rand_trunc",
        padding=padding,
    )
    model.save_pretrained(folder)
    ClapProcessor(extractor, tokenizer).save_pretrained(folder)
    return folder


def _tokenizer() -> Any:
    from transformers import RobertaTokenizer

    words = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abcdefghijklmnopqrstuvwxyzT.", "Ġ", "so", "Ġso", "th"]
    merges = [("s", "o"), ("Ġ", "so"), ("t", "h")]
    return RobertaTokenizer(vocab={word: number for number, word in enumerate(words)}, merges=merges)


@pytest.fixture
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, and a hub at an address where nothing listens."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/resolve/{revision}/{filename}"
    )


@pytest.fixture(scope="module")
def computing_as_the_app() -> None:
    """One thread per operation; several are ten times as slow where other tests run at the same time.

    Decided anew for each module: tests of another one may have changed what the app decides once.
    """
    devices.use_one_thread_per_operation.cache_clear()
    devices.use_one_thread_per_operation()


@pytest.fixture
def in_fp32() -> Iterator[None]:
    """A device that is no faster in bf16."""
    with precision_of_before():
        decide_precision("float32")
        yield


@contextmanager
def precision_of_before() -> Iterator[None]:
    """Leaves the measured precision as it is: measured again on a busy machine, it may be another one than models have."""
    before = str(devices.matmul_dtype("cpu")).removeprefix("torch.")
    devices.fastest_dtype.cache_clear()
    yield
    decide_precision(before)


def decide_precision(name: str) -> None:
    """Makes that the CPU's fastest precision for the rest of the process."""
    devices.fastest_dtype.cache_clear()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(devices, "matmul_seconds", lambda dtype: 1.0 if str(dtype) == f"torch.{name}" else 9.0)
        devices.matmul_dtype("cpu")


def fill_cache(repo: str, files: dict[str, Path]) -> None:
    """Puts files where huggingface_hub keeps what it downloaded of a repository."""
    from huggingface_hub import constants

    folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc").mkdir(parents=True)
    for name, content in files.items():
        (folder / "snapshots" / "abc" / name).write_bytes(content.read_bytes())


def noisy_tone(seed: int, seconds: float, rate_hz: int) -> np.ndarray:
    """A gliding tone with overtones in noise, float32[samples]; pitch, glide and loudness are the seed's."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(max(1, round(seconds * rate_hz))) / rate_hz
    phase = 2 * np.pi * (rng.uniform(80, 1500) * time_s + rng.uniform(-200, 400) * time_s**2)
    tone = np.sin(phase) + rng.uniform(0, 1) * np.sin(2 * phase) + rng.uniform(0, 1) * np.sin(3 * phase)
    noise = rng.normal(0, rng.uniform(0.001, 0.2), len(time_s))
    return (rng.uniform(0.05, 0.4) * tone + noise).astype(np.float32)


def match_texts(folder: Path, texts: dict[str, list[Any]]) -> None:
    """Changes a tiny CLIP on disk so that each text's embedding points at its pictures, away from those of the others.

    Only the last matrix of the text tower is made anew: it has more columns than there are texts, so it can send each to
    any place.
    """
    import open_clip
    import torch
    from safetensors.torch import load_file, save_file

    model, prepare = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    with torch.no_grad():
        pictures = [torch.stack([prepare(picture) for picture in of_text]) for of_text in texts.values()]
        means = torch.stack([model.encode_image(batch, normalize=True).mean(dim=0) for batch in pictures])
        model.text_projection = None  # so that texts are given as that matrix takes them
        read = model.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(list(texts)))
    weights = load_file(folder / clip_weights.WEIGHTS_NAMES[0])
    weights["text_projection"] = torch.linalg.lstsq(read, means - means.mean(dim=0)).solution.contiguous()
    save_file(weights, folder / clip_weights.WEIGHTS_NAMES[0])


def write_tiny_timm(folder: Path, seed: int, licence: str = "", size_px: int = 32, patch_px: int = 8) -> Path:
    """A random ViT of three classes on disk as timm saves one for the hub."""
    import timm
    import torch
    from timm.models import save_for_hf

    torch.manual_seed(seed)
    shape = {"img_size": size_px, "patch_size": patch_px, "embed_dim": 48, "depth": 1, "num_heads": 2}
    model = timm.create_model("vit_tiny_patch16_224", num_classes=3, **shape)
    known = {"input_size": [3, size_px, size_px], "num_classes": 3, "crop_pct": 0.9, "license": licence}
    config = {"pretrained_cfg": {**model.pretrained_cfg, **known}}
    save_for_hf(model, folder, model_args=shape, model_config=config, safe_serialization=True)
    return folder


def write_tiny_transformers(folder: Path, architecture: str, seed: int = 1) -> Path:
    """A random model of transformers with its preprocessing on disk, as `save_pretrained` writes them."""
    import torch
    import transformers

    torch.manual_seed(seed)
    small = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 48}
    seeing = {**small, "image_size": 32, "patch_size": 8}
    reading = {**small, "vocab_size": 60, "max_position_embeddings": 16}
    hearing = {
        "conv_dim": (16, 16, 16),
        "conv_kernel": (10, 8, 8),
        "conv_stride": (8, 8, 5),  # 50 steps a second, as the real ones have
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 2,
    }
    listening = {
        "encoder_attention_heads": 2,
        "decoder_attention_heads": 2,
        "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32,
    }
    tokens = {"vocab_size": 60, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
    whisper = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "max_source_positions": 100, "num_mel_bins": 16}
    side = {"height": 32, "width": 32}
    crop = {"size": {"shortest_edge": 36}, "crop_size": side}
    made: dict[str, tuple[type, dict[str, Any], type, dict[str, Any]]] = {
        "dinov2": (transformers.Dinov2Config, seeing, transformers.BitImageProcessor, crop),
        "vit": (transformers.ViTConfig, seeing, transformers.ViTImageProcessor, {"size": side}),
        "siglip": (
            transformers.SiglipConfig,
            {"vision_config": seeing, "text_config": reading},
            transformers.SiglipImageProcessor,
            {"size": side},
        ),
        "ast": (
            transformers.ASTConfig,
            {**small, "max_length": 128, "num_mel_bins": 32},
            transformers.ASTFeatureExtractor,
            {"num_mel_bins": 32, "max_length": 128},
        ),
        "wav2vec2": (transformers.Wav2Vec2Config, {**small, **hearing}, transformers.Wav2Vec2FeatureExtractor, {}),
        "whisper": (
            transformers.WhisperConfig,
            {**whisper, **listening, **tokens},
            transformers.WhisperFeatureExtractor,
            {"feature_size": 16, "chunk_length": 2},
        ),
    }
    config_type, config, preparation_type, preparation = made[architecture]
    if architecture == "dinov2":
        config.pop("intermediate_size")
    transformers.AutoModel.from_config(config_type(**config)).save_pretrained(folder)
    preparation_type(**preparation).save_pretrained(folder)
    if architecture == "siglip":
        _tokenizer().save_pretrained(folder)
    return folder


class Trap:
    """Makes a folder where its pickle is loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)
