"""What `pip install -e .` brings is enough to start; the test extra brings more, and would hide what is missing."""

import subprocess
import sys
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

IMPORT_ALL = """
import importlib, pkgutil, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

missing = set(sys.argv[1:])
sys.meta_path.insert(0, Missing())
import fastlabel_gradio
for module in pkgutil.walk_packages(fastlabel_gradio.__path__, "fastlabel_gradio."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def test_every_module_can_be_imported_without_the_extras() -> None:
    installed = installed_without_extras()
    missing = [
        module
        for module, packages in metadata.packages_distributions().items()
        if module.isidentifier()
        and module not in sys.stdlib_module_names
        and not installed & {canonicalize_name(package) for package in packages}
    ]
    assert "moto" in missing and "torch" not in missing
    ended = subprocess.run([sys.executable, "-c", IMPORT_ALL, *missing], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr


def installed_without_extras() -> set[str]:
    """The packages that come with `pip install fastlabel-gradio`, with all that these bring."""
    found: set[tuple[str, str]] = set()
    wanted = [("fastlabel-gradio", "")]
    while wanted:
        package, extra = wanted.pop()
        if (package, extra) in found:
            continue
        try:
            requires = metadata.requires(package) or []
        except metadata.PackageNotFoundError:
            continue
        found.add((package, extra))
        for requirement in map(Requirement, requires):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                name = canonicalize_name(requirement.name)
                wanted += [(name, one) for one in ("", *requirement.extras)]
    return {package for package, _ in found}
