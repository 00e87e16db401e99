"""Reproducible chance in SQL: made-up rows by the million, the same for the same seed."""

from typing import Any


class Dice:
    """SQL expressions that draw from lists and ranges by row number; `salt`s keep draws apart."""

    def __init__(self, seed: str, row: str = "g") -> None:
        self._seed = seed.replace("'", "")
        self._row = row

    def unit(self, salt: str) -> str:
        """A number from 0 up to 1."""
        return (
            f"((hashtextextended('{self._seed}{salt}' || {self._row}::text, 0) & 2147483647)"
            " / 2147483648.0)"
        )

    def below(self, limit: int | str, salt: str) -> str:
        """A whole number from 0 up to, without, the limit."""
        return f"floor({self.unit(salt)} * {limit})::int"

    def pick(self, salt: str, skew: float = 1.0) -> str:
        """One element of an array parameter (given twice); the more skewed, the oftener the first ones."""
        drawn = self.unit(salt) if skew == 1.0 else f"power({self.unit(salt)}, {skew})"
        return f"(%s::text[])[1 + floor(cardinality(%s::text[]) * {drawn})::int]"


def twice(*arrays: list[str]) -> list[Any]:
    """The parameters of as many picks."""
    return [array for array in arrays for _ in range(2)]
