"""Scorers: each ``score(bundle, context) -> float32 (n_items,)``, 0 to 1, NaN for no opinion.

They know nothing of one another; ``pipeline`` blends them.
"""
