"""What an area of the host is: a model, and three functions on it.

An area reads (`probe`), and says what it found as node labels and as metric samples. It knows no other area, holds
no state and catches nothing: `survey` in report.py is where a probe that raises becomes a Problem.
"""

from __future__ import annotations

from hostagent.host import Problem, Reader
from hostagent.values.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Generic, TypeVar

    T = TypeVar("T")


@record
class LabelOptions:
    """What the operator may choose about labels.

    `pci_classes`: class ID prefixes (hex) of functions counted by vendor:device. `cpu_features`: /proc/cpuinfo flags.
    """

    pci_classes: tuple[str, ...]
    cpu_features: tuple[str, ...]


@record
class LabelDoc:
    """One documented label key. `key` may hold `<placeholders>`; `values` says what stands behind it."""

    key: str
    values: str
    meaning: str


@record
class Metric:
    """One declared gauge family. Names and units: https://prometheus.io/docs/practices/naming/."""

    name: str
    help: str
    labels: tuple[str, ...]


@record
class Sample:
    """One value of a metric; `labels` in the order its family declares."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


@record
class Guard:
    """What an area keeps from being taken, and which functions it could have meant where it is not known.

    `unknown` ends the sentence "it is not known ...". `classes`: PCI class prefixes, None for any class. `driven`: only
    functions that a driver of the host uses; what none drives carries nothing of the host's. `sources`: heads of paths; a file
    below one of them that could not be read leaves the area unknown as a whole. Areas that know what a file would have told
    say so themselves.
    """

    unknown: str
    classes: tuple[str, ...] | None
    driven: bool
    sources: tuple[str, ...]


if TYPE_CHECKING:

    class Area(Generic[T]):
        """See below; generic for type checkers only, `typing` being too slow to import for `probe`."""

        def __init__(
            self,
            *,
            name: str,
            about: str,
            probe: Callable[[Reader], T],
            labels: Callable[[T, LabelOptions], Iterable[tuple[str, str]]],
            label_docs: tuple[LabelDoc, ...],
            samples: Callable[[T], Iterable[Sample]],
            metrics: tuple[Metric, ...],
            guard: Guard | None,
            unseen: Callable[[T], Iterable[str]],
        ) -> None: ...

        name: str
        about: str
        probe: Callable[[Reader], T]
        labels: Callable[[T, LabelOptions], Iterable[tuple[str, str]]]
        label_docs: tuple[LabelDoc, ...]
        samples: Callable[[T], Iterable[Sample]]
        metrics: tuple[Metric, ...]
        guard: Guard | None
        unseen: Callable[[T], Iterable[str]]

    class Probed(Generic[T]):
        """See below."""

        def __init__(self, *, data: T | None, problems: tuple[Problem, ...]) -> None: ...

        data: T | None
        problems: tuple[Problem, ...]

else:

    @record
    class Area:
        """One area: its name in the report, one line about it, and its functions.

        `labels` yields (key without prefix, value); `label_docs` documents every key it can yield. `samples` yields
        samples of `metrics` only. Absent facts yield nothing. `guard`: what it protects, None where it protects nothing.
        `unseen` yields what was not looked at, and might have protected something: one clause for each, with what would look.
        """

        name: str
        about: str
        probe: object
        labels: object
        label_docs: tuple
        samples: object
        metrics: tuple
        guard: object
        unseen: object

    @record
    class Probed:
        """What one area found."""

        data: object
        """The facts. Null where the area's probe failed; then `problems` says why."""
        problems: tuple[Problem, ...]
        """What could not be read or understood; what it would have said is not in the facts."""

        def __class_getitem__(cls, model: Any) -> object:
            """`Probed[Pci]` in an annotation; evaluated only where pydantic reads the records."""
            from typing import Annotated

            return Annotated[cls, _ProbedOf(model)]

    class _ProbedOf:
        """What pydantic asks for the schema of `Probed[model]`: {data: model or null, problems: [...]}."""

        def __init__(self, model: Any) -> None:
            self.model = model

        def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
            from pydantic_core import core_schema

            data = core_schema.nullable_schema(handler.generate_schema(self.model))
            problems = handler.generate_schema(tuple[Problem, ...])
            fields = [
                core_schema.dataclass_field("data", data, kw_only=True),
                core_schema.dataclass_field("problems", problems, kw_only=True),
            ]
            arguments = core_schema.dataclass_args_schema("Probed", fields)
            return core_schema.dataclass_schema(source, arguments, ["data", "problems"], slots=True)


def truth(value: bool) -> str:  # noqa: FBT001 - a value to be printed, not a switch
    """A boolean as a label value."""
    return "true" if value else "false"


def nothing_unseen(_found: object) -> tuple[str, ...]:
    """For areas that look at all they know of."""
    return ()
