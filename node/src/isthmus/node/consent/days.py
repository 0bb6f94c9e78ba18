"""The day that effective dates are compared with."""

from datetime import date, datetime, tzinfo


def local_day(now: datetime, zone: tzinfo | None = None) -> date:
    """The calendar day at the moment `now` (aware) in `zone`; None is this machine's, whose people write the dates."""
    return now.astimezone(zone).date()
