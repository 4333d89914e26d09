"""What a pickle would import: the same as what an unpickler asks for, or unknown."""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import io
import pickle
import struct
import uuid
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from custom_model_runner.artifacts import opcodes
from custom_model_runner.artifacts.machine import Findings
from custom_model_runner.artifacts.stream import Stream
from custom_model_runner.artifacts.values import Global, Made, as_imported
from custom_model_runner.artifacts.versions import Version

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


class Holder:
    """A class with state, found under a name that is not ASCII."""

    def __init__(self, held: Any) -> None:
        self.held = held


Holder.__name__ = Holder.__qualname__ = "Größe"
globals()[Holder.__name__] = Holder


class Outer:
    """A home for a class whose name has a dot."""

    class Inner(Holder):
        pass


class Keyed:
    """Made with keyword arguments."""

    def __new__(cls, *, held: Any) -> Keyed:
        made = super().__new__(cls)
        made.held = held  # type: ignore[attr-defined]
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]:
        return (), {"held": self.held}  # type: ignore[attr-defined]


class Recorder(pickle._Unpickler):
    """Opens a pickle and writes down every name it asks for."""

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data), encoding="latin1")
        self.asked: dict[Global, None] = {}

    def find_class(self, module: str, name: str) -> Any:
        self.asked[Global(module, name)] = None
        return super().find_class(module, name)


def look(data: bytes, **options: Any) -> Findings:
    found = Findings()
    opcodes.read(Stream(io.BytesIO(data), most=1 << 24), found, has_arrays=False, **options)
    return found


def names(data: bytes) -> list[str]:
    return [str(name) for name in look(data).globals]


LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(),
    st.text(st.characters(codec="ascii"), min_size=250, max_size=300),
    st.binary(max_size=300),
    st.sampled_from([Holder, Outer.Inner, decimal.Decimal, len, Ellipsis, complex(1, 2), np.dtype("f8")]),
    st.dates(),
    st.decimals(),
    st.fractions(),
    st.uuids(),
    st.builds(lambda text: PurePosixPath("a", text.replace("\0", "")), st.text()),
    # The pickler that is written in Python cannot write an empty array beside empty bytes.
    st.builds(np.array, st.lists(st.floats(), min_size=1, max_size=3)),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.tuples(inner, inner),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(st.text(), inner, max_size=4),
        st.builds(Holder, inner),
        st.builds(Outer.Inner, inner),
        st.builds(lambda held: Keyed(held=held), inner),
        st.builds(collections.OrderedDict, st.dictionaries(st.integers(), inner, max_size=3)),
        st.builds(collections.deque, st.lists(inner, max_size=3)),
        # One object in two places comes back from the memo.
        st.builds(lambda held: [held, held, {"again": held}], inner),
    ),
    max_leaves=20,
)


def is_picklable(value: Any, protocol: int) -> bool:
    try:
        pickle.dumps(value, protocol)
    except (pickle.PicklingError, UnicodeEncodeError):
        return False
    return True


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=120, deadline=None)
@given(value=VALUES, is_python=st.booleans())
def test_the_names_are_those_that_an_unpickler_asks_for(value: Any, is_python: bool, protocol: int) -> None:
    if not is_picklable(value, protocol):
        return
    file = io.BytesIO()
    (pickle._Pickler if is_python else pickle.Pickler)(file, protocol).dump(value)
    recorder = Recorder(file.getvalue())
    recorder.load()
    found = look(file.getvalue())
    assert list(found.globals) == list(recorder.asked)
    # A class inside a class is fetched by older protocols, and what is fetched is not looked up.
    fetches = {str(name) for name in found.globals} & {"builtins.getattr", "__builtin__.getattr"}
    assert bool(found.unknown) == bool(fetches)
    assert (found.end, len(found.roots)) == (None, 1)


SEEDS = [pickle.dumps([Holder({"a": 1}), np.ones(2), decimal.Decimal(1)], protocol) for protocol in PROTOCOLS[3:]]


