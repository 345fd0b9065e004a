"""Memory that is given back, and code that still runs afterwards."""

from __future__ import annotations

import subprocess
import sys

from hostagent.daemon.frugal import clean_code

SMAPS = """\
55d0a0000000-55d0a0001000 r-xp 00001000 08:01 11     /usr/bin/python3.11
Size:                  4 kB
Rss:                   4 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me sd
7f0000000000-7f0000100000 r-xp 00026000 08:01 22     /usr/lib/changed (deleted).so
Anonymous:             4 kB
7f0000200000-7f0000300000 r--p 00026000 08:01 33     /usr/lib/relocated.so
Anonymous:             0 kB
7f0000400000-7f0000500000 r-xp 00000000 00:00 0
Anonymous:             0 kB
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0      [vdso]
Anonymous:             0 kB
"""
CHILD = """
import ctypes, hashlib, json, ssl, zlib
import pydantic
from hostagent.daemon.frugal import settle_down

def resident():
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith("RssFile")).split()[1])

class Model(pydantic.BaseModel):
    number: int

before = resident()
settle_down()
after = resident()
assert Model.model_validate({"number": "7"}).number == 7
ssl.create_default_context()
assert zlib.decompress(zlib.compress(b"x")) == b"x" and hashlib.sha256(b"x").hexdigest().startswith("2d71")
print(json.dumps([before, after]))
"""


def test_only_unchanged_code_of_files_is_given_back() -> None:
    assert list(clean_code(SMAPS.splitlines())) == [(0x55D0A0000000, 0x55D0A0001000)]


def test_what_was_given_back_runs_again() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    before, after = (int(word) for word in done.stdout.strip("[]\n").split(","))
    assert after < before * 3 / 4
