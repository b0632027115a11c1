"""The demo: a generated catalogue and listeners, so that everything can be tried without data of one's own."""
