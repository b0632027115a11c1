"""The recommender: pure functions from arrays to arrays.

Nothing here reads a file, a clock, a database or a setting; ``now`` and ``rng`` are arguments.
Songs are rows, 0 to ``n_items - 1``, of float32 arrays; what a row is called is the caller's business.
"""
