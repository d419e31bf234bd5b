"""From text to the tokens that all engines index and look for: one definition, so that they agree exactly.

A word is a run of letters and digits; its token is lower-case, ё folded to е, and in Russian and English entries the
Snowball stem of the word's own script, so that English terms inside Russian articles are found by any form.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

import Stemmer

VERSION = 1
WORD = re.compile(r"[^\W_]+")
MAX_TOKEN = 64
_CACHED_WORDS = 200_000
# Soft hyphens, zero-width characters and stress marks part a word from its stem; databases refuse NUL and surrogates.
_UNWANTED = re.compile("[\u00ad\u200b\u2060\ufeff\u0301\x00\ud800-\udfff]+")


def clean(text: str) -> str:
    """Composed text (NFC) without characters that nobody sees or no store takes."""
    if text.isascii():
        return text.replace("\0", "")
    return _UNWANTED.sub("", unicodedata.normalize("NFC", text))


def fold(word: str) -> str:
    """The word as typed, lower-case, with е for ё, at most 64 code points."""
    return _FOLDED[word]


def stem(word: str) -> str:
    """The word's Snowball stem, Russian for Cyrillic and English for the rest."""
    return _STEMS[word]


def is_stemmed(locale: str) -> bool:
    """Whether entries of this locale are indexed by stems: Russian and English are, with any region."""
    return locale.partition("-")[0].partition("_")[0].lower() in {"ru", "en"}


def tokens(text: str, *, locale: str) -> list[str]:
    """The tokens of clean text, in order."""
    return tokens_and_words(text, locale=locale)[0]


def tokens_and_words(text: str, *, locale: str) -> tuple[list[str], set[str]]:
    """The tokens of clean text, in order, and its distinct words, unstemmed. Not to be changed by the caller."""
    analysed = _remembered if _WORTH_REMEMBERING <= len(text) <= _LONGEST_REMEMBERED else _analysed
    return analysed(text, is_stemmed(locale))


def _analysed(text: str, stemmed: bool) -> tuple[list[str], set[str]]:
    words = WORD.findall(text)
    table = _STEMS if stemmed else _FOLDED
    return list(map(table.__getitem__, words)), set(map(_FOLDED.__getitem__, set(words)))


# The public and the staff's index follow the same texts, one shortly after the other.
_WORTH_REMEMBERING, _LONGEST_REMEMBERED = 1_000, 20_000
_remembered = lru_cache(maxsize=600)(_analysed)


def variants(word: str, *, locale: str | None) -> tuple[str, ...]:
    """The tokens under which a word may stand in entries of the locale, or of any locale for None."""
    if locale is None:
        return tuple(dict.fromkeys((stem(word), fold(word))))
    return (stem(word) if is_stemmed(locale) else fold(word),)


class _Folded(dict[str, str]):
    """A dict that computes what it lacks: twice as fast per word as a call to a cached function."""

    def __missing__(self, word: str) -> str:
        token = self.compute(word)
        if len(word) <= MAX_TOKEN:
            if len(self) >= _CACHED_WORDS:
                self.clear()
            self[word] = token
        return token

    def compute(self, word: str) -> str:
        return word[:MAX_TOKEN].lower().replace("ё", "е")[:MAX_TOKEN]


class _Stems(_Folded):
    def __init__(self) -> None:
        self._russian = Stemmer.Stemmer("russian")
        self._english = Stemmer.Stemmer("english")
        # A Stemmer keeps its working buffer in itself: two threads in it at once would mix their words.
        self._lock = threading.Lock()

    def compute(self, word: str) -> str:
        folded = _FOLDED[word]
        stemmer = self._russian if "\u0400" <= folded[0] <= "\u04ff" else self._english
        with self._lock:
            return str(stemmer.stemWord(folded))


_FOLDED = _Folded()
_STEMS = _Stems()
