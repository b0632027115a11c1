"""Invented artist, album and song names, filled into templates. Nobody in them exists."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Final

import numpy as np

ARTISTS: Final[Mapping[str, Sequence[str]]] = {
    "person": ("{given} {head}{tail}",),
    "mononym": ("{head}{tail}", "{given} {noun}", "{adj} {given}"),
    "band": ("The {adj} {plural}", "{noun} {plural}", "{adj} {plural}", "{noun} & {noun}", "The {head}{tail} Line"),
    "ensemble": ("{given} {head}{tail} {group}", "{head}{tail} {group}", "The {adj} {noun} {group}"),
    "orchestra": ("{head}{tail} {strings}", "{adj} {noun} {strings}"),
    "producer": ("{head}{machine}", "{machine} {noun}", "DJ {head}{tail}", "{machine}/{noun}"),
    "rapper": ("{rap} {noun}", "{rap} {head}{tail}"),
}

TITLES: Final[Mapping[str, Sequence[str]]] = {
    "song": (
        "{adj} {noun}",
        "{noun}",
        "{doing} {where}",
        "{verb} Me {where}",
        "Don't {verb} the {noun}",
        "The {noun} and the {noun}",
        "{adj} {noun}, {adj} {noun}",
        "{noun} {where}",
        "{doing} the {noun}",
        "If You {verb} Me",
        "My {adj} {noun}",
        "{doing}",
        "Every {noun}",
        "One {adj} {noun}",
    ),
    "machine": ("{machine}", "{machine} {n}", "{adj} {machine}", "{machine} {machine}", "{machine} ({noun} Mix)"),
    "quiet": ("{calm}", "{adj} {calm}", "{calm} and {calm}", "{calm} {where}", "{calm}, {calm}", "{noun} of {calm}"),
    "heavy": ("{grim}", "{adj} {grim}", "{grim} of {grim}", "{verb} the {grim}", "{doing} {grim}", "No More {grim}"),
    "classical": (
        "{form} No. {n} in {key}",
        "{form} in {key}: {movement}",
        "{calm}, for Piano",
        "Suite {n}: {movement}",
    ),
    "spanish": ("{es} {es_end}", "{es} y {es}", "{es} Azul", "{es}", "Mi {es}", "Dame tu {es}"),
    "portuguese": ("{pt} {pt_end}", "{pt} e {pt}", "{pt}", "{pt} Azul"),
}

ALBUMS: Final[Sequence[str]] = (
    "{adj} {noun}",
    "The {noun} Sessions",
    "{noun}, {noun}",
    "{doing} {where}",
    "{adj} {plural}",
    "Songs for the {adj} {noun}",
    "{head}{tail} Street",
)

VENUES: Final[Sequence[str]] = ("the {noun} Hall", "{head}{tail} Park", "the {adj} {noun}", "{head}{tail} Opera House")

_SLOT = re.compile(r"\{(\w+)\}")


@cache
def words() -> Mapping[str, Sequence[str]]:
    """The word lists of ``words.toml`` by name, and ``n``, the numbers from 1 to 12."""
    lists = tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text("utf-8"))
    split = {name: [word.strip() for word in text.split(",")] for name, text in lists.items()}
    return {**split, "n": [str(number) for number in range(1, 13)]}


def fill(templates: Sequence[str], rng: np.random.Generator, **given: str) -> str:
    """One of the templates, each ``{slot}`` filled from ``given`` or with a word of that list, no word twice."""
    used: set[str] = set()

    def word(slot: re.Match[str]) -> str:
        name = slot[1]
        if name in given:
            return given[name]
        while (drawn := _pick(words()[name], rng)) in used:
            pass
        used.add(drawn)
        return drawn

    return _SLOT.sub(word, _pick(templates, rng))


def unused_artist_name(style: str, rng: np.random.Generator, taken: set[str]) -> str:
    """An artist name of the style that ``taken`` lacks, ignoring case; it is added there."""
    while True:
        name = fill(ARTISTS[style], rng)
        if name.casefold() not in taken:
            taken.add(name.casefold())
            return name


def _pick(values: Sequence[str], rng: np.random.Generator) -> str:
    return values[int(rng.integers(len(values)))]
