"""kill -9 at any moment: what is on disk afterwards is the old file or the new one, whole.

    python bench/daemon_kill.py [--kills 500]

A writer alternates between two contents as fast as it can and is killed after a random few milliseconds; then the file is read.
Under the writer lies the same `Sink` that the agent writes with, on the disk that holds the temporary directory.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))

from hostagent.daemon.sinks import Sink  # noqa: E402

CONTENTS = (
    b"".join(b"hostagent.io/a-%d=old\n" % n for n in range(2000)),
    b"".join(b"hostagent.io/b-%d=new\n" % n for n in range(2500)),
)


def write_for_ever(path: str) -> None:
    """Change the content at every turn."""
    sink = Sink(name="nfd", path=path, mode=0o644, expiry=None, fresh=None, clock=time.time)
    while True:
        for content in CONTENTS:
            sink.offer(content)
            sink.write()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--kills", type=int, default=500)
    given = options.parse_args()
    seen: Counter[str] = Counter()
    left = 0
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "hostagent"
        path.write_bytes(CONTENTS[0])
        for _ in range(given.kills):
            child = os.fork()
            if child == 0:
                write_for_ever(str(path))
            time.sleep(random.uniform(0.001, 0.02))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            found = path.read_bytes()
            seen["old" if found == CONTENTS[0] else "new" if found == CONTENTS[1] else "half"] += 1
            left = max(left, len(os.listdir(place)))
    print(
        f"{given.kills} kills: {dict(seen)}; at most {left} files in the directory (the second is the hidden temporary one)"
    )
    sys.exit(seen["half"] > 0)


if __name__ == "__main__":
    main()
