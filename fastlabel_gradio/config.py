"""The configuration: what a YAML file or a command line may say, validated once. Nothing here opens what it names."""

import re
import reprlib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fastlabel_gradio.errors import ConfigError, problem_of
from fastlabel_gradio.head.recipe import DEFAULT_RECIPE, HeadRecipe
from fastlabel_gradio.yaml_file import read_yaml

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})  # hosts that only this machine can reach
PROJECT_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
RESERVED_NAMES = ("secret", "downloads")  # what else the working directory holds
_SHORT = reprlib.Repr()  # of a value that may be endless
_SHORT.maxstring = _SHORT.maxother = 200
MAX_BATCH = 1_000  # items of a batch, or of a page of found ones
PROBLEMS_TOLD = 10
MOST_LEVELS = 32  # of a configuration; those of configs/ have six


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PartConfig(BaseModel):
    """A part chosen by name with options of its own: `{kind: clip, model: ViT-L-14}`. A plain string is the kind alone."""

    model_config = ConfigDict(extra="allow", frozen=True)
    kind: str

    @property
    def options(self) -> dict[str, object]:
        """Every key but `kind`; the part itself knows which are valid."""
        return dict(self.model_extra or {})


class PoolSettings(_Strict):
    """What is labeled and how it is embedded: those keys of a project, with their defaults.

    Attributes:
        name: names its folder and its URLs: small letters, digits, "-" and "_".
        classes: those of the start; may be left out, where the source proposes them or people name them on the page.
        encoder_change: when an encoder other than the one in use takes over. "better": once it has embedded the pool, where
            it gets as many of the labels right; "always": once it has; "at_once": before, and all is embedded anew.
        embedded: a folder or bucket that `fastlabel embed` writes or wrote; its vectors are taken, the rest is embedded here.
        rescan_minutes: how often the source is listed again for new, changed and removed files; 0 for only when asked to.
        gpu_share: of the memory that is free on a GPU, what a copy of the embeddings may take, so that the whole pool is
            scored at once; 0 for no copy.
    """

    name: str
    source: PartConfig
    classes: tuple[str, ...] = ()
    encoder: PartConfig = PartConfig(kind="auto")
    encoder_change: Literal["better", "always", "at_once"] = "better"
    embedded: str | None = None
    rescan_minutes: Annotated[float, Field(ge=0, le=10_000)] = 5.0
    gpu_share: Annotated[float, Field(ge=0, le=0.9)] = 0.25

    @field_validator("source", "encoder", mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"kind": value} if isinstance(value, str) else value

    @field_validator("name")
    @classmethod
    def _valid_name(cls, value: str) -> str:
        if not PROJECT_NAME.fullmatch(value):
            raise ValueError("small letters, digits, '-' and '_' only, at most 64")
        if value in RESERVED_NAMES:
            raise ValueError("the working directory keeps something else under that name; choose another")
        return value


class LoopSettings(_Strict):
    """How batches are picked and heads are trained: those keys of a project that the loop reads, with their defaults.

    Attributes:
        train_every: newly labeled items after which a new head is trained; where several people label, see `labels_due`.
        audit_share: share of each batch that is drawn at random and never trained on, to measure the head; 0 for none.
        planted_checks: share of the batches in which a group holds up to three labeled items of another class, to see
            whether they slip through; 0 for none.
        second_opinions: share of the labeled items that another person is asked about, too, without being shown what the
            first one said; 0 for none.
        prompt: the text that describes a class, with "{label}" for its name, where the encoder reads texts; "" for no
            suggestions before the first label. The encoder's own by default.
        class_weighting: 0: every label counts the same in training, 1: every class does.
        ensemble: heads that are trained to answer as one.
        claim_minutes: how long a batch is kept for an annotator whose page is gone.
        scan_on_ray: a Ray cluster that goes through a large pool after each training: "auto", "local" or HOST:PORT; none by
            default.
        scan_on_ray_above: rows; smaller pools are gone through here.
    """

    strategy: str = "auto"
    batch_size: Annotated[int, Field(ge=1, le=MAX_BATCH)] = 100
    train_every: Annotated[int, Field(ge=1)] = 10
    audit_share: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    planted_checks: Annotated[float, Field(ge=0, le=1)] = 0.0
    second_opinions: Annotated[float, Field(ge=0, le=1)] = 0.0
    prompt: str | None = None
    class_weighting: Annotated[float, Field(ge=0, le=1)] = DEFAULT_RECIPE.class_weighting
    ensemble: Annotated[int, Field(ge=1, le=9)] = DEFAULT_RECIPE.ensemble
    claim_minutes: Annotated[float, Field(gt=0)] = 10.0
    scan_on_ray: str | None = None
    scan_on_ray_above: Annotated[int, Field(ge=0)] = 10_000_000
    seed: int = 0

    @property
    def claim_s(self) -> float:
        return 60 * self.claim_minutes

    @property
    def recipe(self) -> HeadRecipe:
        return HeadRecipe(self.class_weighting, self.ensemble)


