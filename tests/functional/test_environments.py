"""The drop-in environments: linted, described, and their start script run for real."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import requires
from pathlib import Path

import psutil
import pytest
import requests
from packaging.requirements import Requirement

from ..templates import wait_until_it_answers

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ENVIRONMENTS = sorted((ROOT / "public_dropin_environments").glob("[!._]*"))
PATIENCE = 60.0
# What each environment is for: the distribution, and how people call it.
FRAMEWORKS = {
    "python3_keras": ("keras", "Keras"),
    "python3_onnx": ("onnxruntime", "ONNX Runtime"),
    "python3_pytorch": ("torch", "PyTorch"),
    "python3_sklearn": ("scikit-learn", "scikit-learn"),
    "python3_xgboost": ("xgboost-cpu", "XGBoost"),
}

environments = pytest.mark.parametrize("folder", ENVIRONMENTS, ids=lambda folder: folder.name)


def instructions(folder: Path) -> list[tuple[str, str]]:
    """The Dockerfile as pairs of an instruction and its arguments."""
    lines = (folder / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    pairs = [line.partition(" ") for line in lines if line and not line.startswith("#")]
    return [(name, arguments.strip()) for name, _, arguments in pairs]


def last(folder: Path, wanted: str) -> str:
    return [arguments for name, arguments in instructions(folder) if name == wanted][-1]


def lint(tool: str, path: Path) -> str:
    done = subprocess.run([BIN / tool, path], capture_output=True, text=True, check=False, timeout=PATIENCE)
    return done.stdout + done.stderr + f"exit code {done.returncode}"


@environments
def test_the_dockerfile_passes_hadolint(folder: Path) -> None:
    assert lint("hadolint", folder / "Dockerfile") == "exit code 0"


@environments
def test_the_start_script_passes_shellcheck(folder: Path) -> None:
    assert lint("shellcheck", folder / "start_server.sh") == "exit code 0"


@pytest.mark.parametrize(
    ("tool", "text"),
    [("hadolint", "FROM python\nENTRYPOINT python\n"), ("shellcheck", "#!/bin/sh\ncd $1\n")],
)
def test_the_linters_complain_about_bad_files(tool: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "bad").write_text(text)
    assert "exit code 1" in lint(tool, tmp_path / "bad")


@environments
def test_the_image_runs_the_start_script_as_a_user_without_rights(folder: Path) -> None:
    assert json.loads(last(folder, "ENTRYPOINT")) == ["/opt/code/start_server.sh"]
    assert int(last(folder, "USER")) > 0
    assert last(folder, "WORKDIR") == "/opt/code"


@environments
def test_the_image_serves_its_own_folder_on_every_interface(folder: Path) -> None:
    settings = dict(pair.split("=", 1) for pair in last(folder, "ENV").split())
    assert settings.pop("PATH").startswith("/opt/venv/bin:")
    assert settings == {
        "CODE_DIR": "/opt/code",
        "ADDRESS": "0.0.0.0:8080",
        "MAX_WORKERS": "1",
        "WITH_ERROR_SERVER": "1",
        "PYTHONUNBUFFERED": "1",
    }
    assert last(folder, "EXPOSE") == "8080 8081"


@environments
def test_the_image_is_built_from_files_that_the_project_has(folder: Path) -> None:
    copies = [words for name, words in instructions(folder) if name == "COPY" and "--from=" not in words]
    sources = [word for words in copies for word in words.split()[:-1] if not word.startswith("--")]
    assert [source for source in sources if not (ROOT / source).exists()] == []
    needed_by_the_build = {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "drum_server_api.yaml",
        "custom_model_runner",
    }
    assert needed_by_the_build <= set(sources)
    assert f"public_dropin_environments/{folder.name}/start_server.sh" in sources


@environments
def test_the_base_image_is_public_and_its_python_has_the_described_version(folder: Path) -> None:
    bases = {arguments.split()[0] for name, arguments in instructions(folder) if name == "FROM"}
    assert bases == {"python:3.12-slim"}
    assert "Python 3.12" in json.loads((folder / "env_info.json").read_text())["environmentVersionDescription"]


@environments
def test_the_description_has_the_keys_that_a_platform_lists(folder: Path) -> None:
    described = json.loads((folder / "env_info.json").read_text())
    assert {name: type(value) for name, value in described.items()} == {
        "name": str,
        "description": str,
        "programmingLanguage": str,
        "label": str,
        "environmentVersionDescription": str,
        "isPublic": bool,
        "isDownloadable": bool,
        "useCases": list,
        "tags": list,
    }
    assert described["label"] == folder.name
    assert described["programmingLanguage"] == "python"


def pins(folder: Path) -> dict[str, str]:
    lines = (folder / "requirements.txt").read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9.]+", line)] == []
    assert lines == sorted(lines)
    return dict(line.split("==") for line in lines)


@environments
def test_the_requirements_are_exact_versions_without_addresses_of_all_that_is_wanted(folder: Path) -> None:
    wanted = [line for line in (folder / "requirements.in").read_text().splitlines() if not line.startswith("#")]
    assert [name for name in wanted if name not in pins(folder)] == []
    assert FRAMEWORKS[folder.name][0] in wanted
    assert {"joblib", "numpy", "pandas", "scikit-learn", "scipy"} <= set(wanted)


@environments
def test_the_description_names_the_pinned_version_of_the_framework(folder: Path) -> None:
    distribution, title = FRAMEWORKS[folder.name]
    version = ".".join(pins(folder)[distribution].split(".")[:2])
    described = json.loads((folder / "env_info.json").read_text())["environmentVersionDescription"]
    assert f", {title} {version}" in described


@environments
def test_no_pin_is_changed_when_the_runner_is_installed_upon_it(folder: Path) -> None:
    wanted, pinned = [Requirement(text) for text in requires("custom-model-runner") or ()], pins(folder)
    assert wanted
    unfit = [str(one) for one in wanted if one.name in pinned and not one.specifier.contains(pinned[one.name])]
    assert unfit == []


def test_every_environment_has_its_framework_here() -> None:
    assert sorted(FRAMEWORKS) == [folder.name for folder in ENVIRONMENTS]


@environments
def test_the_start_script_is_the_same_in_all(folder: Path) -> None:
    first = ENVIRONMENTS[0] / "start_server.sh"
    assert (folder / "start_server.sh").read_bytes() == first.read_bytes()


@environments
def test_the_dockerfile_is_the_same_in_all_but_for_names_and_the_arguments_of_a_build(folder: Path) -> None:
    def without_names(environment: Path) -> list[tuple[str, str]]:
        found = [pair for pair in instructions(environment) if pair[0] != "ARG"]
        return [(name, arguments.replace(environment.name, "NAME")) for name, arguments in found]

    assert without_names(folder) == without_names(ENVIRONMENTS[0])


@environments
def test_the_start_script_is_executable(folder: Path) -> None:
    assert os.access(folder / "start_server.sh", os.X_OK)


@dataclass(frozen=True)
class Started:
    """What the start script did in front of a `drum` that only tells how it was called."""

    arguments: list[str]
    log: str


def start(folder: Path, scratch: Path, *arguments: str, **variables: str) -> Started:
    fake = scratch / "drum"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    done = subprocess.run(
        [folder / "start_server.sh", *arguments],
        env={"PATH": f"{scratch}:{os.defpath}", **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return Started(done.stdout.splitlines(), done.stderr)


@environments
def test_the_start_script_announces_itself_and_passes_its_arguments_on(folder: Path, tmp_path: Path) -> None:
    started = start(folder, tmp_path, "--class-labels", "one word", "two", CODE_DIR="/opt/code")
    assert started.arguments == ["server", "--class-labels", "one word", "two"]
    assert "start_server.sh: starting the model server for /opt/code\n" in started.log


@environments
def test_the_start_script_shows_no_environment_unasked(folder: Path, tmp_path: Path) -> None:
    log = start(folder, tmp_path, TARGET_TYPE="regression", ENABLE_CUSTOM_MODEL_RUNTIME_ENV_DUMP="0").log
    assert "TARGET_TYPE" not in log
    assert log.count("\n") == 2


@environments
def test_a_dump_of_the_environment_shows_settings_and_keeps_secrets(folder: Path, tmp_path: Path) -> None:
    secrets = {
        "API_TOKEN": "hush-1",
        "AWS_SECRET_ACCESS_KEY": "hush-2",
        "DATABASE_URL": "postgres://me:hush-3@db/x",
        "MLOPS_RUNTIME_PARAM_LOGIN": '{"type":"credential","payload":{"password":"hush-4"}}',
        "SPLIT": "first\nsecond hush-5",
    }
    dump = {"ENABLE_CUSTOM_MODEL_RUNTIME_ENV_DUMP": "1", "TARGET_TYPE": "regression"}
    log = start(folder, tmp_path, "--api-token", "hush-6", **dump, **secrets).log
    assert "TARGET_TYPE=regression\n" in log
    assert [name for name in secrets if f"  {name} (value not shown)\n" not in log] == []
    assert "hush" not in log


@pytest.fixture(scope="module")
def code_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the image has in its code directory: the start script and a trained model beside it."""
    scratch = tmp_path_factory.mktemp("opt") / "code"
    template = ROOT / "model_templates" / "python3_sklearn"
    subprocess.run([sys.executable, template / "train.py", scratch], check=True, timeout=PATIENCE)
    shutil.copy(template / "model-metadata.yaml", scratch)
    shutil.copy(ROOT / "public_dropin_environments" / "python3_sklearn" / "start_server.sh", scratch)
    return scratch


@pytest.fixture
def address() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def container(code_dir: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """The entry point as a container would run it: nothing but its variables, no arguments."""
    variables = {
        "PATH": f"{BIN}:{os.defpath}",
        "CODE_DIR": str(code_dir),
        "ADDRESS": address,
        "MAX_WORKERS": "1",
        "WITH_ERROR_SERVER": "1",
        "PYTHONUNBUFFERED": "1",
    }
    with subprocess.Popen([code_dir / "start_server.sh"], cwd=code_dir, env=variables) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_start_script_becomes_the_server_and_ends_in_order(
    container: subprocess.Popen[bytes], code_dir: Path, address: str
) -> None:
    wait_until_it_answers(f"http://{address}/ping/", container)
    sample = (code_dir / "sample_input.csv").read_bytes()
    scored = requests.post(f"http://{address}/predict/", files={"X": sample}, timeout=PATIENCE)
    assert len(scored.json()["predictions"]) == 20

    command = psutil.Process(container.pid).cmdline()
    assert "start_server.sh" not in " ".join(command)
    assert command[-2:] == [str(BIN / "drum"), "server"]

    container.send_signal(signal.SIGTERM)
    assert container.wait(PATIENCE) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{address}/ping/", timeout=PATIENCE)
