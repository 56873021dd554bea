"""Names, commands, paths, keys, options and routes that the documents mention exist, and the package is whole."""

import re
import subprocess
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from fastlabel_gradio import __version__, data_options, serve_command
from fastlabel_gradio.command_line import parsers
from fastlabel_gradio.config import AppConfig, ProjectConfig, parse_config
from fastlabel_gradio.encoders import ENCODERS
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.exports import EXPORTERS
from fastlabel_gradio.options import parse_options
from fastlabel_gradio.server.access import HUB_USERS_VARIABLE
from fastlabel_gradio.server.api import create_api
from fastlabel_gradio.server.views import VIEWS
from fastlabel_gradio.sources import SOURCES
from fastlabel_gradio.sources.sound_files import SoundOptions
from fastlabel_gradio.strategies import STRATEGIES
from fastlabel_gradio.types import Medium
from fastlabel_gradio.ui.words import read_words
from tests.cases import each
from tests.documents import DOCUMENTS, ROOT, Block, blocks, first_table, front_matter, prose, quoted, read, section

PROJECT = tomllib.loads(read("pyproject.toml"))
README = read("README.md")
CONFIGURATION = read("docs/configuration.md")
PACKAGE = ROOT / "fastlabel_gradio"
COMMANDS_JS = "fastlabel_gradio/ui/web/commands.js"
KEYS_JS = "fastlabel_gradio/ui/web/keys.js"
EVERYTHING = each("path", DOCUMENTS)

FILE_NAME = re.compile(r"[\w./-]+\.(?:py|yaml|yml|toml|md|js|css|txt|png)|[\w./-]+/")
OF_THE_READER = {  # files that a reader has or gets, not the repository
    *("my.yaml", "picture.png", "downloads/", "DIR/CLASS/", "model/", "images/model/"),
    *("night.wav.txt", "night.Table.1.selections.txt", "cats/1.png", "OUT.unreadable.txt"),
}
ROUTES_OF_EXAMPLES = {"/api/class_counts"}  # of the view in docs/extending.md
OTHER_PROGRAMS = re.compile(r"\b(?:pip|pytest|curl|apt-get|benchmarks|docker|systemctl|useradd)\b")
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
HARDWARE = {"cpu-basic", "cpu-upgrade", "t4-small", "t4-medium", "l4x1", "l40sx1", "a10g-small", "a10g-large"}


COMMANDS = parsers()
VARIABLES = {
    *(data_options.WORKDIR_VARIABLE, serve_command.AUTH_VARIABLE, serve_command.HOSTS_VARIABLE),
    serve_command.BUCKET_VARIABLE,
}


def _own(registry: Any) -> set[str]:
    """Names of a registry that the package itself registers; other tests may add some."""
    return {name for name in registry.names() if _module(registry.get(name)).startswith("fastlabel_gradio.")}


def _module(part: Any) -> str:
    function = getattr(part, "pick", None) or getattr(part, "write", None) or part
    return str(function.__module__)


@cache
def _routes() -> set[str]:
    return set(create_api({}).openapi()["paths"])


# The README


def test_the_first_two_blocks_of_the_readme_are_one_command_line_each() -> None:
    app_block, test_block = blocks(README)[:2]
    for block in (app_block, test_block):
        assert block.heading == "Two commands"
        assert block.text.count("\n") == 1
        assert block.text.startswith("python3 -m venv .venv && .venv/bin/pip install -e ")
    assert app_block.text.endswith("&& .venv/bin/python launch.py\n")
    assert test_block.text.endswith("&& .venv/bin/python -m pytest\n")
    assert len([block for block in blocks(README) if block.heading == "Two commands"]) == 2


