"""A template scored in every way: in batch by one process and by two, over HTTP and in a program of the user's own.

Each has one thread, as servers give a request: libraries of linear algebra share out rows among threads, and the last
bits of a row may depend on where it stands in its share.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pandas as pd
import pytest
import yaml
from threadpoolctl import threadpool_limits

from custom_model_runner import Payload, drum_inline_predictor, load
from custom_model_runner.data import tables, transformed
from custom_model_runner.predictor import Predictor
from custom_model_runner.target_type import TargetType

from .templates import Answer, Server, documented, read_batch, read_response, run, value_after

# Not a multiple of a block: the last block is shorter.
ROWS, BLOCK_ROWS = 2000, 700
VALUES = "--runtime-params-file"
# Those that can only be compared as a whole, all others are in blocks. Every template agrees bit for bit, also those of
# torch, Keras and ONNX: none needs a tolerance.
WHOLE = {
    "python3_hooks": "its read_input_data hook takes all of an input",
    "python3_sparse": "MatrixMarket is read as a whole",
}
# An unstructured model gives one answer to all of an input: it has neither rows nor blocks to agree on. Nor has a chat,
# so of python3_chat only the table of questions takes part.
WITHOUT_ROWS = frozenset({"python3_unstructured", "python3_unstructured_mlops"})


def check(template: str, workshop: Path, server: Server, place: Path) -> None:
    """Score many rows of a template in every way, in equal blocks, and compare."""
    command = documented(template, "drum score")[0]
    sample = workshop / value_after("--input", command)
    blocks = [sample] if template in WHOLE else _blocks(sample, place)
    source = sample if template in WHOLE else place / "many.csv"
    with _opened(template, command, workshop) as predictor, threadpool_limits(1):
        expected = _joined([_in_process(predictor, block, command, workshop) for block in blocks])
    one, two = _in_batch([*command, "--input", str(source)], workshop, place)
    assert one == two
    _compare(_joined([read_batch(one.decode(), expected)]), expected)
    answers = [read_response(server.send(_request(template, sample, block), workshop), expected) for block in blocks]
    _compare(_joined(answers), expected)


def _blocks(sample: Path, place: Path) -> list[Path]:
    """Write the rows of a sample many times into one file, and each block of them with the header into another."""
    header, *rows = sample.read_text().splitlines(keepends=True)
    assert "\n" in rows[-1]
    rows = (rows * (ROWS // len(rows) + 1))[:ROWS]
    (place / "many.csv").write_text("".join([header, *rows]))
    blocks = [rows[start : start + BLOCK_ROWS] for start in range(0, ROWS, BLOCK_ROWS)]
    for number, block in enumerate(blocks):
        (place / f"{number}.csv").write_text("".join([header, *block]))
    return [place / f"{number}.csv" for number in range(len(blocks))]


def _opened(template: str, command: list[str], workshop: Path) -> AbstractContextManager[Predictor]:
    """Open a template in this process; `load` alone brings no values of runtime parameters."""
    folder = workshop / "model_templates" / template
    if VALUES not in command:
        return load(folder)
    kind = yaml.safe_load((folder / "model-metadata.yaml").read_text())["targetType"]
    return drum_inline_predictor(kind, folder, "target", VALUES, str(workshop / value_after(VALUES, command)))


def _in_process(predictor: Predictor, block: Path, command: list[str], workshop: Path) -> pd.DataFrame:
    names = "--sparse-column-file"
    known = (workshop / value_after(names, command)).read_text().splitlines() if names in command else None
    kind = tables.media_type_of(block.name)
    payload = Payload(block.read_bytes(), kind, column_names=None if known is None else tuple(known))
    if predictor.info.target.type is TargetType.TRANSFORM:
        return transformed.dense(predictor.transform(payload))
    result = predictor.score(payload)
    return result.frame() if result.extra is None else result.frame().join(result.extra)


def _in_batch(command: list[str], workshop: Path, place: Path) -> list[bytes]:
    """Return what one process writes, and what two do; both runs at the same time."""
    outputs = [place / f"{workers}.out.csv" for workers in (1, 2)]

    def score(output: Path) -> bytes:
        workers = output.name[0]
        run([*command, "--batch-rows", str(BLOCK_ROWS), "--workers", workers, "--output", str(output)], workshop)
        return output.read_bytes()

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setenv("OMP_NUM_THREADS", "1")
        return list(pool.map(score, outputs))


def _request(template: str, sample: Path, block: Path) -> list[str]:
    """Return the documented request for predictions that sends the sample, with a block in its place."""
    commands = [command for command in documented(template, "curl") if any(sample.name in word for word in command)]
    return [word.split("@")[0] + f"@{block}" if word.endswith(sample.name) else word for word in commands[0]]


def _joined(parts: Sequence[Answer]) -> pd.DataFrame:
    return pd.concat([part for part in parts if isinstance(part, pd.DataFrame)], ignore_index=True)


def _compare(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert set(found) == set(expected)
    for name in expected:
        # As text, in which floats that differ in one bit differ, zeros of either sign too.
        assert list(map(repr, found[name].tolist())) == list(map(repr, expected[name].tolist()))
