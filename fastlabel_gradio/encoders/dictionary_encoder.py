"""What the two encoders called `offline` share: a dictionary and directions, learned from the pool and kept in a file."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from fastlabel_gradio.encoders.base import EncoderOptions, FittedEncoder
from fastlabel_gradio.encoders.learned_file import learned_digest, load_learned, save_learned


class DictionaryRecipe(Protocol):
    """A dataclass of the numbers of a recipe; another one makes another fingerprint."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def words(self) -> int: ...

    @property
    def patch_numbers(self) -> int: ...

    @property
    def features(self) -> int: ...

    @property
    def dim(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Learned:
    """What `fit` finds. All float32. The order of the fields is part of the fingerprint.

    Attributes:
        dictionary: [words, patch numbers], ZCA and the mean over words folded in. dictionary_bias: [words].
        projection: [dim, features], orthonormal rows times the features' weights. projection_bias: [dim], centres.
    """

    dictionary: np.ndarray
    dictionary_bias: np.ndarray
    projection: np.ndarray
    projection_bias: np.ndarray


class DictionaryEncoder(FittedEncoder):
    """Patches against a learned dictionary, pooled, projected on learned directions.

    Attributes:
        recipe: its numbers. prefix: of the fingerprint.
    """

    name = "offline"
    Options = EncoderOptions
    recipe: ClassVar[DictionaryRecipe]
    prefix: ClassVar[str]

    @abstractmethod
    def _compute_with(self, learned: Learned) -> None:
        """Makes ready to encode."""

    def save(self, path: Path) -> None:
        save_learned(path, self.learned, asdict(self.recipe))

    def load(self, path: Path) -> None:
        self.use(load_learned(path, self.shapes(), asdict(self.recipe)))

    @property
    def learned(self) -> dict[str, np.ndarray]:
        """What `fit` found, by the names of `Learned`."""
        return {field.name: getattr(self._learned, field.name) for field in fields(Learned)}

    @classmethod
    def shapes(cls) -> dict[str, tuple[int, ...]]:
        """Those of `learned`."""
        recipe = cls.recipe
        return {
            "dictionary": (recipe.words, recipe.patch_numbers),
            "dictionary_bias": (recipe.words,),
            "projection": (recipe.dim, recipe.features),
            "projection_bias": (recipe.dim,),
        }

    def use(self, learned: Mapping[str, np.ndarray]) -> None:
        """Takes over what another one's `fit` found."""
        self._use(Learned(**learned))

    def _use(self, learned: Learned) -> None:
        self._learned = learned
        self._compute_with(learned)
        self.dim = len(learned.projection)
        self.fingerprint = f"{self.prefix}-{learned_digest(self.learned, asdict(self.recipe))}"
