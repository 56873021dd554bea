"""A folder on the Hugging Face hub."""

from pathlib import Path
from typing import Literal

from fastlabel_gradio.errors import ConfigError, StoreError

RepositoryKind = Literal["dataset", "model", "space"]
MOST_FILES = 100_000  # the hub's advice for a repository


def push_folder(folder: Path, name: str, kind: RepositoryKind, *, is_private: bool) -> str:
    """Uploads a folder and returns its address on the hub. What is there already is not sent again.

    Raises:
        ConfigError: no login, a name that is none, too many files. StoreError: the hub refuses, or cannot be reached.
    """
    from huggingface_hub import HfApi, get_token
    from huggingface_hub.errors import HFValidationError

    if folder.suffix == ".zip":
        raise ConfigError(f"--push uploads a folder; {folder} is a zip. Write a folder, such as {folder.stem}.")
    files = sum(path.is_file() for path in folder.rglob("*"))
    if files > MOST_FILES:
        raise ConfigError(
            f"{folder} has {files:,} files, the hub takes {MOST_FILES:,}. Take --format hf_parquet, which holds the media in "
            "few large files, or export a part: --states, --sources."
        )
    if not get_token():
        raise ConfigError("no login for the Hugging Face hub. Log in with `hf auth login`, or set HF_TOKEN.")
    api, sdk = HfApi(), "gradio" if kind == "space" else None
    try:
        address = api.create_repo(name, repo_type=kind, private=is_private, exist_ok=True, space_sdk=sdk)
        api.upload_folder(repo_id=name, folder_path=folder, repo_type=kind)
    except HFValidationError as error:
        raise ConfigError(f"--push {name!r}: {error} Write it like ann/my-dataset.") from error
    except Exception as error:  # the hub's HTTP library, and so its errors, changed with every major version
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise StoreError(f"the hub did not take {name!r}: {reason}. The files are in {folder}.") from error
    return str(address)
