"""Vectors of 512 bits in compiled code: eight 64-bit lanes, and the few operations on them that comparing takes.

The counting loop must be vector code on every processor, whatever a compiler makes of a plain loop. So the operations
are emitted as LLVM vectors, which LLVM lowers to what the processor has. Counting bits has two forms, chosen by the
type of the `unit` argument:

- `uint64`: one count for each lane. One instruction with AVX-512 VPOPCNTDQ; elsewhere a generic sequence.
- `uint8`: one count for each byte, which table look-ups (SSSE3, AVX2) and NEON do best; `tally` makes lanes of them.

Arrays are C-contiguous of one axis, of 64-bit numbers, and start at a multiple of 64 bytes (`aligned`). Each function
here gives numba the signature of an operation and what emits its IR; they have no meaning outside compiled code.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import models, register_model
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.compiled import operation

LANES: Final = 8
"""Rows that one vector holds a word of."""

ALIGNMENT: Final = 64
"""Bytes of a vector, and of a cache line."""

WORDS_A_TALLY: Final = 16
"""Words that are counted at most before a tally: a byte takes 31 counts of at most 8."""

_WORDS: Final = ir.VectorType(ir.IntType(64), LANES)
_BYTES: Final = ir.VectorType(ir.IntType(8), ALIGNMENT)

_declared: Any = cgutils.get_or_insert_function

Built = tuple[Any, Callable[..., Any]]
"""A signature, and what emits the IR of a call."""


class Lanes(types.Type):
    """The type of a vector in compiled code."""


_LANES: Final = Lanes(name="Lanes")
_PrimitiveModel: Any = models.PrimitiveModel
register_model(Lanes)(lambda manager, kind: _PrimitiveModel(manager, kind, _WORDS))


def aligned(shape: tuple[int, ...], dtype: type[np.int64 | np.uint64]) -> NDArray[Any]:
    """Give an array of zeros that starts at a multiple of `ALIGNMENT` bytes."""
    size = 8 * int(np.prod(shape))
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)


def _constant(value: int) -> Any:
    return ir.Constant(_WORDS, [value] * LANES)


def _place(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    # No wrap-around for negative indices, which would cost as much as the counting.
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [index])


def _vector_place(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    return builder.bitcast(_place(context, builder, kind, array, index), _WORDS.as_pointer())


@operation
def load(_typing: Any, array: Any, index: Any) -> Built:
    """Give the eight numbers from `array[index]` on; the index is a multiple of eight."""
    del index

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_vector_place(context, builder, signature.args[0], *arguments), align=8)

    return _LANES(array, types.intp), emit


@operation
def store(_typing: Any, array: Any, index: Any, lanes: Any) -> Built:
    """Set the eight numbers from `array[index]` on; the index is a multiple of eight."""
    del index, lanes

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _vector_place(context, builder, signature.args[0], *arguments[:2])
        builder.store(arguments[2], place, align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, _LANES), emit


@operation
def spread(_typing: Any, array: Any, index: Any) -> Built:
    """Give `array[index]` in every lane."""
    del index

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = builder.load(_place(context, builder, signature.args[0], *arguments))
        one = builder.insert_element(ir.Constant(_WORDS, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
        first = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(one, one, first)

    return _LANES(array, types.intp), emit


@operation
def zero(_typing: Any) -> Built:
    """Give nothing counted."""
    return _LANES(), lambda *_: _constant(0)


@operation
def add(_typing: Any, one: Any, other: Any) -> Built:
    """Give the sum, lane by lane."""
    return _LANES(one, other), lambda _context, builder, _signature, arguments: builder.add(*arguments)


@operation
def negative(_typing: Any, lanes: Any) -> Built:
    """Give the numbers with the other sign."""
    return _LANES(lanes), lambda _context, builder, _signature, arguments: builder.neg(arguments[0])


@operation
def count(_typing: Any, unit: Any, total: Any, one: Any, other: Any) -> Built:
    """Give the total and the bits that are set in both, unit by unit."""

    def emit(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = _WORDS if signature.args[0].bitwidth == 64 else _BYTES
        name = f"llvm.ctpop.v{kind.count}i{kind.element.width}"
        count_bits = _declared(builder.module, ir.FunctionType(kind, [kind]), name)
        both = builder.bitcast(builder.and_(*arguments[2:]), kind)
        sums = builder.add(builder.bitcast(arguments[1], kind), builder.call(count_bits, [both]))
        return builder.bitcast(sums, _WORDS)

    return _LANES(unit, total, one, other), emit


@operation
def tally(_typing: Any, unit: Any, total: Any) -> Built:
    """Give lane counts of a total that is counted by units, of at most `WORDS_A_TALLY` words."""

    def emit(_context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return arguments[1] if signature.args[0].bitwidth == 64 else _bytes_of_lanes(builder, arguments[1])

    return _LANES(unit, total), emit


def _bytes_of_lanes(builder: Any, total: Any) -> Any:
    """Give the sum of the eight bytes of each lane: pairs first, which no longer overflow a byte's place."""
    pairs = _constant(0x00FF00FF00FF00FF)
    sums = builder.add(builder.and_(total, pairs), builder.and_(builder.lshr(total, _constant(8)), pairs))
    for bits in (16, 32):
        sums = builder.add(sums, builder.lshr(sums, _constant(bits)))
    return builder.and_(sums, _constant(0xFFFF))


@operation
def larger(_typing: Any, one: Any, other: Any) -> Built:
    """Give the larger of both, lane by lane, as signed numbers."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.select(builder.icmp_signed(">", *arguments), *arguments)

    return _LANES(one, other), emit


@operation
def any_reaches(_typing: Any, total: Any, limit: Any) -> Built:
    """Say 1 where a lane of the total is at least that of the limit, as signed numbers, and 0 where none is."""

    def emit(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        lanes = builder.bitcast(builder.icmp_signed(">=", *arguments), ir.IntType(LANES))
        return builder.zext(builder.icmp_unsigned("!=", lanes, ir.Constant(ir.IntType(LANES), 0)), ir.IntType(64))

    return types.int64(total, limit), emit
