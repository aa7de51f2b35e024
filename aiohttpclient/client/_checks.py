"""Settings are what they must be, which is said where they are given, and not where something is made of them.

In other libraries some of them are of other types: a number of retries, one function for many.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ._retry_policy import RetryPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._pipeline import Middleware


def check_settings(given: Mapping[str, Any]) -> None:
    """Refuse the settings among ``given``, by the names of the options of a client or a request, that can be none.

    :raises TypeError: one is of another type
    :raises ValueError: a number is negative
    """
    for name, value in given.items():
        check = CHECKS.get(name)
        if check is not None:
            check(name, value)


def checked_middlewares(given: Sequence[Middleware]) -> list[Middleware]:
    """``given``, which are several functions.

    :raises TypeError: they are not
    """
    several = [] if callable(given) else list(given)
    if callable(given) or not all(callable(one) for one in several):
        raise TypeError(f"middlewares are a sequence of functions of a request and a handler, got {given!r}")
    return several


def _is_policy(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, RetryPolicy):
        raise TypeError(
            f"{name} must be a RetryPolicy, or None for no retries, got {value!r}; "
            "RetryPolicy(attempts=3) sends a request at most three times, the first included"
        )


def _is_count(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {value!r}")
    if value < 0:
        raise ValueError(f"{name} must not be negative, got {value!r}")


def _is_bound(name: str, value: Any) -> None:
    if value is not None:
        _is_count(name, value)


def _is_bool(name: str, value: Any) -> None:
    # Whatever else there is could be meant otherwise: "false" is true.
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")


def _is_called(name: str, value: Any) -> None:
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be a function, or None, got {value!r}")


def _is_mapping(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping, got {type(value).__name__!r}")


def _has_names(name: str, value: Any) -> None:
    if value is not None and not hasattr(value, "items"):
        raise TypeError(f"{name} of a request are a mapping of names to values, got {type(value).__name__!r}")


CHECKS: Final[Mapping[str, Callable[[str, Any], None]]] = {
    "allow_downgrade": _is_bool,
    "cookies": _has_names,
    "extensions": _is_mapping,
    "follow_redirects": _is_bool,
    "json_dumps": _is_called,
    "json_loads": _is_called,
    "max_body": _is_bound,
    "max_redirects": _is_count,
    "on_event": _is_called,
    "retries": _is_policy,
    "trust_env": _is_bool,
}
