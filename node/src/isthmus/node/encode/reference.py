"""`encode_reference`: the same CLKs, made by clkhash itself. Slower; for doubt and for the conformance tests.

clkhash comes with the extra `reference` and is imported only when called.
"""

from collections.abc import Sequence

import numpy as np

from isthmus.contract.linkage_schema import LinkageSchema
from isthmus.node.encode.errors import ReferenceMissing
from isthmus.node.encode.interop import Columns, Packed, Progress, require_valid


def encode_reference(
    columns: Columns,
    *,
    schema: LinkageSchema,
    secret: bytes,
    progress: Progress | None = None,
) -> Packed:
    """Give the packed CLK of each row as clkhash encodes it, in this process; see `encode_interop`.

    `progress` is called with the rows encoded so far.

    Raises:
        ReferenceMissing: clkhash is not installed.
        ColumnsMismatch, InvalidValues: as `encode_interop`. Values are checked by our code first, because the messages
            of clkhash quote the value.
    """
    try:
        from clkhash.clk import generate_clks  # noqa: PLC0415 - an extra; the node starts without it.
        from clkhash.schema import from_json_dict  # noqa: PLC0415
    except ImportError as error:
        raise ReferenceMissing from error
    require_valid(columns, schema)
    done = 0

    def advance(rows: int, _popcounts: Sequence[int]) -> None:
        nonlocal done
        done += rows
        if progress is not None:
            progress(done)

    clks = generate_clks(
        list(zip(*columns, strict=True)),
        from_json_dict(schema.to_dict()),
        secret,
        callback=advance,
        max_workers=1,
    )
    packed = b"".join(clk.tobytes() for clk in clks)
    return np.frombuffer(packed, dtype=np.uint8).reshape(len(clks), schema.clk_bytes).copy()
