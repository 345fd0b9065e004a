"""How fast `hostagent probe` is, beside the tools it replaces, in one run.

    ./dev bench

Prints two tables; every figure of the probe in bench/README.md comes from them. Whole processes are timed, the peers in
turns; strace counts system calls, GNU time tells the maximum resident set.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from statistics import median

from synthetic import build

HERE = Path(__file__).resolve().parent
FUNCTIONS = 4096


def installed(at: Path) -> str:
    """hostagent installed from this checkout into a clean environment of its own, as users have it; its path.

    With the pip of today: scripts that older ones write import `re`, which is 8 ms that are not ours.
    """
    venv.create(at, with_pip=True, upgrade_deps=True)
    subprocess.run(
        [at / "bin/python", "-m", "pip", "install", "-q", str(HERE.parent)], check=True, stderr=subprocess.DEVNULL
    )
    return str(at / "bin/hostagent")


def times(commands: dict[str, list[str]], rounds: int) -> dict[str, list[float]]:
    """Wall times of each command in milliseconds. A round runs each once, so that what slows the machine slows all."""
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(rounds + 2):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if number >= 2:  # caches are warm
                taken[name].append((time.perf_counter() - started) * 1000)
    return taken


def peak(command: list[str]) -> float:
    """Maximum resident set in MB (10^6 bytes). GNU time is small itself: a child of this process would inherit our size."""
    done = subprocess.run(
        ["time", "-f", "%M", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
    )
    return int(done.stderr.split()[-1]) * 1024 / 1e6


def calls(command: list[str]) -> int:
    """System calls of a whole run."""
    with tempfile.NamedTemporaryFile("r") as out:
        subprocess.run(["strace", "-f", "-c", "-o", out.name, *command], check=False, stdout=subprocess.DEVNULL)
        total = re.search(r"\s(\d+)\s+(?:\d+\s+)?total$", out.read(), re.MULTILINE)
    return int(total[1]) if total else 0


def table(title: str, commands: dict[str, list[str]], rounds: int, base: str) -> None:
    """One block of figures: median times, and the median of each round's multiple of `base`."""
    print(f"\n{title}\n{'':34}{'ms':>9}{'x ' + base:>14}{'MB':>8}{'calls':>10}")
    taken = times(commands, rounds)
    for name, command in commands.items():
        ratio = median(mine / peer for mine, peer in zip(taken[name], taken[base], strict=True))
        print(f"{name:34}{median(taken[name]):9.1f}{ratio:14.2f}{peak(command):8.1f}{calls(command):10}")


def main() -> int:
    """Measure; 2 where a peer is not installed."""
    missing = [tool for tool in ("lspci", "lshw", "strace", "time") if shutil.which(tool) is None]
    if missing:
        print(f"bench: missing {', '.join(missing)}; install pciutils lshw strace time", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(dir="/dev/shm") as place:
        tool = installed(Path(place) / "venv")
        root = build(Path(place) / "root", FUNCTIONS)
        bus = f"sysfs.path={root}/sys/bus/pci"
        live = {
            "lspci -nnk": ["lspci", "-nnk"],
            "lshw -json": ["lshw", "-json"],
            "hostagent probe -o json": [tool, "probe", "-o", "json"],
            "hostagent probe (table)": [tool, "probe"],
        }
        table("this machine", live, 25, "lspci -nnk")
        synthetic = {
            "lspci -nnk": ["lspci", "-A", "linux-sysfs", "-O", bus, "-nnk"],
            "hostagent probe -o json": [tool, "probe", "-o", "json", "--root", str(root)],
            "hostagent probe --only pci": [tool, "probe", "-o", "json", "--only", "pci", "--root", str(root)],
        }
        table(f"{FUNCTIONS} synthetic functions", synthetic, 15, "lspci -nnk")
        half = build(Path(place) / "half", FUNCTIONS // 2)
        walk = [tool, "probe", "-o", "json", "--only", "pci", "--root"]
        more = calls([*walk, str(root)]) - calls([*walk, str(half)])
        print(f"system calls of the walk for each function: {more / (FUNCTIONS - FUNCTIONS // 2):.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
