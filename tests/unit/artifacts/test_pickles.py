"""What artifacts would import: pickles, whatever joblib makes of them, and the archives of torch."""

from __future__ import annotations

import gzip
import io
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier

from custom_model_runner.artifacts import pickles
from custom_model_runner.artifacts.machine import Findings
from custom_model_runner.artifacts.values import Made

FRAME = pd.DataFrame({"a": np.arange(40.0), "b": np.arange(40) % 3})
FOREST = RandomForestClassifier(n_estimators=3).fit(FRAME, ["x", "y"] * 20)
ARRAYS = {
    "numbers": np.arange(6.0).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "one": np.array(3, dtype=">i2"),
    "none": np.empty((0, 3)),
    "text": np.array(["sail", "kite"]),
    "bytes": np.array([b"sail"]),
    "dates": np.array(["2020-01-01"], dtype="M8[D]"),
    "objects": np.array([decimal := pd.Timestamp(0), "sail", None], dtype=object),
    "records": np.array([(1, 2.0, "x")], dtype=[("a", "i4"), ("b", "f8"), ("c", "U3")]),
    "mixed": np.array([(1, [2])], dtype=[("a", "i4"), ("b", "O")]),
    "last": decimal,
}


def look(path: Path) -> Findings:
    found = pickles.look(path)
    assert found is not None
    return found


def names(path: Path) -> set[str]:
    return {str(name) for name in look(path).globals}


@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("lzma", 3), ("xz", 3)])
@pytest.mark.parametrize("protocol", [0, 2, None, 5])
@pytest.mark.parametrize("suffix", [".joblib", ".pkl"])
def test_what_joblib_writes_is_read_to_its_end(tmp_path: Path, compress: Any, protocol: Any, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    joblib.dump([FOREST, ARRAYS, FRAME], path, compress=compress, protocol=protocol)
    found = look(path)
    assert (found.end, found.unknown, len(found.roots)) == (None, {}, 1)
    assert {version.package for version in found.versions} == {"sklearn"}
    expected = {"sklearn.tree._tree.Tree", "joblib.numpy_pickle.NumpyArrayWrapper", "pandas.DataFrame"}
    seen = names(path)
    assert {name for name in expected if name.startswith("pandas") or name in seen} == expected
    assert any(name.startswith("pandas._libs.tslibs") and "imestamp" in name for name in seen)


def test_the_bytes_of_an_array_are_not_read_as_opcodes(tmp_path: Path) -> None:
    evil = np.frombuffer(b"cos\nsystem\n.", dtype="u1")
    joblib.dump([evil, FOREST], tmp_path / "model.joblib")
    assert "os.system" not in names(tmp_path / "model.joblib")


def test_a_pickle_in_an_array_of_objects_is_read(tmp_path: Path) -> None:
    joblib.dump(np.array([zlib.crc32, 1], dtype=object), tmp_path / "model.joblib")
    assert "zlib.crc32" in names(tmp_path / "model.joblib")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"\x8c\x05shape", b"\x8c\x05shaqe", "an array follows whose size is not told"),
        (b"\x8c\x02f8", b"\x8c\x02fx", "an array follows whose size is not told"),
        (
            b"joblib.numpy_pickle",
            b"joblib.numpy_qickle",
            "joblib.numpy_qickle.NumpyArrayWrapper may stand for an array",
        ),
    ],
)
def test_what_follows_an_array_whose_size_is_not_told_is_unknown(
    tmp_path: Path, old: bytes, new: bytes, reason: str
) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump([np.arange(3.0), zlib.crc32], path)
    path.write_bytes(path.read_bytes().replace(old, new))
    assert look(path).end == reason
    assert "zlib.crc32" not in names(path)


def test_an_array_that_is_described_before_the_end_of_its_frame_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump([np.arange(3.0), zlib.crc32], path, protocol=4)
    data = bytearray(path.read_bytes())
    assert data[2:3] == b"\x95"
    data[3:11] = (int.from_bytes(data[3:11], "little") + 3).to_bytes(8, "little")
    path.write_bytes(data)
    assert look(path).end == "an array follows whose size is not told"


