"""The catalogue of songs: which song is which, how statements about one are merged, how they are stored."""
