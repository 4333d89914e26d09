"""The command line: what each invocation prints, where, and how it exits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from custom_model_runner import __version__

from .conftest import Drum, Plant

SCORE = """
    import os
    import pandas as pd

    def score(data, model, **kwargs):
        return pd.DataFrame({"Predictions": [float(os.environ.get("ANSWER", 1))] * len(data)})
"""


def test_drum_alone_prints_its_help_and_exits_with_1(drum: Drum) -> None:
    done = drum()
    assert (done.stdout.startswith(b"usage: drum"), done.stderr, done.returncode) == (True, b"", 1)
    for command in (b"score", b"server", b"new"):
        assert command in done.stdout


@pytest.mark.parametrize("word", ["-h", "--help"])
def test_help_exits_with_0(drum: Drum, word: str) -> None:
    done = drum(word)
    assert (done.stdout.startswith(b"usage: drum"), done.stderr, done.returncode) == (True, b"", 0)


def test_the_version_is_one_line(drum: Drum) -> None:
    done = drum("--version")
    assert (done.stdout, done.stderr, done.returncode) == (f"drum {__version__}\n".encode(), b"", 0)


def test_the_installed_command_is_the_module(drum: Drum) -> None:
    command = Path(sys.executable).with_name("drum")
    done = subprocess.run([command, "--version"], capture_output=True, check=False)
    assert (done.stdout, done.returncode) == (drum("--version").stdout, 0)


def test_an_unknown_command_names_those_there_are(drum: Drum) -> None:
    done = drum("sail")
    assert (done.stdout, done.returncode) == (b"", 2)
    assert b"argument subparser_name: invalid choice: 'sail'" in done.stderr
    assert b"score" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("score", "--colour", "red"),
        ("score", "--target-type", "ordinal"),
        ("score", "--logging-level", "loud"),
        ("new", "car"),
        ("new", "model", "--language", "java"),
        ("server", "--max-workers"),
    ],
)
def test_a_wrong_argument_is_told_on_standard_error_and_exits_with_2(drum: Drum, words: tuple[str, ...]) -> None:
    done = drum(*words)
    assert (done.stdout, done.returncode) == (b"", 2)
    assert done.stderr.startswith(f"usage: drum {words[0]} ".encode())
    assert done.stderr.splitlines()[-1].startswith(b"drum: error: ")


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (("score",), b"--input"),
        (("score", "-cd", "."), b"--input"),
        (("server",), b"-cd/--code-dir"),
        (("new", "model"), b"--language"),
        (("new", "model", "--language", "python"), b"-cd/--code-dir"),
        (("new", "model", "-cd", "absent"), b"--language"),
    ],
)
def test_a_missing_argument_is_named_and_exits_with_2(drum: Drum, words: tuple[str, ...], missing: bytes) -> None:
    done = drum(*words)
    assert (done.stdout, done.returncode) == (b"", 2)
    assert done.stderr.startswith(b"usage: drum " + words[0].encode())
    assert done.stderr.endswith(b"\ndrum: error: the following arguments are required: " + missing + b"\n")


def test_new_without_a_kind_prints_its_help_and_exits_with_1(drum: Drum) -> None:
    done = drum("new")
    assert (done.stdout.startswith(b"usage: drum new"), b"model" in done.stdout, done.returncode) == (True, True, 1)


@pytest.mark.parametrize("word", ["--verbose", "--logging-level=info"])
def test_new_without_a_kind_takes_the_words_that_the_original_takes(drum: Drum, word: str) -> None:
    done = drum("new", word)
    assert (done.stdout.startswith(b"usage: drum new"), done.returncode) == (True, 1)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("fit", "--code-dir", "."), b"the command 'fit'"),
        (("perf-test",), b"the command 'perf-test'"),
        (("validation", "-h"), b"the command 'validation'"),
        (("push",), b"the command 'push'"),
        (("score", "--docker", "image"), b"--docker"),
        (("score", "--docker=image"), b"--docker"),
        (("server", "--gpu-predictor", "vllm"), b"--gpu-predictor"),
        (("server", "--sidecar"), b"--sidecar"),
    ],
)
def test_what_a_later_version_has_is_refused_in_one_line_and_exits_with_2(
    drum: Drum, words: tuple[str, ...], what: bytes
) -> None:
    done = drum(*words)
    assert (done.stdout, done.returncode) == (b"", 2)
    assert done.stderr == b"drum: error: " + what + b" is not available in this version\n"


@pytest.mark.parametrize(
    "words",
    [
        ("--code-dir", "{folder}", "--input", "{source}", "--target-type", "regression"),
        ("-cd", "{folder}", "--input={source}", "--target-type=regression"),
        ("--code={folder}", "--inp", "{source}", "--target-ty", "regression"),
    ],
)
def test_options_can_be_joined_and_shortened(drum: Drum, plant: Plant, words: tuple[str, ...]) -> None:
    folder = plant("code", {"custom.py": SCORE, "in.csv": "a\n1\n"})
    done = drum("score", *(word.format(folder=folder, source=folder / "in.csv") for word in words))
    assert (done.stdout, done.stderr, done.returncode) == (b"Predictions\n1.0\n", b"", 0)


def test_a_flag_beats_its_variable(drum: Drum, plant: Plant) -> None:
    folder = plant("code", {"custom.py": SCORE, "in.csv": "a\n1\n"})
    env = {"CODE_DIR": "/absent", "TARGET_TYPE": "anomaly"}
    words = ("score", "-cd", folder, "--input", folder / "in.csv", "--target-type", "regression")
    done = drum(*words, env=env)
    assert (done.stdout, done.stderr, done.returncode) == (b"Predictions\n1.0\n", b"", 0)


def test_user_code_sees_the_environment_of_the_command(drum: Drum, plant: Plant) -> None:
    folder = plant("code", {"custom.py": SCORE, "in.csv": "a\n1\n"})
    done = drum("score", "-cd", folder, "--input", folder / "in.csv", env={"ANSWER": "42"})
    assert done.stdout == b"Predictions\n42.0\n"


def test_a_file_that_an_option_names_may_be_a_pipe(drum: Drum, plant: Plant) -> None:
    matrix = "%%MatrixMarket matrix array real general\n1 2\n1\n2\n"
    custom = "def score(data, model): return data[['ship']].rename(columns={'ship': 'Predictions'})"
    folder = plant("code", {"custom.py": custom, "in.mtx": matrix})
    words = ("--input", folder / "in.mtx", "--sparse-column-file", "/dev/stdin", "--target-type", "regression")
    done = drum("score", "-cd", folder, *words, stdin=b"fish\nship\n")
    assert (done.stdout, done.stderr, done.returncode) == (b"Predictions\n2.0\n", b"", 0)


@pytest.mark.parametrize(
    ("level", "is_told"), [("error", False), ("warning", True), ("info", True), ("debug", True), ("all", True)]
)
def test_the_logging_level_decides_what_is_logged(drum: Drum, plant: Plant, level: str, is_told: bool) -> None:
    folder = plant("code", {"custom.PY": ""})
    done = drum("score", "-cd", folder, "--input", folder / "custom.PY", "--logging-level", level)
    assert (b"WARNING drum.codedir: custom.PY is not used" in done.stderr, done.returncode) == (is_told, 4)


# One case for each exit code; the signals' are in test_score.py, that of schemas is in conformance/test_schema.py.


HALF = "return pd.DataFrame({'Predictions': data['a'] / 2})"


@pytest.mark.parametrize(
    ("hook", "data", "output", "exit_code"),
    [
        (HALF, b"a\n1\n", "/dev/null", 0),
        (HALF, b"a\n1\n", "/proc/absent", 1),
        (HALF, b"a\n1\n", "/", 2),
        ("return (", b"a\n1\n", "/dev/null", 4),
        ("raise ValueError", b"a\n1\n", "/dev/null", 5),
        ("return data", b"a,b\n1,2\n", "/dev/null", 5),
        (HALF, b"", "/dev/null", 6),
    ],
)
def test_an_exit_code_tells_whose_fault_it_is(
    drum: Drum, tmp_path: Path, hook: str, data: bytes, *, output: str, exit_code: int
) -> None:
    (tmp_path / "custom.py").write_text(f"import pandas as pd\ndef score(data, model):\n    {hook}\n")
    done = drum("score", "-cd", tmp_path, "--input", "-", "--output", output, stdin=data)
    assert done.returncode == exit_code, done.stderr
