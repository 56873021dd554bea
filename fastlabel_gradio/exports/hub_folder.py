"""A folder on the Hugging Face hub."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fastlabel_gradio.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from huggingface_hub import HfApi

RepositoryKind = Literal["dataset", "model", "space"]
MOST_FILES = 100_000  # the hub's advice for a repository
FILES_A_COMMIT = 100  # and for one request, which is given up after 60 s
TELL_OF_ALL = ("metadata", "README", "config")  # files that name others begin so: they are sent once those are there


def push_folder(folder: Path, name: str, kind: RepositoryKind, *, is_private: bool) -> str:
    """Uploads a folder and returns its address on the hub, in commits of FILES_A_COMMIT files.

    What is there already is not sent again, so that after a failure the same call goes on.

    Raises:
        ConfigError: no login, a name that is none, too many files. StoreError: the hub refuses, or cannot be reached.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HFValidationError

    if folder.suffix == ".zip":
        raise ConfigError(f"--push uploads a folder; {folder} is a zip. Write a folder, such as {folder.stem}.")
    files = [path for path in folder.rglob("*") if path.is_file()]
    if len(files) > MOST_FILES:
        raise ConfigError(
            f"{folder} has {len(files):,} files, the hub takes {MOST_FILES:,}. Take --format hf_parquet, which holds the "
            "media in few large files, or export a part: --states, --sources."
        )
    if not get_token():
        raise ConfigError("no login for the Hugging Face hub. Log in with `hf auth login`, or set HF_TOKEN.")
    api, sdk = HfApi(), "gradio" if kind == "space" else None
    commits = _commits(folder, files)
    sent = 0
    try:
        address = api.create_repo(name, repo_type=kind, private=is_private, exist_ok=True, space_sdk=sdk)
        for paths in commits:
            _commit(api, folder, paths, name, kind, f"{sent + 1} of {len(commits)}")
            sent += 1
    except HFValidationError as error:
        raise ConfigError(f"--push {name!r}: {error} Write it like ann/my-dataset.") from error
    except Exception as error:  # the hub's HTTP library, and so its errors, changed with every major version
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(".")
        raise StoreError(
            f"the hub did not take {name!r}: {reason}. {sent:,} of {len(commits):,} commits are there; the same command goes "
            f"on. The files are in {folder}."
        ) from error
    return str(address)


def _commits(folder: Path, files: Sequence[Path]) -> list[list[str]]:
    """The names of the files of each commit; what names others comes last, so that nobody finds it without these."""
    names = sorted(path.relative_to(folder).as_posix() for path in files)
    names.sort(key=lambda name: name.rpartition("/")[2].startswith(TELL_OF_ALL))
    return [names[start : start + FILES_A_COMMIT] for start in range(0, len(names), FILES_A_COMMIT)]


def _commit(api: "HfApi", folder: Path, paths: Sequence[str], name: str, kind: RepositoryKind, which: str) -> None:
    from huggingface_hub import CommitOperationAdd

    added = [CommitOperationAdd(path_in_repo=path, path_or_fileobj=folder / path) for path in paths]
    api.create_commit(name, added, commit_message=f"FastLabel: {which}", repo_type=kind)
