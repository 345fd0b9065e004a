"""The only door to the machine: one `Host` for one root, one `Reader` for each area that looks through it."""

from hostagent.host.problem import Problem
from hostagent.host.reader import Host, Reader, Vanished

__all__ = ["Host", "Problem", "Reader", "Vanished"]
