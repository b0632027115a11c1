"""Bringing catalogues and listening data from files into the database."""