@pytest.mark.parametrize("kept", [0, 1, 30, 300, -200])
@pytest.mark.parametrize("compress", [0, ("zlib", 3), ("gzip", 3), ("bz2", 3), ("xz", 3)])
def test_a_cut_file_is_told_and_never_an_exception(tmp_path: Path, kept: int, compress: Any) -> None:
    path = tmp_path / "model.joblib"
    joblib.dump([FOREST, np.arange(9.0)], path, compress=compress)
    path.write_bytes(path.read_bytes()[:kept])
    found = look(path)
    assert found.unknown
    assert found.end in {"it is cut", "it is damaged", "it is not a pickle"}


def test_a_small_file_that_decodes_to_a_large_one_is_read_up_to_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pickles, "MOST_BYTES", 1 << 20)
    data = pickle.dumps([b"\0" * (1 << 22), zlib.crc32])
    (tmp_path / "model.pkl").write_bytes(gzip.compress(data))
    assert look(tmp_path / "model.pkl").end == "it goes on for longer than is looked at"
    # What is not compressed can be passed over.
    (tmp_path / "model.pkl").write_bytes(data)
    assert names(tmp_path / "model.pkl") == {"zlib.crc32"}


@pytest.mark.parametrize("start", [b"\x04\x22\x4d\x18", b"ZF0x"])
def test_a_compression_that_is_not_read_is_unknown(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "model.joblib").write_bytes(start + b"0" * 99)
    assert list(look(tmp_path / "model.joblib").unknown) == ["whatever it holds: its compression is not read"]


def archive(path: Path | io.BytesIO, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w") as made:
        for name, content in members.items():
            made.writestr(f"model/{name}", content)


def test_the_pickle_in_an_archive_of_torch_is_read(tmp_path: Path) -> None:
    archive(tmp_path / "model.pth", {"data.pkl": pickle.dumps(zlib.crc32), "data/0": b"cos\nsystem\n."})
    assert names(tmp_path / "model.pth") == {"zlib.crc32"}


def test_the_pickles_in_the_archives_of_an_exported_program_are_read(tmp_path: Path) -> None:
    inner = io.BytesIO()
    archive(inner, {"data.pkl": pickle.dumps(zlib.crc32)})
    members = {"archive_format": b"pt2", "data/sample_inputs/model.pt": inner.getvalue(), "data/weights/weight_0": b"0"}
    archive(tmp_path / "model.pt2", members)
    assert names(tmp_path / "model.pt2") == {"zlib.crc32"}


@pytest.mark.parametrize(
    "members", [{"constants.pkl": b"", "data.pkl": b"c__torch__\nNet\n."}, {"archive_format": b""}]
)
def test_an_archive_without_pickles_for_python_imports_nothing(tmp_path: Path, members: dict[str, bytes]) -> None:
    archive(tmp_path / "model.pth", members)
    assert pickles.look(tmp_path / "model.pth") is None


def test_a_damaged_archive_is_unknown(tmp_path: Path) -> None:
    archive(tmp_path / "model.pth", {"data.pkl": pickle.dumps(zlib.crc32)})
    path = tmp_path / "model.pth"
    path.write_bytes(path.read_bytes()[:-9])
    assert list(look(path).unknown) == ["whatever else the archive holds: it is damaged"]


def test_the_pickles_of_an_old_file_of_torch_are_read_one_after_another(tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(b"".join(map(pickle.dumps, [1, 2, {}, zlib.crc32, []])) + b"\xff raw weights")
    found = look(tmp_path / "model.pth")
    assert ([str(name) for name in found.globals], found.unknown) == (["zlib.crc32"], {})


def test_a_file_with_one_pickle_that_is_called_one_of_torch_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(pickle.dumps(zlib.crc32))
    assert look(tmp_path / "model.pth").unknown == {}


def test_what_follows_a_pickle_is_not_read_since_it_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(zlib.crc32) + b"cos\nsystem\n.")
    assert names(tmp_path / "model.pkl") == {"zlib.crc32"}


def test_a_file_that_is_never_unpickled_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(pickle.dumps(zlib.crc32))
    assert pickles.look(tmp_path / "model.onnx") is None


def test_the_class_of_a_model_that_joblib_wrote_is_known(tmp_path: Path) -> None:
    joblib.dump(FOREST, tmp_path / "model.joblib")
    [root] = look(tmp_path / "model.joblib").roots
    assert isinstance(root, Made)
    assert str(root.maker) == "sklearn.ensemble._forest.RandomForestClassifier"
