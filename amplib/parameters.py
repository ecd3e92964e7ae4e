"""Parameters that refuse impossible values before any work starts, in one clear line."""

from __future__ import annotations

import dataclasses
import difflib
import numbers
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self


def bounded(
    default: Any, low: float, high: float, extent: bool = False, later: bool = False
) -> Any:
    """A number (or a tuple of numbers) between ``low`` and ``high``, both allowed.

    ``extent`` marks how much of a result is wanted (repetitions), not what one part of it is.
    ``later`` marks a field that was added when results were stored already: at its default it
    does not define a part, so that they keep their key.
    """
    return field(
        default=default, metadata={"low": low, "high": high, "extent": extent, "later": later}
    )


def one_of(default: str, *others: str, extent: bool = False, later: bool = False) -> Any:
    """One of the named choices, the first being the default; the rest as of ``bounded``."""
    choices = (default, *others)
    return field(default=default, metadata={"choices": choices, "extent": extent, "later": later})


class ParameterError(ValueError):
    """A parameter that is unknown or impossible; in a notebook, one line and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"ParameterError: {self}"]


def nearest(name: str, known: Iterable[str]) -> str:
    """What a misspelt name may have been meant for, in brackets; nothing if it is like none.

    >>> nearest("n_trian", ["preset", "n_train"]), nearest("x", ["preset"])
    (' (did you mean n_train?)', '')
    """
    near = difflib.get_close_matches(name, list(known), 1)
    return f" (did you mean {near[0]}?)" if near else ""


@dataclass(frozen=True)
class Parameters:
    """A frozen set of parameters whose fields are checked when it is made.

    Fields are declared with ``bounded`` or ``one_of``.

    Raises:
        ParameterError: naming the field, the value and what is allowed.
    """

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            object.__setattr__(self, f.name, _checked(f, value))

    @classmethod
    def with_overrides(cls, base: Mapping[str, Any], overrides: Mapping[str, Any]) -> Self:
        """``base`` values with ``overrides`` on top; None means 'leave as it is'.

        Raises:
            ParameterError: for an unknown name, with the nearest known one.
        """
        known = [f.name for f in dataclasses.fields(cls)]
        for name in overrides:
            if name not in known:
                allowed = ", ".join(known)
                raise ParameterError(
                    f"unknown parameter {name!r}{nearest(name, known)}; allowed: {allowed}"
                )
        given = {name: value for name, value in overrides.items() if value is not None}
        return cls(**{**base, **given})

    def asdict(self, extent: bool = True) -> dict[str, Any]:
        """Plain values by name; without ``extent`` only those that define one part."""
        return {
            f.name: getattr(self, f.name)
            for f in dataclasses.fields(self)
            if extent or self._defines_a_part(f)
        }

    def fields_of(self, kind: type[Parameters]) -> dict[str, Any]:
        """The values of those fields that ``kind`` has too, all of them: of a base, or of what is
        made with these."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(kind)}

    def _defines_a_part(self, f: dataclasses.Field[Any]) -> bool:
        unchanged = f.metadata.get("later") and getattr(self, f.name) == f.default
        return not (f.metadata.get("extent") or unchanged)


def _checked(f: dataclasses.Field[Any], value: Any) -> Any:
    choices = f.metadata.get("choices")
    if choices:
        if value not in choices:
            raise ParameterError(f"{f.name} = {value!r}: allowed are {', '.join(choices)}")
        return value
    if isinstance(f.default, tuple):
        if not isinstance(value, (list, tuple)) or not value:
            raise ParameterError(f"{f.name} = {value!r}: must be a non-empty list of numbers")
        return tuple(_number(f, v, type(f.default[0])) for v in value)
    return _number(f, value, type(f.default))


def _number(f: dataclasses.Field[Any], value: Any, kind: type) -> Any:
    low, high = f.metadata["low"], f.metadata["high"]
    noun = "an integer" if kind is int else "a number"
    numeric = numbers.Integral if kind is int else numbers.Real  # numpy's too
    fits = isinstance(value, numeric) and not isinstance(value, bool)
    if not fits or not low <= value <= high:  # refuses NaN too
        raise ParameterError(f"{f.name} = {value!r}: must be {noun} from {low:g} to {high:g}")
    return kind(value)
