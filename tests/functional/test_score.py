"""`drum score`, end to end."""

from __future__ import annotations

import ast
import json
import os
import pickle
import pty
import signal
import struct
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import custom_model_runner
from custom_model_runner.data import answers
from custom_model_runner.data.payload import Payload

from .conftest import Drum, Plant, Start

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
DATA = FRAME.to_csv(index=False).encode()
HALVES = """
    import pandas as pd

    def score(data, model, **kwargs):
        return pd.DataFrame({"Predictions": data["a"] / 2})
"""
REGRESSION = ("--target-type", "regression")


@pytest.fixture
def drum(warm_drum: Drum) -> Drum:
    return warm_drum


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file to score."""
    path = tmp_path / "input.csv"
    path.write_bytes(DATA)
    return path


# From where, and to where.


@pytest.mark.parametrize("suffix", ["pkl", "joblib"])
def test_the_predictions_of_an_artifact_are_csv_on_standard_output(
    drum: Drum, plant: Plant, source: Path, suffix: str
) -> None:
    model = LinearRegression().fit(FRAME, [0.1, 1.0, 2.5, 3.0])
    folder = plant("code", {f"model.{suffix}": pickle.dumps(model)})
    done = drum("score", "--code-dir", folder, "--input", source)
    assert done.stderr == b"drum: no target type given: regression inferred from the model\n"
    assert done.returncode == 0
    lines = done.stdout.decode().splitlines()
    assert (lines[0], [float(line) for line in lines[1:]]) == ("Predictions", model.predict(FRAME).tolist())


def test_a_dash_reads_standard_input(drum: Drum, plant: Plant) -> None:
    folder = plant("code", {"custom.py": HALVES})
    done = drum("score", "-cd", folder, "--input", "-", *REGRESSION, stdin=b"a,b\n1,2\n")
    assert (done.stdout, done.stderr, done.returncode) == (b"Predictions\n0.5\n", b"", 0)


def test_a_file_gets_what_standard_output_would_and_nothing_is_printed(
    drum: Drum, plant: Plant, source: Path, tmp_path: Path
) -> None:
    folder = plant("code", {"custom.py": HALVES})
    done = drum("score", "-cd", folder, "--input", source, "--output", tmp_path / "out.csv", *REGRESSION)
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)
    assert (tmp_path / "out.csv").read_bytes() == b"Predictions\n0.0\n0.5\n1.0\n1.5\n"


def test_the_device_of_standard_output_is_standard_output(drum: Drum, plant: Plant, source: Path) -> None:
    folder = plant("code", {"custom.py": HALVES})
    done = drum("score", "-cd", folder, "--input", source, "--output", "/dev/stdout", *REGRESSION)
    assert (done.stdout, done.stderr, done.returncode) == (b"Predictions\n0.0\n0.5\n1.0\n1.5\n", b"", 0)


def test_a_header_without_rows_gives_a_header(drum: Drum, plant: Plant) -> None:
    folder = plant("code", {"custom.py": HALVES})
    done = drum("score", "-cd", folder, "--input", "-", *REGRESSION, stdin=b"a,b\n")
    assert (done.stdout, done.returncode) == (b"Predictions\n", 0)


CHATTY = """
    import os
    import pandas as pd

    print("imported")

    def init(code_dir):
        os.write(1, b"from C in init\\n")

    def score(data, model, **kwargs):
        print("scored")
        os.write(1, b"from C in score\\n")
        os.system("echo from a child")
        return pd.DataFrame({"Predictions": data["a"]})
