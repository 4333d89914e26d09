"""docs/production.md: its commands are run, and what it writes for other tools fits the server."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_model_runner import cli
from custom_model_runner.errors import LoadError, UsageError
from custom_model_runner.options import options
from custom_model_runner.server.generations import SPARE_SECONDS
from custom_model_runner.settings import ServerSettings
from custom_model_runner.settings.server import PROBE_PORT

from .conftest import environment

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall(GUIDE)
TEMPLATE = "model_templates/python3_sklearn"
IMAGE = "python3_sklearn"
# They need a daemon and a cluster: what they are told is compared instead.
ELSEWHERE = ("docker", "kubectl")
END = "--- the end of a block ---"
PATIENCE = 300.0
GRACE = ServerSettings().graceful_timeout + SPARE_SECONDS


@dataclass(frozen=True)
class Step:
    """A block of commands, and what they print on standard output, if the guide shows it."""

    commands: str
    printed: str | None


def steps() -> list[Step]:
    following = [*BLOCKS[1:], ("", "")]
    return [
        Step(text, printed if kind_of_next == "text" else None)
        for (kind, text), (kind_of_next, printed) in zip(BLOCKS, following, strict=True)
        if kind == "sh"
    ]


def is_elsewhere(step: Step) -> bool:
    return step.commands.startswith(ELSEWHERE)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a reader has after `make run`."""
    root = tmp_path_factory.mktemp("checkout")
    (root / ".venv").mkdir()
    (root / ".venv" / "bin").symlink_to(Path(sys.executable).parent)
    shutil.copytree(ROOT / TEMPLATE, root / TEMPLATE)
    subprocess.run([sys.executable, root / TEMPLATE / "train.py"], check=True, capture_output=True, timeout=PATIENCE)
    return root


def free_ports() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        yield from (one.getsockname()[1], other.getsockname()[1])


