"""Records as a source gave them: what the normaliser, the profile report and the encoder start from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDescription:
    """Where records came from and how it was read, to be shown to the person who asked for it.

    `kind` names the source (`CSV`), `rows` counts the records. `findings` are sentences about what was detected and
    why, and about what was passed over; they hold no value of a record.
    """

    kind: str
    rows: int
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """Records of a source, column by column, values as the source holds them but for spaces around them.

    `record_ids` are the source's own ids, unique and not blank; they never leave the node. Each list of `columns`, by
    standard field, has one value a record, in the order of `record_ids`; "" is a value that is not there.
    """

    record_ids: list[str]
    columns: dict[str, list[str]]
    source: SourceDescription

    def __post_init__(self) -> None:
        """Refuse columns of unequal length: rows would be mixed up."""
        if any(len(values) != len(self.record_ids) for values in self.columns.values()):
            raise ValueError("every column must have one value a record")