class ProjectConfig(LoopSettings, PoolSettings):
    """One pool with one label schema, one encoder and one head; one tab of the page.

    Attributes:
        sharing: "shared", all visitors label one pool together, or "private", each browser has labels of its own.
        database: SQLAlchemy URL of the label store; a SQLite file in the project's folder by default.
        adjudication_blind: whether a reviewer sees what people say of an item that they disagree on only after their own
            answer.
        labels_per_person: after how many labels a person is given no new batch until they choose to go on; none by default.
        visitors_gb: with private sharing all visitors' labels take at most so many gigabytes (1e9 bytes), and their heads as
            many again; labels beyond that are refused, heads go and are trained again where they are wanted.
        target: the accuracy that the page's advice is about, 0 to 1; can be changed there.
    """

    sharing: Literal["shared", "private"] = "shared"
    database: str | None = None
    adjudication_blind: bool = True
    labels_per_person: Annotated[int, Field(ge=1)] | None = None
    visitors_gb: Annotated[float, Field(ge=0.001, le=1e6)] = 1.0
    target: Annotated[float, Field(gt=0, lt=1)] = 0.9


class AppConfig(_Strict):
    """What one start of the app serves. Paths inside are relative to `base_dir`, the folder of the file.

    Attributes:
        bucket: a folder that outlives the local disk, into which labels are sealed (`server.bucket`).
    """

    title: str = "FastLabel"
    bucket: Path | None = None
    projects: Annotated[tuple[ProjectConfig, ...], Field(min_length=1)]
    base_dir: Path = Path()

    def project(self, name: str | None) -> ProjectConfig:
        """The project of that name, or the first one. Raises ConfigError with the known names."""
        for project in self.projects:
            if name in (None, project.name):
                return project
        known = ", ".join(project.name for project in self.projects)
        raise ConfigError(f"project '{name}' is not in the configuration. It has: {known}.")

    @field_validator("projects")
    @classmethod
    def _distinct_names(cls, projects: tuple[ProjectConfig, ...]) -> tuple[ProjectConfig, ...]:
        names = [project.name for project in projects]
        if len(set(names)) < len(names):
            raise ValueError(f"two projects have the same name: {', '.join(names)}")
        return projects


def load_config(path: Path) -> AppConfig:
    """Reads a YAML configuration. Raises ConfigError naming the file, the key, the value and what is valid."""
    content = read_yaml(path, as_text=("classes",))
    if not isinstance(content, dict):
        raise ConfigError(f"{path}: a configuration is a mapping with the key 'projects'. Examples are in configs/.")
    if _is_deeper(content, MOST_LEVELS):
        raise ConfigError(f"{path}: nested in more than {MOST_LEVELS} levels. Examples are in configs/.")
    return parse_config(
        {**{str(key): part for key, part in content.items()}, "base_dir": path.resolve().parent}, str(path)
    )


def parse_config(content: dict[str, Any], origin: str) -> AppConfig:
    """Validates a configuration. `origin` (a file or "command line") opens every message. Raises ConfigError."""
    try:
        return AppConfig.model_validate(content)
    except ValidationError as error:
        problems = [_problem(detail) for detail in _causes(error)]
        more = [f"and {len(problems) - PROBLEMS_TOLD} more"] if len(problems) > PROBLEMS_TOLD else []
        raise ConfigError(f"{origin}: " + "; ".join(problems[:PROBLEMS_TOLD] + more)) from error


def _causes(error: ValidationError) -> list[Any]:
    """The problems without those that only follow: a list whose entry is wrong counts as too short as well."""
    details = error.errors()
    places = [detail["loc"] for detail in details]
    return [
        detail
        for detail in details
        if not any(len(place) > len(detail["loc"]) and place[: len(detail["loc"])] == detail["loc"] for place in places)
    ]


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether mappings and lists stand in each other more often than that; an alias of itself does so without end."""
    inside = [value]
    for _ in range(levels):
        parts = (part for outer in inside for part in (outer.values() if isinstance(outer, dict) else outer))
        # Each once: by aliases of aliases a short file can name one part a billion times.
        inside = list({id(part): part for part in parts if isinstance(part, dict | list)}.values())
    return bool(inside)


def _problem(detail: Any) -> str:
    place = ".".join(str(part) for part in detail["loc"])
    message = problem_of(detail)
    if detail["type"] == "extra_forbidden":
        owner = AppConfig if len(detail["loc"]) == 1 else ProjectConfig
        return f"{place}: unknown key. Known keys: {', '.join(key for key in owner.model_fields if key != 'base_dir')}"
    given = detail["input"]
    if detail["type"] == "string_type" and isinstance(given, bool | int | float | date | None):
        return f"{place}: {_SHORT.repr(given) if isinstance(given, str) else given} is no text in YAML: put quotes around it"
    if detail["loc"][-1:] == ("classes",):
        return f"{place}: write a list, for example [{given if isinstance(given, str) and given else 'cat'}, other]"
    if "classes" in detail["loc"]:
        return f"{place}: {_SHORT.repr(given)} is no text: a class is one word or text, in quotes where it has signs of YAML"
    return message if isinstance(given, dict | list | tuple) else f"{message}, got {_SHORT.repr(given)}"