"""


def test_what_user_code_prints_goes_to_standard_error(drum: Drum, plant: Plant, source: Path) -> None:
    done = drum("score", "-cd", plant("code", {"custom.py": CHATTY}), "--input", source, *REGRESSION)
    assert (done.stdout, done.returncode) == (b"Predictions\n0.0\n1.0\n2.0\n3.0\n", 0)
    assert sorted(done.stderr.decode().splitlines()) == [
        "from C in init",
        "from C in score",
        "from a child",
        "imported",
        "scored",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "sys.__stdout__.write('late')",
        "ctypes.CDLL(None).printf(b'late')",
        "atexit.register(print, 'late')",
        "threading.Timer(0.5, print, ['late']).start()",
    ],
)
def test_what_is_printed_late_goes_to_standard_error_too(
    drum: Drum, plant: Plant, source: Path, statement: str
) -> None:
    hooks = f"import atexit, ctypes, sys, threading\n{dedent(HALVES)}\ndef init(code_dir):\n    {statement}\n"
    done = drum("score", "-cd", plant("code", {"custom.py": hooks}), "--input", source, *REGRESSION)
    assert (done.stdout, done.returncode) == (b"Predictions\n0.0\n0.5\n1.0\n1.5\n", 0)
    assert done.stderr.strip() == b"late"


def read_terminal(master: int) -> str:
    """Return all that was written to a terminal until its last writer is gone."""
    chunks: list[bytes] = []
    # At the end of a terminal Linux raises an error where a pipe would return nothing.
    with suppress(OSError):
        while chunk := os.read(master, 65536):
            chunks.append(chunk)
    return b"".join(chunks).decode().replace("\r\n", "\n")


def test_a_terminal_gets_a_readable_preview(start: Start, plant: Plant, source: Path) -> None:
    master, slave = pty.openpty()
    folder = plant("code", {"custom.py": HALVES})
    process = start("score", "-cd", folder, "--input", source, *REGRESSION, stdout=slave)
    os.close(slave)
    shown = read_terminal(master)
    os.close(master)
    _, told = process.communicate(timeout=60)
    assert (told, process.returncode) == (b"", 0)
    assert [line.split() for line in shown.splitlines()] == [
        ["Predictions"],
        ["0", "0.0"],
        ["1", "0.5"],
        ["2", "1.0"],
        ["3", "1.5"],
        [],
        ["[4", "rows", "x", "1", "columns]"],
    ]


def test_a_reader_that_has_seen_enough_ends_the_run_quietly(start: Start, plant: Plant, tmp_path: Path) -> None:
    (tmp_path / "long.csv").write_text("a\n" + "1\n" * 200_000)
    folder = plant("code", {"custom.py": HALVES})
    process = start("score", "-cd", folder, "--input", tmp_path / "long.csv", *REGRESSION, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"Predictions\n"
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(60) == 0


# Signals.

SLOW = """
    import pathlib, time

    def score(data, model, **kwargs):
        pathlib.Path(__file__).with_name("scoring").touch()
        try:
            time.sleep(120)
        except Exception:
            pass
"""


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_a_batch_and_leaves_the_old_output(
    start: Start, plant: Plant, source: Path, number: signal.Signals, exit_code: int
) -> None:
    folder = plant("code", {"custom.py": SLOW})
    results = plant("results", {"out.csv": "old"})
    process = start("score", "-cd", folder, "--input", source, "--output", results / "out.csv", *REGRESSION)
    deadline = time.monotonic() + 60
    while not (folder / "scoring").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert (process.returncode, told) == (exit_code, b"")
    assert [(path.name, path.read_bytes()) for path in results.iterdir()] == [("out.csv", b"old")]


# Targets.

FRAMES = """
    import pandas as pd

    def score(data, model, **kwargs):
        return pd.DataFrame({columns}, index=range(len(data)))
