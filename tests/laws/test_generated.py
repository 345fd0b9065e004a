"""L4, L5, L8, L9 on machines nobody has: a real one, some files of which say something else."""

from __future__ import annotations

import json
import math

from hypothesis import given
from hypothesis import strategies as st

from hostagent.assess.readiness import readiness
from hostagent.host.problem import FAILED
from hostagent.publish.judged import samples
from hostagent.publish.prometheus import text
from hostagent.report import problems, survey
from hostagent.schema import read_report
from hostagent.values.plain import json_text
from tests.laws.machines import host_of, machines

_NUMBERS = st.integers(-(1 << 80), 1 << 80)
_SAID = st.one_of(
    st.binary(max_size=40),
    _NUMBERS.map(lambda number: f"{number}\n".encode()),
    _NUMBERS.map(lambda number: f"{number:#x}\n".encode()),
    st.integers(1, 5000).map(lambda digits: b"9" * digits),
    st.text(max_size=40).map(lambda words: words.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"", b"\n", b"-1\n", b"(null)\n", b"Y\n", b"0-3,8\n", b"[" * 5000, b"\xff\xfe", b"a=b\0c"]),
)


def refused(constant: str) -> float:
    """NaN and Infinity, which are Python's and not JSON's."""
    raise ValueError(constant)


@given(st.data())
def test_a_machine_of_which_some_files_say_something_else(data: st.DataObject) -> None:
    nodes = machines()[data.draw(st.sampled_from(sorted(machines())))]
    files = sorted(name for name, (kind, _) in nodes.items() if kind == "file")
    odd = data.draw(st.dictionaries(st.sampled_from(files), _SAID, max_size=6))
    told = nodes | {name: ("file", said) for name, said in odd.items()}
    report = survey(host_of(told))
    assert [problem for _, problem in problems(report) if problem.kind == FAILED] == []
    written = json_text(report)
    assert json_text(survey(host_of(dict(reversed(told.items()))))) == written
    json.loads(written, parse_constant=refused)
    assert json_text(read_report(written, "generated")) == written
    assert all(math.isfinite(sample.value) for sample in samples(report, readiness(report)))
    text(report)
