"""Scorers: each ``score(bundle, context) -> float32 (n_items,)``, 0 to 1, or None for no opinion at all.

0 says nothing for a song. They know nothing of one another; ``pipeline`` blends them.
"""