@settings(max_examples=300, deadline=None)
@given(data=st.one_of(st.binary(max_size=60), st.sampled_from(SEEDS)), place=st.integers(0, 400), other=st.binary())
def test_no_bytes_make_the_reading_fail(data: bytes, place: int, other: bytes) -> None:
    found = look(data[:place] + other + data[place + len(other) :])
    assert found.roots or found.unknown


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(StandardScaler(), LogisticRegression()).fit([[0.0], [1.0]], ["a", "b"]),
        pd.DataFrame({"a": [1.0], "b": ["x"], "c": [datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)]}),
        [decimal.Decimal(1), fractions.Fraction(1, 2), uuid.UUID(int=3)],
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_names_of_real_objects_are_found(model: Any, protocol: int) -> None:
    data = pickle.dumps(model, protocol)
    recorder = Recorder(data)
    recorder.load()
    assert list(look(data).globals) == list(recorder.asked)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"cos\nsystem\n.", ["os.system"]),
        # In a name, an escape is no escape, and a blank is a letter.
        (b"c\\x6fs\nsys tem\n.", ["\\x6fs.sys tem"]),
        (b"(S'ls'\nios\nsystem\n.", ["os.system"]),
        (b"(cos\nsystem\nS'ls'\no.", ["os.system"]),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", ["os.system"]),
        (b"\x80\x04\x8c\x06system\x94\x8c\x02osh\x00\x93.", ["os.system"]),
        (b"\x80\x04\x8c\x06system\x94\x8c\x02os\x940h\x01h\x00\x93.", ["os.system"]),
        (b"\x80\x04\x8c\x02os\x940Vsystem\np7\n0h\x00g7\n\x93.", ["os.system"]),
        (b"S'o\\x73'\nS\"sys\\x74em\"\n\x93.", ["os.system"]),
        (b"U\x02osVsys\\u0074em\n\x93.", ["os.system"]),
        (b"\x8c\x02osr\x05\x00\x00\x000j\x05\x00\x00\x002\x93.", ["os.os"]),
        (b"(\x8c\x02os1\x8c\x02os(0\x8c\x06system\x93.", ["os.system"]),
        (b"\x80\x04\x8c\x02os\x8c\x0bpath.system\x93.", ["os.path.system"]),
    ],
)
def test_a_name_is_found_however_it_is_spelt(data: bytes, expected: list[str]) -> None:
    found = look(data)
    assert ([str(name) for name in found.globals], found.unknown) == (expected, {})


