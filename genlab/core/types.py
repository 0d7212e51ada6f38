"""Argument types that state their range; `build` checks every configured value against them."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen, Unit

Count = Annotated[int, Ge(1)]
Amount = Annotated[int, Ge(1), Le(100_000_000)]  # what memory has to hold: samples, points, images at a time
Side = Annotated[int, Ge(1), Le(10_000)]  # pixels, or pictures, along a side
Several = Annotated[int, Ge(2)]
Whole = Annotated[int, Ge(0)]
Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Gt(0), Lt(1)]
Share = Annotated[float, Ge(0), Le(1)]
ProperShare = Annotated[float, Ge(0), Lt(1)]
Seconds = Annotated[float, Gt(0), Unit("seconds")]
FilePath = Annotated[str, "path"]  # of the user's; stored absolute, so that a run finds it from any directory
PretrainedWeights = Literal["download", "random"] | FilePath
PlayerName = Literal["generator", "discriminator"]
Players = PlayerName | Annotated[list[PlayerName], MinLen(1)]
