"""Bad bodies of the text formats."""

from __future__ import annotations

from collections.abc import Mapping

from .case import GOOD, PREDICTED, Case, too_large
from .writers import csv, json_records, ndjson

MANY = 100_000


def of_csv() -> Mapping[str, Case]:
    wide_header = ",".join(f"c{number}" for number in range(30_000)).encode()
    return {
        "one column twice": Case(b"a,a\n1,2\n3,4\n", PREDICTED),
        "a mark before the text": Case(b"\xef\xbb\xbf" + csv(GOOD), PREDICTED),
        "an infinity beyond all doubles": Case(b"a,b\n1e999,2\n"),
        "an integer of 401 digits": Case(b"a,b\n1" + b"0" * 400 + b",2\n"),
        "short rows under a wide header": Case(wide_header + b"\n" + b"1\n" * 30_000),
        "a field of 50 MB": Case(b"a,b\n" + b"x" * 50_000_000 + b",1\n"),
        "a name of 50 MB": Case(b"a," + b"x" * 50_000_000 + b"\n1,2\n", [4.0]),
        "a quote that stays open": Case(b'a,b\n1,"' + b"2\n" * 1_000_000),
        "a million columns": Case(b"c," * 1_000_000 + b"\n" + b"1," * 1_000_000 + b"\n"),
        "a million fields in a row": Case(b"a,b\n" + b"1," * 1_000_000 + b"\n"),
        "nothing but quotes": Case(b'"' * 1_000_001),
        "blank lines only": Case(b"\n" * 1_000_000),
    }


def of_json() -> Mapping[str, Case]:
    return {
        "lists in lists": Case(b"[" * MANY + b"]" * MANY),
        "objects in objects": Case(b'{"a":' * MANY + b"1" + b"}" * MANY),
        "as deep as a parser goes": Case(b'[{"a":' + b"[" * 1000 + b"]" * 1000 + b',"b":1}]'),
        "a wrapper in wrappers": Case(b'{"dataframe_split":' * 1000 + b"1" + b"}" * 1000),
        "no table": Case(b'"text"'),
        "null": Case(b"null"),
        "infinity": Case(b'[{"a":Infinity,"b":1}]'),
        "an infinity beyond all doubles": Case(b'[{"a":1e999,"b":1}]'),
        "not a number": Case(b'[{"a":NaN,"b":1}]'),
        "half of a surrogate": Case(b'[{"a":"\\ud800","b":1}]'),
        "an integer of 401 digits": Case(b'[{"a":1' + b"0" * 400 + b',"b":1}]'),
        "a million empty lists": too_large(b"[" + b"[]," * 1_000_000 + b"[]]"),
        "30 million numbers": too_large(b'{"a":[' + b"1," * 30_000_000 + b"1]}"),
        "20 million empty objects": too_large(b"[" + b"{}," * 20_000_000 + b"{}]"),
        "a mark before the text": Case(b"\xef\xbb\xbf" + json_records(GOOD), PREDICTED),
    }


def of_records() -> Mapping[str, Case]:
    rows = b",".join(b'{"k%d":1}' % number for number in range(MANY))
    return {
        **of_json(),
        "one key twice": Case(b'[{"a":9,"a":1,"b":2}]', [4.0]),
        "other keys in each row": Case(b"[" + rows + b"]"),
        "a key that one row lacks": Case(b'[{"a":1,"b":2},{"a":1}]'),
    }


def of_split() -> Mapping[str, Case]:
    return {
        "one column twice": Case(b'{"columns":["a","a"],"data":[[1,2]]}'),
        "ragged rows": Case(b'{"columns":["a","b"],"data":[[1,2],[1]]}'),
        "rows that are numbers": Case(b'{"columns":["a","b"],"data":[1,2]}'),
        "columns that are a number": Case(b'{"columns":2,"data":[[1,2]]}'),
    }


def of_columns() -> Mapping[str, Case]:
    return {
        "columns of different lengths": Case(b'{"a":[1,2],"b":[1]}'),
        "columns that are numbers": Case(b'{"a":1,"b":2}'),
        "rows of different names": Case(b'{"a":{"0":1},"b":{"1":1}}'),
    }


def of_ndjson() -> Mapping[str, Case]:
    return {
        "a mark before the text": Case(b"\xef\xbb\xbf" + ndjson(GOOD), PREDICTED),
        "other keys in each row": Case(b"".join(b'{"k%d":1}\n' % number for number in range(MANY))),
        "lists in lists": Case(b"[" * MANY + b"]" * MANY),
        "a list": Case(b"[1,2]\n"),
        "infinity": Case(b'{"a":Infinity,"b":1}\n'),
        "a million blank lines": Case(b"\n" * 1_000_000),
        "50 million blank lines": too_large(b"\n" * 50_000_000),
        "20 million empty objects": too_large(b"{}\n" * 20_000_000),
        "a line of 50 MB": Case(b'{"a":"' + b"x" * 50_000_000 + b'","b":1}\n'),
    }


HEAD = "%%MatrixMarket matrix coordinate real general\n"


def of_mtx() -> Mapping[str, Case]:
    declared = {
        f"declares {size}": Case(f"{HEAD}{size}\n1 1 1\n".encode())
        for size in (
            "1000000000 1000000000 1",
            "1 1000000000 1",
            "1000000000 2 1",
            "2 2 1000000000",
            "-1 2 1",
            "9223372036854775808 2 1",
            "1" * 5000 + " 2 1",
        )
    }
    return {
        **declared,
        "sparse": Case(f"{HEAD}2 2 4\n1 1 1\n2 1 3\n1 2 2\n2 2 4\n".encode(), PREDICTED),
        "declares an array of 10^9 x 10^9": Case(
            b"%%MatrixMarket matrix array real general\n1000000000 1000000000\n1\n"
        ),
        "an entry outside": Case(f"{HEAD}2 2 1\n3 3 1\n".encode()),
        "an entry at zero": Case(f"{HEAD}2 2 1\n0 0 1\n".encode()),
        "text for numbers": Case(f"{HEAD}1 2 1\n1 1 x\n".encode()),
        "complex numbers": Case(b"%%MatrixMarket matrix coordinate complex general\n1 2 1\n1 1 1 1\n"),
        "no size": Case(HEAD.encode()),
        "only comments": Case(HEAD.encode() + b"%\n" * 1_000_000),
    }
