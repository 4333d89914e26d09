"""The stand-in for `promtool check metrics` finds what the tool finds."""

from __future__ import annotations

import pytest

from tests.promlint import complaints

GOOD = """# HELP a_total Some.
# TYPE a_total counter
a_total{b="c, \\"d\\"} 1",e="f"} 1.0
a_total{b="g",e="f"} 2.0
# HELP waited_seconds Some.
# TYPE waited_seconds histogram
waited_seconds_bucket{le="1.0"} 1.0
waited_seconds_bucket{le="+Inf"} 2.0
waited_seconds_sum 0.5
waited_seconds_count 2.0
# HELP r Some.
# TYPE r gauge
r 1.0
"""
# What is changed in the page, and what of the complaint.
BAD = {
    "the type of a family twice": (("r 1.0", "# TYPE r gauge\nr 1.0"), "# TYPE r is there 2 times"),
    "a sample twice": (("r 1.0", "r 1.0\nr 2.0"), "r is there 2 times"),
    "no help": (("# HELP r Some.\n", ""), "r has no help"),
    "an empty help": (("# HELP r Some.", "# HELP r "), "r has no help"),
    "no type": (("# TYPE r gauge\n", ""), "r 1.0 is no sample of waited_seconds"),
    "a counter without its suffix": (("a_total", "a"), "a is a counter"),
    "a gauge with the suffix of counters": (("# TYPE a_total counter", "# TYPE a_total gauge"), "a_total is a gauge"),
    "a unit that is not a base": (("waited_seconds", "waited_milliseconds"), "waited_milliseconds is no good name"),
    "an abbreviation": (("waited_seconds", "waited_ms"), "waited_ms is no good name"),
    "a type in a name": (("waited_seconds", "waited_histogram"), "waited_histogram is no good name"),
    "camel case": (("waited_seconds", "waitedSeconds"), "waitedSeconds is no good name"),
    "camel case in a label": (('b="', 'bigB="'), "a_total has a label bigB"),
    "a gauge that ends like a histogram": (
        ("# HELP r Some.\n# TYPE r gauge\nr", "# HELP r_count Some.\n# TYPE r_count gauge\nr_count"),
        "r_count ends as",
    ),
    "a label of histograms": (('b="', 'le="'), "a_total has a label le"),
    "a line that is no sample": (("r 1.0", "r{a} 1.0"), "r{a} 1.0 is no sample"),
}


def test_a_good_page_has_no_complaints() -> None:
    assert complaints(GOOD) == []


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_a_complaint(name: str) -> None:
    (before, after), complaint = BAD[name]
    assert before in GOOD
    assert any(found.startswith(complaint) for found in complaints(GOOD.replace(before, after)))