"""
BINARY = ("--positive-class-label", "yes", "--negative-class-label", "no")
ABC = ("--class-labels", "a", "b", "c")


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        ('{"whatever": 1}', REGRESSION, "Predictions\n1.0\n"),
        ('{"score": 0.5}', ("--target-type", "anomaly"), "Predictions\n0.5\n"),
        ('{"no": 0.25, "yes": 0.75}', ("--target-type", "binary", *BINARY), "no,yes\n0.25,0.75\n"),
        ('{"YES": 1, "No": 0}', BINARY, "yes,no\n1.0,0.0\n"),
        ('{"b": 0.5, "c": 0.25, "a": 0.25}', ("--target-type", "multiclass", *ABC), "b,c,a\n0.5,0.25,0.25\n"),
        ('{"a": 1, "b": 1, "c": 0.5}', ("--target-type", "multilabel", *ABC), "a,b,c\n1.0,1.0,0.5\n"),
        ('{"reply": "hi, you"}', ("--target-type", "textgeneration"), 'Predictions\n"hi, you"\n'),
        ('{"reply": "hi"}', ("--target-type", "agenticworkflow"), "Predictions\nhi\n"),
        ('{"reply": [["x", "y"]]}', ("--target-type", "vectordatabase"), "Predictions\n\"['x', 'y']\"\n"),
        ('{"where": "POINT (1 2)"}', ("--target-type", "geopoint"), "Predictions\nPOINT (1 2)\n"),
    ],
)
def test_each_target_has_its_columns(
    drum: Drum, plant: Plant, columns: str, options: tuple[str, ...], expected: str
) -> None:
    folder = plant("code", {"custom.py": FRAMES.replace("{columns}", columns)})
    done = drum("score", "-cd", folder, "--input", "-", *options, stdin=b"a\n1\n", env={"TARGET_NAME": "reply"})
    assert (done.stdout.decode(), done.returncode) == (expected, 0), done.stderr


def test_extra_columns_come_last(drum: Drum, plant: Plant) -> None:
    columns = '{"why": "so, so", "yes": 0.75, "no": 0.25, "n": 5}'
    folder = plant("code", {"custom.py": FRAMES.replace("{columns}", columns)})
    done = drum("score", "-cd", folder, "--input", "-", *BINARY, stdin=b"a\n1\n2\n")
    assert done.stdout == b'yes,no,why,n\n0.75,0.25,"so, so",5\n0.75,0.25,"so, so",5\n'


def test_an_inferred_classifier_says_which_label_is_positive(drum: Drum, plant: Plant, source: Path) -> None:
    model = LogisticRegression().fit(FRAME, ["bad", "bad", "good", "good"])
    done = drum("score", "-cd", plant("code", {"model.pkl": pickle.dumps(model)}), "--input", source)
    assert done.stderr == b"drum: no target type given: binary inferred from the model (positive: good)\n"
    header, *lines = done.stdout.decode().splitlines()
    assert header == "bad,good"
    assert [[float(text) for text in line.split(",")] for line in lines] == model.predict_proba(FRAME).tolist()


METADATA = """
    name: ships
    type: inference
    targetType: multiclass
    inferenceModel:
      classLabels:
        - a
        - b
        - c
"""


@pytest.mark.parametrize(
    ("files", "words", "variables"),
    [
        ({"model-metadata.yaml": METADATA}, (), {}),
        (
            {"labels.txt": "a\nb\nc\n"},
            ("--target-type", "multiclass", "--class-labels-file", "{folder}/labels.txt"),
            {},
        ),
        ({}, (), {"TARGET_TYPE": "multiclass", "CLASS_LABELS": "a b c"}),
        ({"labels.txt": "a\nb\nc\n"}, (), {"TARGET_TYPE": "multiclass", "CLASS_LABELS_FILE": "{folder}/labels.txt"}),
        ({"model-metadata.yaml": METADATA}, (), {"CLASS_LABELS": "c b a"}),
    ],
)
def test_target_and_labels_come_from_metadata_file_or_variables(
    drum: Drum, plant: Plant, files: dict[str, str], words: tuple[str, ...], variables: dict[str, str]
) -> None:
    hooks = FRAMES.replace("{columns}", '{"A": 0.5, "C": 0.25, "B": 0.25}')
    folder = plant("code", {"custom.py": hooks, **files})
    options = [word.format(folder=folder) for word in words]
    env = {name: text.format(folder=folder) for name, text in variables.items()}
    done = drum("score", "-cd", folder, "--input", "-", *options, stdin=b"x\n1\n", env=env)
    assert (done.stdout, done.stderr, done.returncode) == (b"a,c,b\n0.5,0.25,0.25\n", b"", 0)


def test_the_folder_can_come_from_a_variable(drum: Drum, plant: Plant, source: Path) -> None:
    folder = plant("code", {"custom.py": HALVES})
    done = drum("score", "--input", source, env={"CODE_DIR": str(folder), "TARGET_TYPE": "regression"})
    assert (done.stdout.splitlines()[1], done.returncode) == (b"0.0", 0)


# Unstructured models.

ECHO = """
    def score_unstructured(model, data, query, **kwargs):
        answers = {
            "text": f"caf\\u00e9 {query} {kwargs}",
            "latin": ("caf\\u00e9", {"charset": "latin-1"}),
            "bytes": b"\\x00\\xff",
            "none": None,
        }
        return answers[data] if isinstance(data, str) else repr((data, kwargs))
