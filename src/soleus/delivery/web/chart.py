"""A small line chart over days: where everything of it is drawn. The template draws it; the numbers also stand in a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil, log10

WIDTH, HEIGHT = 320, 170
LEFT, RIGHT, TOP, BOTTOM = 56, 306, 14, 136
MOST_DOTS = 60


@dataclass(frozen=True)
class Mark:
    """A label on an axis, or a point of the line."""

    at: float
    text: str


@dataclass(frozen=True)
class Chart:
    """A chart ready to be drawn. `points` are (x, y); `scale` and `days` the labels of the axes; `words` says what it shows."""

    id: str
    title: str
    words: str
    points: tuple[tuple[float, float], ...]
    scale: tuple[Mark, ...]
    days: tuple[Mark, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    bottom: int = BOTTOM

    @property
    def line(self) -> str:
        """The points as an SVG polyline takes them."""
        return " ".join(f"{x:g},{y:g}" for x, y in self.points)

    @property
    def dots(self) -> tuple[tuple[float, float], ...]:
        """Points that are marked: all, unless they are too many to be told apart."""
        return self.points if len(self.points) <= MOST_DOTS else self.points[-1:]


def chart(name: str, title: str, values: Mapping[date, float], most: float | None = None) -> Chart | None:
    """The chart of these values (in order of days), or None where there are none; `most`: top of the scale."""
    if not values:
        return None
    days = list(values)
    top = most or round_top(max(values.values()))
    points = tuple((_x(day, days), _y(value, top)) for day, value in values.items())
    scale = tuple(Mark(_y(value, top), f"{value:g}") for value in (0, top / 2, top))
    ends = [days[0], days[-1]] if len(days) > 1 else [days[0]]
    labels = tuple(Mark(_x(day, days), spoken(day)) for day in ends)
    return Chart(name, title, _words(values), points, scale, labels)


def round_top(most: float) -> float:
    """The next round number: 1, 2, 4, 5, 6, 8 or 10 times a power of ten, at least 10."""
    if most <= 10:
        return 10
    power = float(10 ** (ceil(log10(most)) - 1))
    return next(step * power for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= most)


def spoken(day: date) -> str:
    """A day as it is written for people."""
    return f"{day.day} {day:%b %Y}"


def _x(day: date, days: list[date]) -> float:
    span = (days[-1] - days[0]).days
    return round(LEFT + (RIGHT - LEFT) * ((day - days[0]).days / span if span else 0.5), 1)


def _y(value: float, top: float) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * value / top, 1)


def _words(values: Mapping[date, float]) -> str:
    """What the line shows, for those who do not see it."""
    (first, start), (last, end) = next(iter(values.items())), list(values.items())[-1]
    if len(values) == 1:
        return f"One day: {start:g} on {spoken(first)}."
    low, high = min(values.values()), max(values.values())
    return f"From {start:g} on {spoken(first)} to {end:g} on {spoken(last)}; lowest {low:g}, highest {high:g}."