@pytest.mark.parametrize(
    ("data", "unknown"),
    [
        (b"\x80\x04\x8c\x06system\x8c\x01x\x85R.", "what is called at byte"),
        (b"\x80\x04cx\ny\n)R\x8c\x06system\x93.", "a name that is put together at byte"),
        (b"\x80\x04\x8c\x02osK\x05\x93.", "a name that is put together at byte"),
        (b"\x82\x07.", "what the extension code 7 stands for at byte"),
        (b"\x83\x07\x01.", "what the extension code 263 stands for at byte"),
        (b"\x84\x07\x01\x00\x00.", "what the extension code 263 stands for at byte"),
        (b"P7\n.", "what a persistent id stands for at byte"),
        (b"K\x07Q.", "what a persistent id stands for at byte"),
        (b"cbuiltins\ngetattr\n.", "what builtins.getattr leads to"),
        (b"c__builtin__\neval\n.", "what __builtin__.eval leads to"),
        (b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93.", "what builtins.exec leads to"),
        (b"\x80\x04\x97\x98.\x80", None),
        (b"cos\nsystem\n\xff.", "whatever follows byte 12: it is not a pickle"),
        (b"cos\nsystem\n", "whatever follows byte 11: it is cut"),
        (b"\x8c\xffshort", "whatever follows byte 7: it is cut"),
        (b"\x80\x09cos\nsystem\n.", "whatever follows byte 2: the protocol 9 is newer than this Python"),
        (b"0.", "whatever follows byte 1: it is not a pickle"),
        (b"t.", "whatever follows byte 1: it is not a pickle"),
        (b"(o.", "whatever follows byte 2: it is not a pickle"),
        (b"(R.", "whatever follows byte 2: it is not a pickle"),
        (b"h\x05.", "whatever follows byte 2: it is not a pickle"),
        (b"gx\n.", "whatever follows byte 3: it is not a pickle"),
        (b"c\xff\nx\n.", "whatever follows byte 3: it is not a pickle"),
        (b"X\x01\x00\x00\x00\xff.", "whatever follows byte 6: it is not a pickle"),
        (b"S'\\xq'\n.", "whatever follows byte 7: it is not a pickle"),
        (b"V\\u12\n.", "whatever follows byte 6: it is not a pickle"),
    ],
)
def test_what_cannot_be_told_is_unknown(data: bytes, unknown: str | None) -> None:
    found = list(look(data).unknown)
    assert [text[: len(unknown or "")] for text in found] == ([unknown] if unknown else [])


def test_a_text_too_long_to_be_a_name_is_not_kept() -> None:
    found = look(pickle.dumps(["x" * 5000] * 2 + [Holder], 4)[:-1] + b"0\x8c\x02osh\x01\x93.")
    assert list(found.unknown) == [f"a name that is put together at byte {found_end(found)}"]


def found_end(found: Findings) -> int:
    return int(next(iter(found.unknown)).rpartition(" ")[2])


def test_the_reading_ends_after_so_many_opcodes() -> None:
    data = pickle.dumps(list(range(1000)))
    assert look(data, most_opcodes=1000).end == "it goes on for longer than is looked at"
    assert look(data, most_opcodes=2100).end is None


def test_names_of_python_2_are_those_that_python_3_imports() -> None:
    found = look(pickle.dumps([Outer(), OSError, len], 1))
    assert [str(as_imported(name, found.protocol)) for name in found.globals][:3] == [
        "copyreg._reconstructor",
        f"{__name__}.Outer",
        "builtins.object",
    ]
    assert as_imported(Global("__builtin__", "x"), 4) == Global("__builtin__", "x")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_version_of_scikit_learn_is_read_from_the_state_of_its_estimators(protocol: int) -> None:
    model = make_pipeline(StandardScaler(), LogisticRegression())
    data = pickle.dumps(model, protocol).replace(b"_sklearn_version", b"_sklearn_versioN")
    assert look(data).versions == set()
    assert {version.package for version in look(pickle.dumps(model, protocol)).versions} == {"sklearn"}


def test_the_version_of_xgboost_is_read_from_the_end_of_a_model_in_bytes() -> None:
    end = b"\x07version[#L" + struct.pack(">q", 3) + b"i\x02i\x01i\x0b}}"
    for blob in (b"{" + b"x" * 99 + end, b"x" * 9999 + end, b'{"x":' + b"1" * 99 + b',"version":[2,1,11]}'):
        assert look(pickle.dumps([blob])).versions == {Version("xgboost", "2.1.11")}
    assert look(pickle.dumps([end])).versions == set()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_a_pickle_holds_is_known_by_its_class(protocol: int) -> None:
    [pipeline] = look(pickle.dumps(make_pipeline(StandardScaler(), LogisticRegression()), protocol)).roots
    assert isinstance(pipeline, Made)
    assert str(pipeline.maker) == "sklearn.pipeline.Pipeline"
    assert pipeline.state["steps"][-1][0] == "logisticregression"
    assert str(pipeline.state["steps"][-1][1].maker) == "sklearn.linear_model._logistic.LogisticRegression"
    [array] = look(pickle.dumps(np.ones(3), protocol)).roots
    assert str(array.maker) == "numpy.ndarray"
