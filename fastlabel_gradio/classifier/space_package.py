"""What a Space installs FastLabel from: a wheel that goes along, an address, or the index, and whether that is known."""

import json
import re
import shutil
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from fastlabel_gradio.errors import ConfigError

NAME = "fastlabel-gradio"
_ADDRESS = re.compile(r"(git\+)?(https|ssh)://\S+")


@dataclass(frozen=True, slots=True)
class SpacePackage:
    """A line of a Space's `requirements.txt`; `wheel` lies beside it. `doubt`: why it may not be had, "" otherwise."""

    requirement: str
    wheel: Path | None = None
    doubt: str = ""

    def put_into(self, folder: Path) -> None:
        """Raises OSError."""
        if self.wheel:
            shutil.copyfile(self.wheel, folder / self.wheel.name)
        (folder / "requirements.txt").write_text(f"{self.requirement}\n", encoding="utf-8")


def space_package(given: str | None, version: str) -> SpacePackage:
    """What is given, or else the commit that FastLabel was installed from here, or else the version on the index.

    Args:
        given: the path of a wheel, or an address as pip takes it: `git+https://…` or `https://…/….whl`.

    Raises:
        ConfigError: it is neither.
    """
    if given is None:
        return _installed_from() or SpacePackage(f"{NAME}>={version}", doubt=_doubt(version))
    if _ADDRESS.fullmatch(given):
        return SpacePackage(f"{NAME} @ {given}")
    wheel = Path(given).expanduser()
    if wheel.suffix == ".whl" and wheel.is_file():
        return SpacePackage(f"./{wheel.name}", wheel)
    raise ConfigError(
        f"--package {given} is no wheel and no address. Make a wheel in FastLabel's folder with `pip wheel --no-deps .`, or "
        "give an address like git+https://HOST/OWNER/NAME@COMMIT."
    )


def _installed_from() -> SpacePackage | None:
    """The commit of a public repository that pip noted (PEP 610); None where it noted none."""
    try:
        noted = json.loads(distribution(NAME).read_text("direct_url.json") or "{}")
    except (PackageNotFoundError, ValueError):
        return None
    commit, address = noted.get("vcs_info", {}).get("commit_id"), noted.get("url", "")
    if not commit or not address.startswith("https://") or "@" in address:
        return None
    return SpacePackage(f"{NAME} @ git+{address}@{commit}")


def _doubt(version: str) -> str:
    return (
        f"requirements.txt asks the package index for {NAME}>={version}, and nobody looked whether it is there. Where it is "
        "not, the Space does not start: write it again with --package and a wheel or an address."
    )