def test_its_commands_print_what_it_says(checkout: Path) -> None:
    here = [step for step in steps() if not is_elsewhere(step)]
    port, probe_port = list(free_ports())

    def moved(text: str) -> str:
        return text.replace(":8080", f":{port}").replace(":8081", f":{probe_port}")

    # On the default port of probes another server may listen.
    where = {"PROBE_ADDRESS": f"127.0.0.1:{probe_port}"}
    script = "".join(f"{moved(step.commands)}echo '{END}'\n" for step in here)
    # Into files: a server that a failure leaves behind would keep a pipe open.
    with (checkout / "printed").open("w+") as printed, (checkout / "complaints").open("w+") as complaints:
        bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-eu", "-c", script],
            cwd=checkout,
            env=environment(where),
            stdout=printed,
            stderr=complaints,
            start_new_session=True,
        )
        try:
            code = bash.wait(PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(bash.pid, signal.SIGKILL)
            bash.wait()
    told = "".join((checkout / name).read_text() for name in ("printed", "complaints", "drum.log"))
    assert code == 0, told
    found = (checkout / "printed").read_text().split(f"{END}\n")
    assert found == [*(step.printed or "" for step in here), ""], told
    assert len(here) > 5


def test_every_other_block_of_commands_is_looked_at_here() -> None:
    assert [shlex.split(step.commands)[0] for step in steps() if is_elsewhere(step)] == ["docker", "kubectl"]
    assert {kind for kind, _ in BLOCKS} == {"sh", "text", "yaml", "ini"}


def block(kind: str, opening: str = "") -> str:
    """Return the one block that begins so."""
    (found,) = [text for this, text in BLOCKS if this == kind and text.startswith(opening)]
    return str(found)


def understood(words: list[str]) -> dict[str, Any]:
    """Return the options of `drum server` that words set; unknown ones are a failure."""
    return vars(cli.build_parser().parse_args(["server", *words]))


def variables_of_the_image() -> dict[str, str]:
    dockerfile = (ROOT / "public_dropin_environments" / IMAGE / "Dockerfile").read_text().replace("\\\n", " ")
    (line,) = re.findall(r"^ENV (.* ADDRESS=.*)$", dockerfile, re.MULTILINE)
    return dict(pair.split("=", 1) for pair in line.split())


def test_the_unit_of_systemd_starts_the_server_and_waits_for_its_end() -> None:
    unit = configparser.ConfigParser(strict=True, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(block("ini").replace("\\\n", " "))
    service = unit["Service"]
    program, command, *words = shlex.split(service["ExecStart"])
    assert (Path(program).name, command) == ("drum", "server")
    assert understood(words)["probe_address"].endswith(f":{PROBE_PORT}")
    assert service["ExecReload"].endswith(f"-{signal.SIGHUP.name.removeprefix('SIG')} $MAINPID")
    assert service["KillMode"] == "mixed"
    assert int(service["TimeoutStopSec"]) > GRACE
    assert service["RestartPreventExitStatus"].split() == [str(UsageError.exit_code), str(LoadError.exit_code)]


def test_the_container_listens_where_its_ports_are_published_and_has_time_to_end() -> None:
    given = shlex.split(block("sh", "docker").replace("\\\n", " ").partition("\n")[0])
    name = f"drum-{IMAGE.replace('_', '-')}"
    readme = (ROOT / "public_dropin_environments" / IMAGE / "README.md").read_text()
    assert f"--tag {name} " in readme
    image = given.index(name)
    understood(given[image + 1 :])
    pairs = list(pairwise(given[:image]))
    of_container = {port.rpartition(":")[2] for option, port in pairs if option == "--publish"}
    assert of_container == {variables_of_the_image()["ADDRESS"].rpartition(":")[2], str(PROBE_PORT)}
    variables = {text.partition("=")[0] for option, text in pairs if option == "--env"}
    assert variables <= known_words()
    assert int(dict(pairs)["--stop-timeout"]) > GRACE


@pytest.fixture(scope="module")
def deployment() -> Any:
    return next(yaml.safe_load_all(block("yaml", "# drum.yaml")))


@pytest.fixture(scope="module")
def container(deployment: Any) -> Any:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return container


def test_the_probes_of_the_deployment_ask_the_probe_port(container: Any) -> None:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": int(variables_of_the_image()["ADDRESS"].rpartition(":")[2]), "drum-probes": PROBE_PORT}
    asked = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
    assert {kind: get["path"] for kind, get in asked.items()} == {
        "startup": "/readyz",
        "readiness": "/readyz",
        "liveness": "/livez",
    }
    assert {ports[get["port"]] for get in asked.values()} == {PROBE_PORT}


def test_the_deployment_gives_the_server_time_to_end(deployment: Any, container: Any) -> None:
    program, seconds = container["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert deployment["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > int(seconds) + GRACE


def test_the_deployment_fits_together(deployment: Any, container: Any) -> None:
    _, service = yaml.safe_load_all(block("yaml", "# drum.yaml"))
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels == deployment["spec"]["selector"]["matchLabels"] == service["spec"]["selector"]
    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["http"]
    volumes = {one["name"]: one for one in deployment["spec"]["template"]["spec"]["volumes"]}
    mounts = {one["mountPath"]: volumes[one["name"]] for one in container["volumeMounts"]}
    keys = Path(understood(container["args"])["api_key_file"])
    secret = mounts[str(keys.parent)]["secret"]["secretName"]
    assert f"create secret generic {secret} --from-file={keys.name}=drum.keys\n" in block("sh", "kubectl")
    # The counters of the workers need a place.
    assert mounts["/tmp"]["emptyDir"] == {}


def test_prometheus_scrapes_the_probe_port_of_machines_and_of_pods(container: Any) -> None:
    machine, pods = (yaml.safe_load(block("yaml", f"# prometheus.yml{where}\n")) for where in ("", " of a cluster"))
    assert [path for path in machine["rule_files"] if not (ROOT / path).exists()] == []
    assert [job["static_configs"] for job in machine["scrape_configs"]] == [[{"targets": [f"127.0.0.1:{PROBE_PORT}"]}]]
    ((rule,),) = [job["relabel_configs"] for job in pods["scrape_configs"]]
    assert rule["action"] == "keep"
    assert rule["regex"] in {port["name"] for port in container["ports"]}


def known_words() -> set[str]:
    """Return every flag, variable and runtime parameter of `drum server`."""
    every = [one for section in cli.COMMANDS["server"].sections for one in options(section).values()]
    return {word for one in every for word in (*one.flags, *one.variables, one.parameter) if word}


def test_the_options_that_it_names_exist() -> None:
    prose = BLOCK.sub("", GUIDE)
    named = set(re.findall(r"`(--[a-z-]+)", prose)) | set(re.findall(r"\bDRUM_[A-Z_]+", prose))
    named |= set(re.findall(r"MLOPS_RUNTIME_PARAM_(\w+)", GUIDE))
    assert len(named) > 10
    assert named - known_words() == set()
    defaults = re.findall(r"\| (?:runtime parameter )?`([-A-Za-z_]+)` \| (?!default)([^|]*) \|", prose)
    assert {name: shown(name) for name, _ in defaults} == dict(defaults)


def shown(word: str) -> str:
    """Return the default of an option as the guide writes it."""
    (name,) = [name for name, one in options(ServerSettings).items() if word in (*one.flags, one.parameter)]
    value = getattr(ServerSettings(), name)
    if name.endswith("_bytes"):
        return f"{value >> 30} GiB"
    is_time = name in ("receive_timeout", "keep_alive", "request_timeout")
    return ("none" if value == 0 else f"{value:g} s") if is_time else str(value)
