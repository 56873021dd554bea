"""A model by transformers: a name on the Hugging Face hub or a folder that `save_pretrained` wrote. Which files, where."""

import json
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from fastlabel_gradio.encoders import hub
from fastlabel_gradio.encoders.base import EncoderOptions
from fastlabel_gradio.encoders.hub import HubFile
from fastlabel_gradio.encoders.licences import licence_of_folder, licence_of_repo

HUB_ID = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?")
CONFIG = ("config.json",)
PREPARATION = ("preprocessor_config.json", "processor_config.json")
TOKENIZER = ("tokenizer.json", "vocab.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json")
# Of the two files of settings, what differs between copies of one model.
VOLATILE = re.compile(
    r"_.*|transformers_version|architectures|(torch_)?dtype|id2label|label2id|.*processor_(type|class)"
)

Needed = tuple[tuple[str, ...], ...]  # a model is whole where it has one of each


class HubModelOptions(EncoderOptions):
    """Which model.

    Attributes:
        model: a model of the Hugging Face hub such as "facebook/dinov2-small", or a folder that transformers'
            `save_pretrained` wrote, weights in safetensors or .bin; a file that needs arbitrary pickles is refused.
        batch_size: items encoded at once; by default what the device is fast with.
    """

    model: Annotated[str, Field(min_length=1)]
    batch_size: Annotated[int, Field(ge=1)] | None = None

    @property
    def is_folder(self) -> bool:
        return HUB_ID.fullmatch(self.model) is None

    def located(self, base_dir: Path) -> "HubModelOptions":
        folder = base_dir / Path(self.model).expanduser()
        is_folder = self.is_folder or folder.is_dir()
        return self.model_copy(update={"model": str(folder.absolute())}) if is_folder else self

    def why_missing(self, needed: Needed) -> str | None:
        """Why the model is not available; None where its files are here or within reach. Takes seconds at most."""
        if self.is_folder:
            return _folder_problem(Path(self.model), needed)
        reasons = (hub.why_unreachable(HubFile(self.model, names)) for names in needed)
        return next((reason for reason in reasons if reason), None)

    def is_here(self, needed: Needed) -> bool:
        """Whether nothing has to be downloaded: transformers asks the hub, and retries without a network, unless told so."""
        return self.is_folder or all(hub.cached(HubFile(self.model, names)) for names in needed)

    @property
    def licence(self) -> str:
        """What its model card names; "" where none is within reach."""
        return licence_of_folder(Path(self.model)) if self.is_folder else licence_of_repo(self.model)

    def settings(self) -> list[dict[str, Any]]:
        """What its files say of the architecture and of the preparation, for a fingerprint; the model must be here."""
        return [_settings(path) for names in (CONFIG, PREPARATION) if (path := self._file(names))]

    def _file(self, names: tuple[str, ...]) -> Path | None:
        if self.is_folder:
            return next((path for name in names if (path := Path(self.model) / name).is_file()), None)
        return hub.cached(HubFile(self.model, names))


def _settings(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if not VOLATILE.fullmatch(key)}


def _folder_problem(folder: Path, needed: Needed) -> str | None:
    if not folder.is_dir():
        return f"there is no folder {folder}"
    missing = [names for names in needed if not any((folder / name).is_file() for name in names)]
    return f"there is no {' or '.join(missing[0][:2])} in {folder}" if missing else None
