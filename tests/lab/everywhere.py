"""What must hold on any machine, whatever it is: every scenario begins with it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.lab.agree import everything, none
from tests.lab.boot import Guest
from tests.lab.law import capture_law
from tests.lab.look import Look
from tests.lab.privilege import unexplained


def everywhere(guest: Guest, work: Path) -> Look:
    """Root and nobody differ as documented, the capture says what the machine said, and the witnesses agree.

    With HOSTAGENT_LAB_KEEP=DIR the capture is kept there, named after the scenario, and beside it what lspci reads.
    """
    look = Look(guest)
    none([*unexplained(look), *capture_law(look, work), *everything(look)])
    keep = os.environ.get("HOSTAGENT_LAB_KEEP")
    if keep:
        Path(keep).mkdir(parents=True, exist_ok=True)
        name = work.name.removeprefix("test_").strip("_0")
        shutil.copy(work / "capture.tar.gz", Path(keep) / f"{name}.tar.gz")
        (Path(keep) / f"{name}.attributes").write_text(look.attributes)
    return look
