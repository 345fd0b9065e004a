"""`record`: a frozen, slotted, keyword-only class for 0.05 ms instead of 1.1 ms.

`hostagent probe` has to start as fast as the tools it replaces. Importing `dataclasses` (which imports
`inspect`) and decorating fifty frozen slotted classes costs more time than reading the whole machine, because
each class compiles six methods from text. Here the six methods are shared and nothing is compiled. pydantic
knows dataclasses only, so `dataclass_view` turns every record into one, in place, where a schema is wanted
(docs/adr/0001).
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers read this name as true; importing `typing` for it would cost 3 ms
if TYPE_CHECKING:
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_: object) -> object:
        """What type checkers read off typing.dataclass_transform, they read above."""
        return lambda decorator: decorator


_records: list[type] = []


def record_fields(cls: type) -> tuple[str, ...]:
    """Field names of a record class, in the order they were written."""
    return cls.__slots__  # type: ignore[attr-defined, no-any-return]


def is_record(value: object) -> bool:
    """Whether `value` is an instance of a record class."""
    return getattr(type(value), "__hostagent_record__", False)


def replaced(value: T, **changes: Any) -> T:
    """A copy of a record with some fields changed."""
    fields = {name: getattr(value, name) for name in record_fields(type(value))}
    return type(value)(**(fields | changes))


def dataclass_view() -> None:
    """Give every record class the attributes of a dataclass, so that pydantic can read it. Idempotent."""
    from contextlib import suppress
    from dataclasses import dataclass
    from typing import get_type_hints

    while _records:
        cls = _records.pop()
        # Resolved here, in the names of its module: pydantic looks among the class's own fields first, and a field `pci` of
        # type `Probed[pci.Pci]` hides the module it names. Records that no schema is made of may name what only type
        # checkers import.
        with suppress(NameError):
            cls.__annotations__ = get_type_hints(cls, include_extras=True)
        dataclass(init=False, repr=False, eq=False, match_args=False, kw_only=True)(cls)


def _init(self: Any, **fields: Any) -> None:
    setters = self.__hostagent_setters__
    try:
        for name, put in setters:
            put(self, fields[name])
    except KeyError as missing:
        msg = f"{type(self).__name__} needs {missing}"
        raise TypeError(msg) from None
    if len(fields) != len(setters):
        extra = sorted(set(fields) - set(self.__slots__))
        msg = f"{type(self).__name__} has no field {extra}"
        raise TypeError(msg)


def _values(self: Any) -> tuple[Any, ...]:
    return tuple([getattr(self, name) for name in self.__slots__])


def _eq(self: Any, other: object) -> Any:
    if type(other) is not type(self):
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash((type(self), _values(self)))


def _repr(self: Any) -> str:
    fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
    return f"{type(self).__qualname__}({fields})"


def _frozen(self: Any, name: str, _value: object = None) -> None:
    msg = f"{type(self).__name__}.{name} is frozen"
    raise AttributeError(msg)


@dataclass_transform(kw_only_default=True, frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """A frozen, slotted, keyword-only record of the annotated fields. No defaults: absence is written `None`."""
    # vars(), not attribute access: a class without annotations must not inherit object's.
    names = tuple(vars(cls).get("__annotations__", ()))
    namespace = {k: v for k, v in vars(cls).items() if k not in {"__dict__", "__weakref__"}}
    namespace |= {
        "__slots__": names,
        "__match_args__": names,
        "__hostagent_record__": True,
        "__init__": _init,
        "__eq__": _eq,
        "__hash__": _hash,
        "__repr__": namespace.get("__repr__", _repr),
        "__setattr__": _frozen,
        "__delattr__": _frozen,
    }
    made: type[T] = type(cls.__name__, cls.__bases__, namespace)
    # The slots' own setters: `__setattr__` refuses, and object's would look each name up again.
    made.__hostagent_setters__ = tuple([(name, vars(made)[name].__set__) for name in names])  # type: ignore[attr-defined]
    _records.append(made)
    return made
