"""All modules of the page as one script: a browser on another continent waits for one answer instead of seventy.

Each module becomes a function that makes it when it is first asked for, so a view runs when it is opened, as before.
What another module imports by its own address is a door to the same one. The modules are written in one form
(`biome.json`); another form is refused, so that none is left out in silence. Nothing here knows Gradio.
"""

import json
import posixpath
import re
from collections.abc import Mapping

NAME = "page.js"
_START = """\
const made = {};
const makers = {};
export const moduleOf = (name) => (made[name] ??= makers[name]());
"""
_IMPORT = re.compile(
    r'^import (?:(?P<default>\w+) from |\{(?P<names>[^}]*)\} from )?"(?P<path>\.[^"]+)";$', re.MULTILINE
)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) (?P<name>\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export default ", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)


def one_script(modules: Mapping[str, bytes]) -> dict[str, bytes]:
    """What is served of them by name: the one script, and the door of each module, which exports what the module does.

    Raises:
        ValueError: a module imports or exports in another form than this page's modules do.
    """
    makers = [_maker(name, text.decode()) for name, text in modules.items()]
    doors = {name: _door(name, text.decode()).encode() for name, text in modules.items()}
    return {NAME: "\n".join([_START, *makers]).encode(), **doors}


def _maker(name: str, text: str) -> str:
    exported = [*_names(text), *(["default: value"] if _DEFAULT.search(text) else [])]
    body = _DEFAULT.sub("const value = ", _EXPORT.sub("", _IMPORT.sub(lambda found: _use(name, found), text)))
    if left := _LEFT.search(body):
        raise ValueError(f"{name}: {left[0]!r} is no import or export of the form that joins the page's script.")
    return f"makers[{json.dumps(name)}] = () => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}};"


def _use(name: str, found: re.Match[str]) -> str:
    needed = posixpath.normpath(posixpath.join(posixpath.dirname(name), found["path"]))
    used = f"moduleOf({json.dumps(needed)});"
    if found["default"]:
        return f"const {{ default: {found['default']} }} = {used}"
    return f"const {{{found['names'].replace(' as ', ': ')}}} = {used}" if found["names"] else used


def _door(name: str, text: str) -> str:
    up = "../" * name.count("/") or "./"
    lines = [f'import {{ moduleOf }} from "{up}{NAME}";', f"const made = moduleOf({json.dumps(name)});"]
    lines += [f"export const {{ {', '.join(names)} }} = made;"] if (names := _names(text)) else []
    return "\n".join([*lines, *(["export default made.default;"] if _DEFAULT.search(text) else [])])


def _names(text: str) -> list[str]:
    return [found["name"] for found in _EXPORT.finditer(text)]
