"""What makes a function compiled code: numba, with the compiled form kept on disk where that is possible."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])

_OPTIONS = {
    "nogil": True,  # so that threads compare side by side
    "error_model": "numpy",  # no check for a division by zero in the inner loop
    "boundscheck": False,
}


def compiled(function: Function) -> Function:
    """Compile a function of a module at its first call, for each type of its arguments; later processes load it.

    numba keeps the code beside the module, or under `NUMBA_CACHE_DIR`, by processor. A process that may write to
    neither, as a confined one, compiles anew.
    """
    try:
        return cast("Function", njit(cache=True, **_OPTIONS)(function))
    except RuntimeError:
        # That is what numba raises when there is no place to keep the code.
        return cast("Function", njit(**_OPTIONS)(function))


def inlined(function: Function) -> Function:
    """Compile a function into each compiled function that calls it."""
    return cast("Function", njit(forceinline=True, **_OPTIONS)(function))


def operation(build: Callable[..., Any]) -> Callable[..., Any]:
    """Make an operation of compiled code out of a function that gives its signature and what emits its IR."""
    return cast("Callable[..., Any]", intrinsic(build))
