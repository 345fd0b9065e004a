"""How fast published things follow a machine, measured inside it, without any code of hostagent.

follow.py bind ADDRESS DRIVER ROUNDS   rebind a function ROUNDS times; JSON list of [seconds to the metric, to the label]
follow.py appear ADDRESS KEY           wait for a function to be plugged in; JSON [metric, label], from its appearance
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.request

FEATURES = "/etc/kubernetes/node-feature-discovery/features.d/hostagent"
METRICS = "http://127.0.0.1:10346/metrics?collect[]=pci"
PATIENCE = 60


def metric() -> str:
    with urllib.request.urlopen(METRICS, timeout=30) as answer:
        return str(answer.read(), "utf-8")


def label(key: str) -> str | None:
    with open(FEATURES, encoding="ascii") as file:
        return next((line.strip().partition("=")[2] for line in file if line.startswith(key + "=")), None)


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def followed(began: float, series: str, key: str, before: str | None) -> list[float]:
    """Seconds from `began` until `series` was among the metrics, and until the label `key` was another than `before`."""
    # Asking for metrics is work for an emulated processor; the label comes first, so it is waited for first.
    while label(key) == before:
        patience(began)
    labelled = time.monotonic() - began
    while series not in metric():
        patience(began)
    return [round(time.monotonic() - began, 3), round(labelled, 3)]


def patience(began: float) -> None:
    if time.monotonic() - began > PATIENCE:
        sys.exit(f"not followed in {PATIENCE} s")
    time.sleep(0.02)


def bind(address: str, driver: str, rounds: int) -> list[list[float]]:
    device = f"/sys/bus/pci/devices/{address}"
    with open(f"{device}/uevent", encoding="ascii") as file:
        vendor, unit = next(line.strip()[7:].lower().split(":") for line in file if line.startswith("PCI_ID="))
    key, results = f"hostagent.io/pci-{vendor}-{unit}.vfio", []
    for _ in range(rounds):
        for override in (driver, "\n"):
            if os.path.exists(f"{device}/driver"):
                write(f"{device}/driver/unbind", address)
            write(f"{device}/driver_override", override)
            before = label(key)
            began = time.monotonic()
            write("/sys/bus/pci/drivers_probe", address)
            now = os.path.basename(os.readlink(f"{device}/driver"))
            series = f'hostagent_pci_device_driver_info{{address="{address}",driver="{now}"'
            results.append(followed(began, series, key, before))
            time.sleep(1.5)
    return results


def appear(address: str, key: str) -> list[float]:
    before = label(key)
    while not os.path.exists(f"/sys/bus/pci/devices/{address}"):
        time.sleep(0.01)
    began = time.monotonic()
    return followed(began, f'address="{address}"', key, before)


if __name__ == "__main__":
    if sys.argv[1] == "bind":
        print(json.dumps(bind(sys.argv[2], sys.argv[3], int(sys.argv[4]))))
    else:
        print(json.dumps(appear(sys.argv[2], sys.argv[3])))
