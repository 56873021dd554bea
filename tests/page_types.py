"""The types of REST's answers for the page's scripts, made from the OpenAPI: `npm run types` writes them anew."""

import json
import subprocess
import tempfile
from pathlib import Path

from fastlabel_gradio.server.api import create_api
from tests.documents import ROOT

TYPES = ROOT / "tests" / "web" / "openapi.d.ts"
MAKER = ROOT / "node_modules" / ".bin" / "openapi-typescript"


def make_types() -> str:
    """What TYPES should hold. `npm install` brings the program that makes it."""
    description = {**create_api({}).openapi(), "paths": {}}
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "openapi.json", Path(folder) / "openapi.d.ts"
        given.write_text(json.dumps(description), encoding="utf-8")
        subprocess.run([MAKER, given, "--output", made], check=True, capture_output=True)
        return made.read_text(encoding="utf-8")


if __name__ == "__main__":
    TYPES.write_text(make_types(), encoding="utf-8")