def test_the_ci_run_takes_its_command_from_the_readme() -> None:
    script = read(".ci/run")
    [extraction] = re.findall(r"^command=\$\((awk .*) README\.md\)$", script, re.MULTILINE)
    found = subprocess.run(
        ["bash", "-c", f"{extraction} README.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout == blocks(README)[1].text
    assert script.rstrip().endswith(".venv/bin/python -m pytest")


def test_the_front_matter_has_what_a_space_needs() -> None:
    matter = yaml.safe_load(front_matter(README))
    assert matter["sdk"] == "gradio"
    assert (ROOT / matter["app_file"]).is_file()
    assert re.fullmatch(r"6\.\d+\.\d+", matter["sdk_version"])
    assert [line for line in PROJECT["project"]["dependencies"] if line.startswith("gradio")] == ["gradio>=6.31,<7"]
    assert matter["python_version"] == PROJECT["project"]["requires-python"].removeprefix(">=")
    assert matter["license"] == PROJECT["project"]["license"].lower()
    assert len(matter["short_description"]) <= 60
    assert {matter["colorFrom"], matter["colorTo"]} <= COLOURS
    assert matter["suggested_hardware"] in HARDWARE
    assert matter["title"]
    assert matter["emoji"]
    assert matter["pinned"] is False
    assert matter["hf_oauth"] is True  # FASTLABEL_HF_USERS needs it


def test_the_messages_that_the_readme_explains_are_those_of_the_program() -> None:
    messages = re.findall(
        r"^\| [^`|]*`([^`]+)` \|", section(README, "When something is not as it should be"), re.MULTILINE
    )
    program = "".join(file.read_text("utf-8") for ending in ("*.py", "en.js") for file in sorted(PACKAGE.rglob(ending)))
    assert len(messages) == 3
    for part in "…".join(messages).split("…"):
        assert part.strip() in program


def test_the_map_of_rooms_names_folders_that_exist() -> None:
    [room_map] = [block.text for block in blocks(read("CONTRIBUTING.md")) if block.heading == "Rooms"]
    for name in re.findall(r"^([a-z][\w.]*/?) ", room_map, re.MULTILINE):
        assert (ROOT / name).exists()


def test_the_tables_of_keys_are_the_page_s_own() -> None:
    for module, text in (("commands.js", section(README, "Keys")), ("explore_commands.js", read("docs/explore.md"))):
        on_the_page = _keys_of(read(f"fastlabel_gradio/ui/web/{module}"))
        listed = {row[0]: row[1] for row in first_table(text)}
        assert list(listed) == list(on_the_page), module
        assert all(listed[key].startswith(meaning) for key, meaning in on_the_page.items()), module


def _keys_of(module: str) -> dict[str, str]:
    """What the keys of a table of commands do, by how the help shows them."""
    of_kind = {"": "", "image": " (pictures)", "audio": " (sounds)"}
    written = re.findall(r'^  "?([\w-]+)"?: \{ (keys: .*) \},$', read(KEYS_JS), re.MULTILINE)
    caps = {name: _fields(row, "caps")[0] + of_kind[_fields(row, "kind")[0]] for name, row in written}
    rows = re.findall(r"\{\s*(name: .*?)\},?\n(?=  \{|\];)", module, re.DOTALL)
    words = read_words("en")
    found = {caps[name]: words[help] for row in rows for name, help in [_fields(row, "name", "help")] if help}
    assert len(rows) == module.count('name: "') and len(found) == module.count("help: ")
    return found


def _fields(row: str, *names: str) -> list[str]:
    return [(re.findall(rf'\b{name}: "(.*?)"', row) or [""])[0] for name in names]


def test_the_screenshots_are_small_pictures() -> None:
    from PIL import Image

    shown = {
        "README.md": 4,
        "README.zh-CN.md": 4,
        "docs/explore.md": 4,
        "docs/team.md": 2,
    }  # each in the light and the dark look
    for document, count in shown.items():
        names = re.findall(r'\b(?:src|srcset)="(.+?)"', read(document))
        assert len(names) == len(set(names)) == count
        assert [name.replace("dark", "light") for name in names[::2]] == names[1::2]
    pictures = sorted((ROOT / "docs").glob("screenshot*"))
    assert len(pictures) == 10
    for picture in pictures:
        assert picture.stat().st_size < 300_000
        assert Image.open(picture).width >= 1000


# Every document


@EVERYTHING
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\((?!https://)([^)]+)\)", prose(path.read_text(encoding="utf-8"))):
        name, _, anchor = target.partition("#")
        linked = path.parent / name if name else path
        assert linked.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", prose(linked.read_text(encoding="utf-8")), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, target


@EVERYTHING
def test_files_that_are_mentioned_exist(path: Path) -> None:
    words = {word for text in quoted(path.read_text(encoding="utf-8")) for word in text.split()}
    names = {word.rstrip(",") for word in words if FILE_NAME.fullmatch(word.rstrip(","))}
    repository = [name for name in names - OF_THE_READER if not name.startswith(("/", "~"))]
    assert [name for name in repository if not ((ROOT / name).exists() or (PACKAGE / name).exists())] == []


@EVERYTHING
def test_options_that_are_mentioned_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = {option for parser in COMMANDS.values() for action in parser._actions for option in action.option_strings}
    commands = "\n".join(line for line in text.splitlines() if not OTHER_PROGRAMS.search(line))
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", commands)) <= known


@EVERYTHING
def test_commands_that_are_mentioned_are_understood(path: Path) -> None:
    for text in quoted(path.read_text(encoding="utf-8")):
        for start in ("python launch.py", "fastlabel"):
            if not text.startswith(f"{start} "):
                continue
            words = text.removeprefix(start).split()
            if words[0] in COMMANDS:
                if words[1:]:  # not where only the command is named
                    COMMANDS[words[0]].parse_args(words[1:])
            elif words != ["--help"]:
                COMMANDS[""].parse_args(words)


@EVERYTHING
def test_routes_that_are_mentioned_exist(path: Path) -> None:
    routes = _routes() | ROUTES_OF_EXAMPLES
    patterns = [re.compile(re.sub(r"\\{\w+\\}", "[^/?]+", re.escape(route))) for route in routes]
    for word in re.findall(r"(?<![\w.])/?(?:api|media)/[\w$/.-]+(?:,\d[\w.,]*\w)?", path.read_text(encoding="utf-8")):
        assert any(pattern.fullmatch(f"/{word.lstrip('/')}") for pattern in patterns), word


@EVERYTHING
def test_environment_variables_that_are_mentioned_exist(path: Path) -> None:
    named = set(re.findall(r"\bFASTLABEL_[A-Z]+\b", path.read_text(encoding="utf-8")))
    assert named <= VARIABLES


@EVERYTHING
def test_configurations_that_are_shown_are_valid(path: Path) -> None:
    for block in blocks(path.read_text(encoding="utf-8"), "yaml"):
        for project in _projects_of(block):
            if project.source.kind in _own(SOURCES):
                parse_options("source", SOURCES.get(project.source.kind).Options, project.source.options)
            for registry in ENCODERS.values():
                if project.encoder.kind in _own(registry) and project.encoder.options:
                    parse_options("encoder", registry.get(project.encoder.kind).Options, project.encoder.options)


def _projects_of(block: Block) -> tuple[ProjectConfig, ...]:
    """The projects of a configuration, or of some keys of one."""
    content = yaml.safe_load(block.text)
    minimal = {"name": "images", "source": "demo"}
    whole = content if "projects" in content else {"projects": [{**minimal, **content}]}
    return parse_config(whole, block.heading).projects


# One document each


def test_the_configuration_page_lists_every_key_with_its_default() -> None:
    _assert_documents(AppConfig, first_table(section(CONFIGURATION, "The file")), ["base_dir"])
    _assert_documents(ProjectConfig, first_table(section(CONFIGURATION, "A project")))


@each("name", sorted(_own(SOURCES)))
def test_the_configuration_page_lists_every_option_of_a_source(name: str) -> None:
    text = section(CONFIGURATION, "Sources").split(f"\n`{name}`:")[1]
    of_sounds = SoundOptions.model_fields if issubclass(SOURCES.get(name).Options, SoundOptions) else ()
    _assert_documents(SOURCES.get(name).Options, first_table(text), of_sounds)
    assert bool(of_sounds) == ("(#options-of-sounds)" in text.partition("\n\n`")[0])


def test_the_configuration_page_lists_the_options_of_sounds() -> None:
    _assert_documents(SoundOptions, first_table(section(CONFIGURATION, "Options of sounds")))


@each("kind, name", [(kind, name) for kind in ENCODERS for name in sorted(_own(ENCODERS[kind]))])
def test_the_configuration_page_lists_every_option_of_an_encoder(kind: Medium, name: str) -> None:
    options = ENCODERS[kind].get(name).Options
    if not options.model_fields:
        assert f"`{name}` ({'pictures' if kind == 'image' else 'sounds'}) has none" in CONFIGURATION
    elif options is ENCODERS["image"].get("clip").Options and name != "clip":
        assert f"`{name}`: " in CONFIGURATION
        assert "The options of `clip`." in CONFIGURATION
    else:
        _assert_documents(options, first_table(section(CONFIGURATION, "Encoders").split(f"\n`{name}`:")[1]))


def _assert_documents(model: Any, table: list[list[str]], left_out: Collection[str] = ()) -> None:
    fields = {key: field for key, field in model.model_fields.items() if key not in left_out}
    assert [row[0] for row in table] == list(fields)
    for row, (key, field) in zip(table, fields.items(), strict=True):
        assert (row[1] == "required") == field.is_required(), key
        if isinstance(field.default, str | bool | int | float):
            assert row[1].lower() in (str(field.default).lower(), str(field.default).removesuffix(".0")), key


def test_the_configuration_page_lists_every_environment_variable() -> None:
    table = first_table(section(CONFIGURATION, "Environment"))
    assert {row[0] for row in table} == {
        data_options.WORKDIR_VARIABLE,
        serve_command.AUTH_VARIABLE,
        serve_command.HOSTS_VARIABLE,
        HUB_USERS_VARIABLE,
    }


def test_the_loop_page_lists_every_strategy_and_what_it_needs() -> None:
    table = first_table(section(read("docs/loop.md"), "Strategies"))
    documented = {name: needs == "yes" for name, _, needs in table}
    assert documented == {name: STRATEGIES.get(name).needs == "probabilities" for name in _own(STRATEGIES)}


def test_the_rest_page_names_every_route_and_format() -> None:
    text = read("docs/rest.md")
    for route in _routes():
        assert re.search(re.sub(r"\\{\w+\\}", r"[^/?\\s]+", re.escape(route)), text), route
    assert all(f"`{name}`" in text for name in _own(EXPORTERS))


def test_the_extending_page_names_the_groups_of_entry_points() -> None:
    [example] = blocks(read("docs/extending.md"), "toml")
    groups: Mapping[str, object] = tomllib.loads(example.text)["project"]["entry-points"]
    assert set(groups) == {registry._group for registry in (SOURCES, *ENCODERS.values(), STRATEGIES, EXPORTERS, VIEWS)}


def test_the_changelog_has_this_version() -> None:
    assert f"## [{__version__}]" in read("CHANGELOG.md")


# The package


def test_a_space_installs_what_the_package_needs() -> None:
    lines = [line for line in read("requirements.txt").splitlines() if line and not line.startswith("#")]
    assert lines == PROJECT["project"]["dependencies"]


def test_every_folder_of_the_package_is_installed() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    packages = {".".join(folder.relative_to(ROOT).parts) for folder in folders} | {"fastlabel_gradio.configs"}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == packages
    assert PROJECT["tool"]["setuptools"]["package-dir"] == {"fastlabel_gradio.configs": "configs"}


def test_every_file_of_the_package_is_installed() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]
    folders = {name: ROOT.joinpath(*name.split(".")) for name in PROJECT["tool"]["setuptools"]["packages"]}
    folders["fastlabel_gradio.configs"] = ROOT / "configs"
    for name, folder in folders.items():
        for file in folder.iterdir():
            if file.is_file() and file.suffix not in (".py", ".pyi"):
                assert any(file.match(pattern) for pattern in patterns.get(name, ())), file


def test_the_demo_is_found_in_a_working_copy_and_in_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data_options.demo_config() == ROOT / "configs" / "demo.yaml"
    (tmp_path / "demo.yaml").write_text("", encoding="utf-8")
    monkeypatch.setattr(data_options, "CONFIG_FOLDERS", (tmp_path, ROOT / "configs"))
    assert data_options.demo_config() == tmp_path / "demo.yaml"


def test_a_missing_demo_says_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_options, "CONFIG_FOLDERS", (tmp_path / "here", tmp_path / "there"))
    with pytest.raises(ConfigError, match=r"here, .*there.*--config"):
        data_options.demo_config()


def test_the_chinese_readme_has_the_sections_commands_and_tables_of_the_english_one() -> None:
    english, chinese = (prose(text) for text in (README.partition("# FastLabel")[2], read("README.zh-CN.md")))
    assert len(re.findall(r"^## ", english, re.MULTILINE)) == len(re.findall(r"^## ", chinese, re.MULTILINE))
    assert [block.text for block in blocks(README)] == [block.text for block in blocks(read("README.zh-CN.md"))]
    tables = [re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE) for text in (english, chinese)]
    assert [table.count("\n") for table in tables[0]] == [table.count("\n") for table in tables[1]]
    commands = [
        [text for text in quoted(one) if text.startswith(("python", "fastlabel "))] for one in (english, chinese)
    ]
    assert commands[0] == commands[1]
    assert re.findall(r"\]\((docs/[\w.-]+)\)", english) == re.findall(r"\]\((docs/[\w.-]+)\)", chinese)


def test_the_chinese_readme_has_the_keys_of_the_page() -> None:
    words = read_words("zh-CN")
    meant = [words[key] for key in re.findall(r'help: "(\w+)"', read(COMMANDS_JS))]
    listed = [row[1] for row in first_table(section(read("README.zh-CN.md"), "按键"))]
    assert sorted(listed) == sorted(meant)
