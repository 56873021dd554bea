"""What docs/deploy.md and the Dockerfile say can be done: files that are copied exist, and commands are understood."""

import json
import re
import shlex
from configparser import ConfigParser
from fnmatch import fnmatch

from fastlabel_gradio.config import parse_config
from fastlabel_gradio.serve_command import parser
from fastlabel_gradio.server.api import create_api
from tests.documents import ROOT, blocks, read

DEPLOY = read("docs/deploy.md")
UNIT_DEFAULTS = {"StateDirectory", "ExecStart", "User", "Restart", "EnvironmentFile"}


def instructions() -> list[tuple[str, str]]:
    """(instruction, the rest) of the Dockerfile, lines that go on in the next one as one."""
    lines = re.sub(r"\\\n\s*", "", read("Dockerfile")).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line and not line.startswith("#")]


def of(name: str) -> list[str]:
    return [rest for instruction, rest in instructions() if instruction == name]


def test_every_file_that_the_image_copies_is_there_and_not_ignored() -> None:
    ignored = [line for line in read(".dockerignore").splitlines() if line and not line.startswith("!")]
    kept = [line[1:] for line in read(".dockerignore").splitlines() if line.startswith("!")]
    copied = [source for line in of("COPY") for source in line.split()[:-1]]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source in kept or not any(fnmatch(source, pattern) for pattern in ignored), source


def test_the_image_runs_what_the_command_line_understands_as_nobody_special() -> None:
    assert json.loads(of("ENTRYPOINT")[0]) == ["fastlabel"]
    arguments = parser().parse_args(json.loads(of("CMD")[0]))
    assert (str(arguments.path), arguments.host, arguments.port, str(arguments.workdir)) == (
        "/data",
        "0.0.0.0",
        7860,
        "/work",
    )
    assert of("EXPOSE") == [str(arguments.port)]
    assert of("VOLUME") == [str(arguments.workdir)]
    assert of("USER") and not of("USER")[-1].startswith(("0", "root"))


def test_the_image_is_healthy_while_health_says_so() -> None:
    [check] = of("HEALTHCHECK")
    program, option, code = json.loads(check[check.index("CMD ") + 4 :])
    assert (program, option) == ("python", "-c")
    compile(code, "HEALTHCHECK", "exec")
    [path] = re.findall(r"http://127\.0\.0\.1:7860(/[\w/]+)", code)
    assert path in create_api({}).openapi()["paths"]
    waits_s = float(re.search(r"--timeout=(\d+)s", check)[1])  # type: ignore[index]
    assert waits_s > float(re.search(r"timeout=(\d+)\)", code)[1])  # type: ignore[index]


def test_no_address_of_a_package_index_is_in_the_image() -> None:
    assert re.findall(r"https?://(?!127\.0\.0\.1)\S+", read("Dockerfile")) == []


def test_every_start_in_the_document_is_understood() -> None:
    lines = [line for block in blocks(DEPLOY) if block.language == "sh" for line in block.text.splitlines()]
    starts = [shlex.split(line)[2:] for line in lines if "launch.py" in line]
    assert len(starts) >= 6
    [unit] = [block.text for block in blocks(DEPLOY) if block.language == "ini"]
    service = ConfigParser(interpolation=None)
    service.optionxform = str  # type: ignore[assignment,method-assign]
    service.read_string(unit)
    assert set(service["Service"]) >= UNIT_DEFAULTS
    starts.append(shlex.split(service["Service"]["ExecStart"])[1:])
    for arguments in starts:
        parser().parse_args(arguments)


def test_the_configuration_in_the_document_names_a_database() -> None:
    import yaml

    [text] = [block.text for block in blocks(DEPLOY) if block.language == "yaml"]
    config = parse_config(yaml.safe_load(text), "docs/deploy.md")
    assert config.projects[0].database


def test_the_proxy_knows_the_ports_that_are_started() -> None:
    ports = set(re.findall(r"--port (\d+)", DEPLOY))
    [nginx] = [block.text for block in blocks(DEPLOY) if block.language == "nginx"]
    [caddy] = [block.text for block in blocks(DEPLOY) if block.language == "caddy"]
    for text in (nginx, caddy):
        assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) <= ports
    assert "ip_hash" in nginx
    assert "lb_policy cookie" in caddy
    # Processes that are gone are left out, those whose database is away are not: their page says so.
    assert "fail_duration" in caddy
    assert "/api/health" not in caddy
