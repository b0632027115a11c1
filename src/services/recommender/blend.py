"""How much each scorer counts, as a smooth function of how much is known of the listener."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_COLD: Final = {"content": 0.50, "item_cf": 0.30, "user_cf": 0.05, "popularity": 0.15}
_WARM: Final = {"content": 0.10, "item_cf": 0.65, "user_cf": 0.20, "popularity": 0.05}


@dataclass(frozen=True, slots=True)
class Blend:
    """Weights of the scorers for a listener without history, for one with a long one, and in between.

    A listener with ``n`` songs of history is ``n / (n + half_history)`` of the way.
    """

    cold: Mapping[str, float] = field(default_factory=lambda: dict(_COLD))
    warm: Mapping[str, float] = field(default_factory=lambda: dict(_WARM))
    half_history: float = 10.0

    def weights(self, n_history: int) -> dict[str, float]:
        """Weight of each scorer at a history of ``n_history`` songs; they add up to 1."""
        share = n_history / (n_history + self.half_history)
        names = {**self.cold, **self.warm}
        raw = {n: (1 - share) * self.cold.get(n, 0.0) + share * self.warm.get(n, 0.0) for n in names}
        total = sum(raw.values()) or 1.0
        return {name: value / total for name, value in raw.items()}


DEFAULT: Final = Blend()
