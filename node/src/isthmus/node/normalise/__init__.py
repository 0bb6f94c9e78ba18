"""Normal forms of values before encoding: the normaliser `norm-1`, specified in `norm1`, and date orders in `dates`.

Pure: strings in, strings out. No file, clock, log or chance.
"""

from isthmus.node.normalise.dates import DateOrder, DateOrderGuess, infer_date_order
from isthmus.node.normalise.norm1 import NORMALISER_VERSION, ColumnNormaliser, NormalisedColumn, normalise_column

__all__ = [
    "NORMALISER_VERSION",
    "ColumnNormaliser",
    "DateOrder",
    "DateOrderGuess",
    "NormalisedColumn",
    "infer_date_order",
    "normalise_column",
]
