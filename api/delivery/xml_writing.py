"""XML as it is written: escaped, and without the characters that XML 1.0 cannot hold."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

# https://www.w3.org/TR/xml/#charsets
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class XmlWriter:
    """Writes one document, of which what is ready can be taken at any time."""

    def __init__(self) -> None:
        self._written = StringIO()
        self._out = XMLGenerator(self._written, "utf-8", short_empty_elements=True)
        self._out.startDocument()

    @contextmanager
    def element(self, name: str, attributes: Mapping[str, str] | None = None) -> Iterator[None]:
        """What is written inside stands in this element."""
        self._out.startElement(name, AttributesImpl({key: allowed(said) for key, said in (attributes or {}).items()}))
        yield
        self._out.endElement(name)

    def text(self, name: str, value: str | None, attributes: Mapping[str, str] | None = None) -> None:
        """An element that holds a text; nothing, when there is none."""
        if value is not None:
            with self.element(name, attributes):
                self._out.characters(allowed(value))

    def empty(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element that says all in its attributes."""
        with self.element(name, attributes):
            pass

    def taken(self) -> bytes:
        """What was written since this was last asked."""
        written = self._written.getvalue().encode()
        self._written.seek(0)
        self._written.truncate()
        return written


def allowed(text: str) -> str:
    """The text without what XML forbids."""
    return _FORBIDDEN.sub("", text)
