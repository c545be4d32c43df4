"""Body mass index from height and weight as people write them, metric or imperial."""

from __future__ import annotations

import re

_METRES = {
    "m": 1.0,
    "cm": 0.01,
    "ft": 0.3048,
    "feet": 0.3048,
    "foot": 0.3048,
    "'": 0.3048,
    "in": 0.0254,
    "inch": 0.0254,
    "inches": 0.0254,
    '"': 0.0254,
}
_KILOGRAMS = {"kg": 1.0, "lb": 0.45359237, "lbs": 0.45359237, "pounds": 0.45359237, "st": 6.35029318, "stone": 6.35029318}
_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*([a-z]+|'|\")")


def body_mass_index(text: str) -> float | None:
    """kg/m2 from a text such as '178 cm 80 kg', "5 ft 10 in, 176 lb" or '5\\'10" 12 st'; None when it is
    not a height and a weight. Unit sizes are exact by definition."""
    parts = _PART.findall(text.lower())
    if not parts or _PART.sub("", text.lower()).strip(" ,;/and"):
        return None
    if any(unit not in _METRES and unit not in _KILOGRAMS for _, unit in parts):
        return None
    height = sum(float(n.replace(",", ".")) * _METRES[u] for n, u in parts if u in _METRES)
    weight = sum(float(n.replace(",", ".")) * _KILOGRAMS[u] for n, u in parts if u in _KILOGRAMS)
    return weight / height**2 if height > 0 and weight > 0 else None