"""
UNSTRUCTURED = ("--target-type", "unstructured")


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (
            b"text",
            ("--query", "a=1&b=x%20y&a=2"),
            "café {'a': '2', 'b': 'x y'} {'mimetype': 'text/plain', 'charset': 'utf8'}".encode(),
        ),
        (
            b"t\0e\0x\0t\0",
            ("--content-type", "text/html; charset=UTF-16LE"),
            "café {} {'mimetype': 'text/html', 'charset': 'UTF-16LE'}".encode(),
        ),
        (
            b"text",
            ("--content-type", "image/png"),
            b"(b'text', {'mimetype': 'image/png'})",
        ),
        (b"latin", (), b"caf\xe9"),
        (b"bytes", (), b"\x00\xff"),
    ],
)
def test_an_unstructured_reply_is_the_output(
    drum: Drum, plant: Plant, data: bytes, options: tuple[str, ...], expected: bytes
) -> None:
    folder = plant("code", {"custom.py": ECHO})
    done = drum("score", "-cd", folder, "--input", "-", *UNSTRUCTURED, *options, stdin=data)
    assert (done.stdout, done.stderr, done.returncode) == (expected, b"", 0)


def test_an_unstructured_reply_of_nothing_is_told(drum: Drum, plant: Plant) -> None:
    done = drum("score", "-cd", plant("code", {"custom.py": ECHO}), "--input", "-", *UNSTRUCTURED, stdin=b"none")
    assert (b"None" in done.stdout, done.returncode) == (True, 0)


def test_an_unstructured_reply_is_written_to_a_file_byte_by_byte(drum: Drum, plant: Plant, tmp_path: Path) -> None:
    words = ("score", "-cd", plant("code", {"custom.py": ECHO}), "--input", "-", *UNSTRUCTURED)
    drum(*words, "--output", tmp_path / "out", stdin=b"bytes")
    assert (tmp_path / "out").read_bytes() == b"\x00\xff"


# What is said beside the results.


def test_times_and_the_mode_are_told_on_standard_error(drum: Drum, plant: Plant, source: Path) -> None:
    words = ("score", "-cd", plant("code", {"custom.py": HALVES}), "--input", source, *REGRESSION)
    done = drum(*words, "--show-perf", "--verbose")
    told = done.stderr.decode()
    assert done.stdout == b"Predictions\n0.0\n0.5\n1.0\n1.5\n"
    assert told.startswith("Detected score mode\n")
    for title in ("Full time", "Init time (incl model loading)", "Run time (incl reading CSV)"):
        assert f"{title}: sec: min: " in told


# What every hook is given.

EVERY_HOOK = """
    import pathlib
    import pandas as pd
    from datarobot_drum import RuntimeParameters

    SEEN = pathlib.Path(__file__).with_name("seen.txt")

    def note(name, *args, **kwargs):
        shown = [arg.to_dict("list") if isinstance(arg, pd.DataFrame) else arg for arg in args]
        told = {key: str(value) if key == "target_type" else value for key, value in kwargs.items()}
        with SEEN.open("a") as file:
            file.write(repr((name, shown, told)) + "\\n")

    def init(**kwargs):
        note("init", **kwargs)

    def read_input_data(*args, **kwargs):
        note("read_input_data", *args, **kwargs)
        return pd.DataFrame({"x y": [1, 2]})

    def load_model(*args, **kwargs):
        note("load_model", *args, **kwargs)
        return RuntimeParameters.get("FACTOR")

    def transform(*args, **kwargs):
        note("transform", *args, **kwargs)
        return args[0] + 1

    def score(*args, **kwargs):
        note("score", *args, **kwargs)
        return pd.DataFrame({"no": [0.25, 0.25], "yes": [0.75, 0.75]})

    def post_process(*args, **kwargs):
        note("post_process", *args, **kwargs)
        return args[0]
