"""Sets of CPU or node numbers as the kernel lists them: `0-3,8,10-11` (Documentation/admin-guide/cputopology.rst)."""

from __future__ import annotations

from hostagent.values.blanks import stripped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Far above NR_CPUS and MAX_NUMNODES of any kernel: a file that says 0-4294967295 must not eat the memory.
LIMIT = 1 << 16
_DIGITS = 9


class CpuSet(tuple[int, ...]):
    """Ascending numbers without repeats. Sparse and empty sets are real (memory-only NUMA nodes)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> CpuSet | None:
        """The set in `text`, empty text being the empty set; None if it is not a list of ranges below 65,536."""
        numbers: set[int] = set()
        for part in stripped(text).split(",") if stripped(text) else ():
            first, dash, last = part.partition("-")
            if not all(
                word.isascii() and word.isdigit() and len(word) <= _DIGITS for word in (first, last if dash else first)
            ):
                return None
            low, high = int(first), int(last) if dash else int(first)
            if low > high or high >= LIMIT:
                return None
            numbers.update(range(low, high + 1))
        return cls(sorted(numbers))

    def __str__(self) -> str:
        runs: list[list[int]] = []
        for number in self:
            if runs and runs[-1][1] == number - 1:
                runs[-1][1] = number
            else:
                runs.append([number, number])
        return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        """On the wire a set is its kernel text."""
        from pydantic_core import core_schema

        def validate(text: str) -> CpuSet:
            found = cls.parse(text)
            if found is None:
                msg = "a CPU list looks like 0-3,8"
                raise ValueError(msg)
            return found

        return core_schema.no_info_after_validator_function(
            validate, core_schema.str_schema(), serialization=core_schema.to_string_ser_schema()
        )
