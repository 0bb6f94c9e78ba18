"""What makes a function compiled code: numba, with the compiled form kept on disk where that is possible."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile a function of a module at its first call, for each type of its arguments; later processes load it.

    numba keeps the code beside the module, or under `NUMBA_CACHE_DIR`, for each kind of processor. A process that may
    write to neither, nor to the user's own cache, compiles anew.
    """
    try:
        return _jit(function, cache=True)
    except RuntimeError:
        # That is what numba raises when there is no place to keep the code.
        return _jit(function)


def inlined(function: Function) -> Function:
    """Compile a function into each compiled function that calls it."""
    return _jit(function, forceinline=True)


def _jit(function: Function, *, cache: bool = False, forceinline: bool = False) -> Function:
    # No lock of the interpreter, so that threads compare side by side; no check for a division by zero in a loop.
    options = njit(cache=cache, forceinline=forceinline, nogil=True, error_model="numpy", boundscheck=False)
    return cast("Function", options(function))


def operation(build: Callable[..., Any]) -> Callable[..., Any]:
    """Make an operation of compiled code out of a function that gives its signature and what emits its IR."""
    return cast("Callable[..., Any]", intrinsic(build))
