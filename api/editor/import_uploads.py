"""What comes with a new import: files of a form or a stream of lines, laid into the job's own folder."""

import re
import shutil
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api import data_folder
from api.access import parts_of
from api.importing import files_folder, job_folder
from api.parts import Parts
from api.upload_form import Form, SentFile, described, read_form
from cms.errors import Fault, InvalidContent
from media.receiving import Incoming

# Of one file, and of one stream of lines, in bytes.
LARGEST_IMPORT = 8 * 2**30
LINES = ("application/x-ndjson", "application/jsonl", "application/ndjson")
_STREAM = "lines.jsonl"
_FLAGS = frozenset({"publish", "fetch", "run"})
_OBJECTS = frozenset({"mapping", "choices"})
OPTIONS = ("source", "type", "locale", "publish", "on_conflict", "section", "fetch", "mapping", "choices", "format")
_LONGEST_STEP = 200
_MOST_STEPS = 20

_TEXT = {"type": "string"}
_FLAG = {"type": "string", "enum": ["true", "false"]}
PARTS: Mapping[str, Any] = {
    "source": {**_TEXT, "description": "what the source is called; the first file's name if left out"},
    "type": {**_TEXT, "description": "the type of rows that name none; `article` if left out"},
    "locale": {**_TEXT, "description": "of rows that name none"},
    "publish": {**_FLAG, "description": "publish what is no draft"},
    "on_conflict": {"type": "string", "enum": ["list", "overwrite", "draft"]},
    "section": {**_TEXT, "description": "the id of the section below which everything comes to stand"},
    "fetch": {**_FLAG, "description": "take files that rows refer to from the network"},
    "mapping": {**_TEXT, "description": "a JSON object: the source's names, and what each is taken for"},
    "choices": {**_TEXT, "description": "a JSON object: what the format lets you choose"},
    "format": {**_TEXT, "description": "found out if left out"},
    "run": {**_FLAG, "description": "import right after the analysis"},
}


def body_schema() -> dict[str, Any]:
    """What a new import takes, for the documentation."""
    told = described(PARTS, file="a file of the source; several parts for several files")
    told["requestBody"]["content"][LINES[0]] = {"schema": {"type": "string", "description": "lines of JSON"}}
    return told


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Form]:
    """The files and lines of a request, until the block ends. Raises 400, 413 and 415 problems and `TooLarge`."""
    incoming = await run_in_threadpool(job_folder, parts_of(request), "incoming")
    if not is_stream(request):
        async with read_form(request, folder=incoming, limit=LARGEST_IMPORT) as form:
            yield form
        return
    with Incoming(incoming, limit=LARGEST_IMPORT) as file:
        async for chunk in request.stream():
            await run_in_threadpool(file.write, chunk)
        yield Form(files=[SentFile(_STREAM, file.finish())])


def is_stream(request: Request) -> bool:
    """Whether the body is a stream of lines."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() in LINES


def options_of(lines: Iterable[tuple[str, str]], *, files: list[SentFile]) -> tuple[dict[str, Any], bool]:
    """The options that lines of a form, or parameters, say, and whether it shall run at once. Raises `InvalidContent`
    for lines that cannot be read; what they say, `import_jobs.read_asked` judges."""
    given: dict[str, Any] = {}
    for name, value in lines:
        if name in given:
            raise InvalidContent([Fault(f"/{name[:100]}", "given_twice", "It is given twice.")])
        given[name] = _value(name, value)
    run = bool(given.pop("run", False))
    given = {name: value for name, value in given.items() if value != ""}
    if "source" not in given and files and files[0].name != _STREAM:
        given["source"] = PurePosixPath(_steps(files[0].name)[-1]).stem[:_LONGEST_STEP]
    return given, run


def _value(name: str, value: str) -> Any:
    if name in _FLAGS:
        if value not in ("true", "false", ""):
            raise InvalidContent([Fault(f"/{name}", "not_a_boolean", "Say true or false.")])
        return value == "true"
    if name in _OBJECTS and value:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise InvalidContent([Fault(f"/{name}", "malformed_json", "Give an object as JSON.")]) from None
    return value


def lay_down(parts: Parts, id: str, sent: list[SentFile]) -> None:
    """Lay files into a new job's folder, where they are durable. Raises `InvalidContent` for a name that cannot be."""
    folder = files_folder(parts, id)
    folder.mkdir(mode=0o700)
    for number, file in enumerate(sent):
        place = folder.joinpath(*_steps(file.name, at=f"/file/{number}"))
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise _given_twice(number) from None
        if place.exists():
            raise _given_twice(number)
        file.received.path.rename(place)
        data_folder.sync(place)
    for one in (*folder.rglob("*"), folder, folder.parent):
        if one.is_dir():
            data_folder.sync(one)


def remove_folder(parts: Parts, id: str) -> None:
    """Remove all that lies in a job's folder."""
    shutil.rmtree(job_folder(parts, id), ignore_errors=True)


def _given_twice(number: int) -> InvalidContent:
    return InvalidContent([Fault(f"/file/{number}", "given_twice", "Another file of the form has this name.")])


def _steps(name: str, *, at: str = "/file") -> list[str]:
    """The steps of a path below the job's folder."""
    steps = [step for step in re.split(r"[/\\]", name) if step not in ("", ".")]
    is_bad = any(step == ".." or len(step.encode()) > _LONGEST_STEP or not step.isprintable() for step in steps)
    if is_bad or not 0 < len(steps) <= _MOST_STEPS:
        said = "A file needs a plain name, with folders before it if need be: no '..', no control characters."
        raise InvalidContent([Fault(at, "bad_name", said)])
    return steps
