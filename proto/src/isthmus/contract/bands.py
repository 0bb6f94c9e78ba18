"""Bands: counts of people as they may be told where an exact one may not."""


def band(count: int) -> str:
    """The band that a count lies in: `0`, `1-9`, `10-49`, `50-99`, `100-499`, `500-999`, `1000-4999` and so on.

    Raises:
        ValueError: the count is below 0.
    """
    if count < 0:
        raise ValueError("a count is 0 or more")
    if count < 10:
        return "1-9" if count else "0"
    power = 10 ** (len(str(count)) - 1)
    return f"{power}-{5 * power - 1}" if count < 5 * power else f"{5 * power}-{10 * power - 1}"
