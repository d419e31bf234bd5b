"""A multipart form read as it comes: files go straight to the store's folder for uploads, lines to memory."""

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.problems import Problem
from media.receiving import Incoming, Received

MOST_FILES = 100
MOST_LINES = 300
# Of all lines together.
_LONGEST_LINES = 2**20


@dataclass(frozen=True)
class SentFile:
    """A file of the form: the name that it was sent under, and its bytes."""

    name: str
    received: Received


@dataclass
class Form:
    """What was sent. `strange` names the files under names other than the one that takes files."""

    files: list[SentFile] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)


def described(lines: Mapping[str, Any], *, file: str = "the bytes", **more: Any) -> dict[str, Any]:
    """The form of a request for the documentation: a part named `file`, and what may stand beside it."""
    schema = {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary", "description": file}, **lines},
        **more,
        "required": ["file"],
        "additionalProperties": False,
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


@asynccontextmanager
async def read_form(request: Request, *, folder: Path, limit: int) -> AsyncIterator[Form]:
    """The form of a request; its files are there until the block ends. The part named `file` takes them, each of
    `limit` bytes at most. Raises 400, 413 and 415 problems and `TooLarge`."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise Problem(415, "unsupported_media_type", "An upload is multipart/form-data with a part named 'file'.")
    with ExitStack() as kept:
        try:
            reader = _Reader(options.get(b"boundary", b""), folder, limit, kept)
            async for chunk in request.stream():
                await run_in_threadpool(reader.feed, chunk)
            await run_in_threadpool(reader.finish)
        except FormParserError as error:
            raise _malformed() from error
        yield reader.form


class _Reader:
    """Fed with the body, piece by piece, it fills a form."""

    def __init__(self, boundary: bytes, folder: Path, limit: int, kept: ExitStack) -> None:
        if not boundary:
            raise _malformed()
        self.form = Form()
        self._folder = folder
        self._limit = limit
        self._kept = kept
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._end_header,
                "on_headers_finished": self._open,
                "on_part_data": self._data,
                "on_part_end": self._end,
            },
        )
        self._within = False
        self._size_of_lines = 0

    def feed(self, chunk: bytes) -> None:
        self._parser.write(chunk)

    def finish(self) -> None:
        self._parser.finalize()
        if self._within:
            raise _malformed()

    def _begin(self) -> None:
        self._within = True
        self._header = self._value = self._disposition = b""
        self._name = ""
        self._filename: str | None = None
        self._incoming: Incoming | None = None
        self._line = bytearray()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _open(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise _malformed()
        self._name = _text(options[b"name"])
        if b"filename" not in options:
            return
        self._filename = _text(options[b"filename"])
        if self._name != "file":
            self.form.strange.append(self._name)
            if len(self.form.strange) > MOST_FILES:
                raise Problem(400, "too_many", f"A form has at most {MOST_FILES} files.")
        elif len(self.form.files) == MOST_FILES:
            raise Problem(400, "too_many", f"A form has at most {MOST_FILES} files.")
        else:
            self._incoming = self._kept.enter_context(Incoming(self._folder, limit=self._limit))

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._incoming is not None:
            self._incoming.write(data[start:end])
        elif self._filename is None:
            self._size_of_lines += end - start
            if self._size_of_lines > _LONGEST_LINES:
                raise Problem(413, "body_too_large", f"The lines of a form have at most {_LONGEST_LINES} bytes.")
            self._line += data[start:end]

    def _end(self) -> None:
        self._within = False
        if self._incoming is not None:
            self.form.files.append(SentFile(self._filename or "file", self._incoming.finish()))
        elif self._filename is None:
            self.form.lines.append((self._name, _text(bytes(self._line))))
            if len(self.form.lines) > MOST_LINES:
                raise Problem(400, "too_many", f"A form has at most {MOST_LINES} lines.")


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _malformed() -> Problem:
    return Problem(400, "bad_request", "The body is no well-formed multipart form, or was cut short.")
