"""Telling the processor what will be read soon, so that it fetches several places of memory side by side."""

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba.core import cgutils, types

from isthmus.coordinator.match.kernels.compiled import operation

_NUMBER: Final = ir.IntType(32)
_PLACE: Final = ir.PointerType(ir.IntType(8))
_FETCH: Final = ir.FunctionType(ir.VoidType(), [_PLACE, _NUMBER, _NUMBER, _NUMBER])
_HOW: Final = [ir.Constant(_NUMBER, 1), ir.Constant(_NUMBER, 3), ir.Constant(_NUMBER, 1)]
"""It will be written too, it should stay in every cache, and it is data."""


@operation
def will_read(_: Any, array: Any, index: Any) -> tuple[Any, Callable[..., Any]]:
    """Ask for one item of an array of one axis. It changes nothing and cannot fail, whatever the index."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, kind_of_index = signature.args
        held = context.make_array(kind)(context, builder, arguments[0])
        place = context.cast(builder, arguments[1], kind_of_index, types.intp)
        item = _cgutils.get_item_pointer(context, builder, kind, held, [place])
        fetch = _cgutils.get_or_insert_function(builder.module, _FETCH, "llvm.prefetch.p0i8")
        builder.call(fetch, [builder.bitcast(item, _PLACE), *_HOW])
        return context.get_dummy_value()

    return types.void(array, index), emit


_cgutils: Any = cgutils
