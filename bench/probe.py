"""How fast `hostagent probe` is, beside the tools it replaces, in one run.

    ./dev bench

Prints one table; every figure in bench/README.md comes from it. hyperfine times whole processes, strace counts system
calls, GNU time tells the maximum resident set.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from synthetic import build

HERE = Path(__file__).resolve().parent
FUNCTIONS = 4096


def installed(at: Path) -> str:
    """hostagent installed from this checkout into a clean environment of its own, as users have it; its path."""
    venv.create(at, with_pip=True)
    subprocess.run(
        [at / "bin/python", "-m", "pip", "install", "-q", str(HERE.parent)], check=True, stderr=subprocess.DEVNULL
    )
    subprocess.run([at / "bin/hostagent", "probe", "-o", "json"], check=False, stdout=subprocess.DEVNULL)
    return str(at / "bin/hostagent")


def times(commands: dict[str, list[str]], runs: int) -> dict[str, float]:
    """Median wall time of each command in milliseconds, interleaved by hyperfine's own order."""
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        words = [
            "hyperfine",
            "-N",
            "-i",
            "--style",
            "none",
            "--warmup",
            "3",
            "--runs",
            str(runs),
            "--export-json",
            out.name,
        ]
        words += [" ".join(command) for command in commands.values()]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        results = json.loads(Path(out.name).read_text())["results"]
    return {name: result["median"] * 1000 for name, result in zip(commands, results, strict=True)}


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


def table(title: str, commands: dict[str, list[str]], runs: int, base: str) -> None:
    """One block of figures, times also as multiples of `base`."""
    print(f"\n{title}\n{'':34}{'ms':>9}{'x ' + base:>14}{'MB':>8}{'calls':>10}")
    measured = times(commands, runs)
    for name, command in commands.items():
        ratio = measured[name] / measured[base]
        print(f"{name:34}{measured[name]:9.1f}{ratio:14.2f}{peak(command):8.1f}{calls(command):10}")


def main() -> int:
    """Measure; 2 where a peer is not installed."""
    missing = [tool for tool in ("lspci", "lshw", "hyperfine", "strace", "time") if shutil.which(tool) is None]
    if missing:
        print(f"bench: missing {', '.join(missing)}; install pciutils lshw hyperfine strace time", file=sys.stderr)
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
        table(f"{FUNCTIONS} synthetic functions", synthetic, 7, "lspci -nnk")
    return 0


if __name__ == "__main__":
    sys.exit(main())
