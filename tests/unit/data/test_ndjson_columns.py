"""Lines of plain values: what is read by columns is what is read by records, to the last bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from unittest import mock

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custom_model_runner.data import column_facts, json_facts, ndjson, ndjson_columns
from custom_model_runner.data.column_facts import Holds
from custom_model_runner.data.payload import Payload
from custom_model_runner.errors import InputError, PayloadTooLarge

NDJSON = "application/x-ndjson"
NUMBERS = st.one_of(
    st.integers(-999, 999).map(str),
    st.integers().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
    st.builds("{:.{}f}".format, st.floats(-1e6, 1e6), st.integers(0, 12)),
)
TEXTS = st.text(max_size=4).map(json.dumps) | st.sampled_from(['"é"', '"\\u00e9\\ud83d\\ude00"', '"2020-01-01"', '"}"'])
TRUTHS = st.sampled_from(["true", "false"])
# What one reader may take for something else than the other one, or for nothing at all.
ODD = st.sampled_from(
    [
        *("null", "-0", "-0.0", "0.0", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e19"),
        *("18446744073709551616", "1e308", "5e-324", "1e-400", "1e400", "01", "1.", ".5", "+1", "1e", "0x1", "-"),
        *("NaN", "Infinity", "nan", "True", "[]", "[1]", "{}", '{"a":1}', '"\\ud800"', '"\\udc00"', '"\\x"', '"\t"'),
        *("'a'", "1//", "1/**/", '1,"a":2', "1}{", '1},{"a":2', "1\n", "\n1", '1},\n{"a":2', "1}\nnull{", ""),
    ]
)
NAMES = st.sampled_from(["a", "b", "c", "", "é", "\0", "a b", '"', "}"])
BEGINS = st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\n", b'{"a":"\xe9"}\n', b'{"\xe9":1}\n'])
BREAKS = st.sampled_from(
    [b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b" \n", b"\r", b"", b",\n", b"\nnull\n", b"\n\xef\xbb\xbf"]
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """The beginning of NDJSON, and a part of it, as clients write them or as they should not."""
    columns = {name: draw(st.sampled_from([NUMBERS, TEXTS, TRUTHS])) for name in draw(st.sets(NAMES, min_size=1))}
    return draw(texts(columns, is_odd=False)), draw(texts(columns, is_odd=draw(st.booleans())))


@st.composite
def texts(draw: st.DrawFn, columns: Mapping[str, st.SearchStrategy[str]], *, is_odd: bool) -> bytes:
    """Lines with these columns, in any order, of which one may lack."""
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        names = draw(st.permutations(sorted(columns)))[draw(st.sampled_from([0, 0, 0, 1])) :]
        cells = {name: draw(ODD if is_odd and not draw(st.integers(0, 9)) else columns[name]) for name in names}
        lines.append("{" + ",".join(f"{json.dumps(name)}:{cell}" for name, cell in cells.items()) + "}")
    end = draw(BREAKS) if is_odd else b"\n"
    begin = draw(BEGINS) if is_odd else b""
    return begin + end.join(map(str.encode, lines)) + draw(st.sampled_from([end, b""]))


def types_of(data: bytes) -> Mapping[str, str] | None:
    """Return the types that a look at these lines gives, None where they are not read in blocks."""
    try:
        facts = json_facts.of(Payload(data, NDJSON))[1]
    except InputError:
        return None
    types = {name: json_facts.type_of(held) for name, held in facts.items()}
    return {name: type_ for name, type_ in types.items() if type_ is not None} if all(types.values()) else None


def outcome(data: bytes, types: Mapping[str, str]) -> pd.DataFrame | str:
    """Return the table of a part with these types, or what is wrong with it."""
    try:
        return ndjson.read(Payload(data, NDJSON, types=types, first_line=1))
    except InputError as error:
        return str(error)


@given(pairs())
@example((b'{"a":1.5}\n', b'{"a":-0}\n'))
@example((b'{"a":true}\n{"a":null}\n', b'{"a":true}\n{"a":false}\n'))
@example((b'{"a":"x"}\n{"a":null}\n', b'{"a":null}\n'))
@example((b'{"a":1}\n', b'{"a":1}{"a":2}\n{"a":\n3}\n'))
@example((b'{"a":1}\n', b"{}\n"))
@example((b'{"":0,"\\u0000":0}\n',) * 2)
def test_a_part_is_the_same_whichever_way_it_is_read(pair: tuple[bytes, bytes]) -> None:
    part = pair[1]
    for types in filter(None, map(types_of, pair)):
        found = outcome(part, types)
        with mock.patch.object(ndjson_columns, "table", return_value=None):
            expected = outcome(part, types)
        if isinstance(found, str) or isinstance(expected, str):
            assert found is expected or found == expected
        else:
            pd.testing.assert_frame_equal(found, expected, check_exact=True, check_column_type="equiv")
            assert (
                found.select_dtypes("number").to_numpy().tobytes()
                == expected.select_dtypes("number").to_numpy().tobytes()
            )


@given(pairs())
@example((b'{"a":null}\n', b'{"a":1}\n'))
@example((b'{"a":1.5}\n', b'{"a":9223372036854775808}\n'))
@example((b'{"a":1.5}\n', b'{"a":NaN}\n'))
@example((b'{"a":1}\n', b'{"a":null}\n'))
def test_what_columns_hold_is_the_same_whichever_way_it_is_told(pair: tuple[bytes, bytes]) -> None:
    first, part = pair
    try:
        known = json_facts.of(Payload(first, NDJSON))[1]
    except InputError:
        return
    found = json_facts.as_expected(Payload(part, NDJSON), known)
    if found is not None:
        count, facts = json_facts.of(Payload(part, NDJSON))
        merged = column_facts.merged(known, facts)
        assert (found[0], list(found[1])) == (count, list(merged))
        assert [settled(held) for held in found[1].values()] == [settled(held) for held in merged.values()]


def settled(held: int) -> int:
    """Leave out integers beside fractions, which make no difference."""
    return held & ~Holds.WHOLE if held & Holds.FRACTION else held


LINES = {
    "numbers": b'{"a":1,"b":-0.5}\n{"a":2,"b":1e3}\n',
    "gaps": b'{"a":1,"b":0.5}\n{"a":2}\n{"b":null,"a":3}',
    "text": b'{"a":"x","b":"\\u00e9}"}\r\n{"a":null,"b":"\xc3\xa9"}\r\n',
    "truth": b'{"a":true,"b":false}\n{"a":false,"b":null}\n',
}


@pytest.mark.parametrize("data", LINES.values(), ids=LINES)
def test_plain_values_take_the_short_way(data: bytes) -> None:
    types = types_of(data)
    assert types is not None
    assert ndjson_columns.read(data, types) is not None
    payload = Payload(data, NDJSON)
    count, facts = json_facts.of(payload)
    assert json_facts.as_expected(payload, facts) == (count, facts)


def test_the_short_way_has_the_limit_of_the_long_one() -> None:
    part = Payload(b'{"a":1}\n' * 30, NDJSON, types={"a": "int64"}, limit=1000)
    for read in (ndjson.read, lambda payload: json_facts.as_expected(payload, {"a": Holds.WHOLE})):
        with pytest.raises(PayloadTooLarge, match="a table of more than 1000 bytes"):
            read(part)
