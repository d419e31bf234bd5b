"""The Dockerfile, read rather than built."""

import fnmatch
import json
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = {
    "SITEDESK_DATA",
    "SITEDESK_DATABASE_URL",
    "SITEDESK_MEDIA_URL",
    "SITEDESK_SEARCH_URL",
    "SITEDESK_BASE_URL",
    "SITEDESK_HOST",
    "SITEDESK_PORT",
}

Instruction = tuple[str, str]


def read_dockerfile() -> list[Instruction]:
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    split = (line.partition(" ") for line in text.splitlines() if line.strip())
    return [(name.upper(), arguments.strip()) for name, _, arguments in split]


INSTRUCTIONS = read_dockerfile()
LAST_STAGE = INSTRUCTIONS[max(at for at, (name, _) in enumerate(INSTRUCTIONS) if name == "FROM") :]


def arguments_of(wanted: str, stage: list[Instruction] = LAST_STAGE) -> list[str]:
    return [arguments for name, arguments in stage if name == wanted]


def copied_from_repository() -> list[str]:
    copies = (each.split() for each in arguments_of("COPY", INSTRUCTIONS) if not each.startswith("--from="))
    return [source for words in copies for source in words[:-1]]


def test_the_image_is_built_in_stages_and_takes_the_environment_of_the_first() -> None:
    stages = arguments_of("FROM", INSTRUCTIONS)
    assert [stage.split()[0] for stage in stages] == ["python:3.13-slim"] * 2
    assert stages[0].endswith("AS build")
    assert [each.split()[0] for each in arguments_of("COPY")] == ["--from=build"]


def test_the_server_runs_as_a_user_with_a_fixed_number_that_is_not_root() -> None:
    (user,) = arguments_of("USER")
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    assert any(f"--uid {user.split(':')[0]} " in command for command in arguments_of("RUN"))


def test_the_user_owns_the_data_before_it_becomes_a_volume() -> None:
    names = [name for name, _ in LAST_STAGE]
    assert arguments_of("VOLUME") == ["/data"]
    makes_the_folder = next(n for n, (_, given) in enumerate(LAST_STAGE) if "--owner=sitedesk" in given)
    assert makes_the_folder < names.index("VOLUME")


def test_backups_find_the_tools_of_postgresql() -> None:
    assert any("install" in run and "postgresql-client" in run for run in arguments_of("RUN"))


def test_health_is_asked_of_readyz_without_curl() -> None:
    (check,) = arguments_of("HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    assert command[:3] == ["python", "-I", "-c"]
    assert "/readyz" in command[3]
    compile(command[3], "HEALTHCHECK", "exec")


def test_signals_reach_the_server_because_no_shell_stands_between() -> None:
    assert [json.loads(each) for each in arguments_of("ENTRYPOINT")] == [["sitedesk"]]
    assert [json.loads(each) for each in arguments_of("CMD")] == [["serve"]]


def test_versions_are_those_of_the_constraints() -> None:
    assert any("pip install --constraint constraints.txt ." in run for run in arguments_of("RUN", INSTRUCTIONS))


@pytest.mark.parametrize("source", copied_from_repository())
def test_what_is_copied_exists_and_is_not_ignored(source: str) -> None:
    assert (ROOT / source).exists()
    assert f"!{source}" in (ROOT / ".dockerignore").read_text().splitlines()


def test_every_package_of_the_wheel_is_copied() -> None:
    packages = re.search(r"^packages = (\[.*\])$", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert packages
    assert set(json.loads(packages[1])) <= set(copied_from_repository())


def test_the_environment_names_known_settings() -> None:
    names = [pair.partition("=")[0] for each in arguments_of("ENV") for pair in shlex.split(each)]
    assert {"SITEDESK_DATA", "SITEDESK_HOST"} <= set(names)
    assert set(fnmatch.filter(names, "SITEDESK_*")) <= SETTINGS


def test_the_port_that_is_served_is_the_one_exposed() -> None:
    assert arguments_of("EXPOSE") == ["8000"]
    assert any("SITEDESK_PORT=8000" in each for each in arguments_of("ENV"))