"""


def test_every_hook_gets_what_is_documented_and_nothing_else(drum: Drum, plant: Plant) -> None:
    folder = plant("code", {"custom.py": EVERY_HOOK})
    env = {"MLOPS_RUNTIME_PARAM_FACTOR": json.dumps({"type": "numeric", "payload": 7})}
    done = drum("score", "-cd", folder, "--input", "-", *BINARY, stdin=b"raw", env=env)
    assert done.returncode == 0, done.stderr
    seen = [ast.literal_eval(line) for line in (folder / "seen.txt").read_text().splitlines()]
    labels = {"positive_class_label": "yes", "negative_class_label": "no"}
    about = {"binary_data": b"raw", "mimetype": "text/csv", "sparse_colnames": None, "target_type": "binary"}
    assert seen == [
        ("init", [], {"code_dir": str(folder.resolve())}),
        ("load_model", [str(folder.resolve())], {}),
        ("read_input_data", [b"raw"], {}),
        ("transform", [{"x y": [1, 2]}, 7], {}),
        ("score", [{"x y": [2, 3]}, 7], {**about, **labels}),
        ("post_process", [{"no": [0.25, 0.25], "yes": [0.75, 0.75]}, 7], {}),
    ]


# The same numbers everywhere.

NUMBERS = """
    import pathlib, struct
    import pandas as pd

    def score(data, model, **kwargs):
        raw = pathlib.Path(__file__).with_name("doubles").read_bytes()
        return pd.DataFrame({"Predictions": struct.unpack("<1000d", raw)})
"""


def test_a_thousand_predictions_are_the_same_bits_in_batch_and_in_process(
    drum: Drum, plant: Plant, tmp_path: Path
) -> None:
    random = np.random.default_rng(1)
    awkward = [1e-5, 1e16, 0.1 + 0.2, -0.0, 5e-324, float("nan")]
    values = np.concatenate([awkward, random.standard_normal(994) * 10.0 ** random.integers(-300, 300, 994)])
    folder = plant("code", {"custom.py": NUMBERS, "doubles": struct.pack("<1000d", *values)})
    (tmp_path / "in.csv").write_text("a\n" + "1\n" * 1000)
    done = drum("score", "-cd", folder, "--input", tmp_path / "in.csv", *REGRESSION)
    with custom_model_runner.load(folder, target_type="regression") as predictor:
        result = predictor.score(Payload((tmp_path / "in.csv").read_bytes(), "text/csv"))
    texts = [line.strip('"') for line in done.stdout.decode().splitlines()[1:]]
    assert done.stdout == answers.write(result, "text/csv")
    assert result.values[:, 0].tobytes() == values.tobytes()
    assert np.array([float(text or "nan") for text in texts]).tobytes() == values.tobytes()
    in_json = json.loads(answers.to_json(result), parse_float=str)["predictions"]
    assert [text or None for text in texts] == in_json
