"""The command line. What scripts need is alone on stdout, everything else on stderr; exit code 0, 1 or 2."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api import data_folder
from api.backups import checking, restoring, taking
from api.backups.keeping import Rules
from api.backups.refusal import BackupRefused
from api.checking import check as findings
from api.commands import COMMANDS
from api.control import reason
from api.refusals import TABLE
from api.request_log import configure_logging
from api.settings import BadSetting, Settings, read_settings
from api.starting import CannotStart, prepared
from api.starting import serve as serve_until_stopped
from cms.clock import system_clock
from cms.export_formats import FORMATS as EXPORT_FORMATS
from cms.identity import new_id
from cms.import_formats import FORMATS
from media.store_keys import Unreachable

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help="Sitedesk")
user_app = typer.Typer(no_args_is_help=True, help="People who sign in")
key_app = typer.Typer(no_args_is_help=True, help="Keys of scripts")
media_app = typer.Typer(no_args_is_help=True, help="The bytes of images and files")
redirects_app = typer.Typer(no_args_is_help=True, help="Where old paths lead")
imports_app = typer.Typer(no_args_is_help=True, help="Import jobs")
app.add_typer(user_app, name="user")
app.add_typer(key_app, name="key")
app.add_typer(imports_app, name="imports")
app.add_typer(redirects_app, name="redirects")
app.add_typer(media_app, name="media")

_stderr = Console(stderr=True, highlight=False)


def main() -> None:
    """The entry point of `sitedesk`."""
    configure_logging(json=not sys.stderr.isatty())
    app()


def _fail(said: str) -> NoReturn:
    _stderr.print(f"sitedesk: {said}", markup=False, soft_wrap=True)
    raise typer.Exit(1)


def _settings() -> Settings:
    try:
        return read_settings()
    except BadSetting as error:
        _fail(str(error))


# --- running a command where the data folder is held ---


def _run(command: str, **arguments: Any) -> dict[str, Any]:
    """Do a command in this process, or in the server that holds the data folder. Gives its last report."""
    settings = _settings()
    try:
        with prepared(settings) as parts:
            return _show(COMMANDS[command](parts, **arguments))
    except CannotStart as error:
        server = data_folder.running_server(settings.folder)
        if not isinstance(error.__cause__, data_folder.FolderInUse) or server is None:
            _fail(str(error))
    except tuple(TABLE) as refusal:
        _fail(reason(refusal))
    try:
        return _show(_in_server(server, command, arguments))
    except httpx.HTTPError as error:
        _fail(f"the running server does not answer: {error}")


def _in_server(server: dict[str, str], command: str, arguments: dict[str, Any]) -> Iterator[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {server['token']}"}
    address = f"{server['url']}/control/{command}"
    # The environment's proxies are for the world; the server is on this machine.
    with (
        httpx.Client(trust_env=False, timeout=httpx.Timeout(10, read=None)) as client,
        client.stream("POST", address, json=arguments, headers=headers) as answer,
    ):
        if answer.status_code != 200:
            _fail(f"the running server refused: status {answer.status_code}")
        for line in answer.iter_lines():
            yield json.loads(line)


def _show(told: Iterator[dict[str, Any]]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_stderr, transient=True, disable=not sys.stderr.isatty()) as progress:
        bars: dict[str, Any] = {}
        for step in told:
            if "refused" in step:
                _fail(step["refused"])
            if "line" in step:
                progress.console.print(step["line"], markup=False, soft_wrap=True)
            if "output" in step:
                sys.stdout.write(f"{step['output']}\n")
            if "progress" in step:
                doing = step.get("doing", "")
                if doing not in bars:
                    bars[doing] = progress.add_task(doing, total=step["of"])
                progress.update(bars[doing], completed=step["progress"], total=step["of"])
            report = step.get("report", report)
    return report


# --- commands ---


@app.command()
def serve(
    sample: Annotated[bool, typer.Option("--sample", help="On an empty site, load the sample site first.")] = False,
) -> None:
    """Serve the site and the desk until stopped."""
    try:
        serve_until_stopped(_settings(), with_sample=sample, say=lambda text: sys.stderr.write(text + "\n"))
    except CannotStart as error:
        _fail(str(error))


@app.command()
def check() -> None:
    """Report the deployment's faults, one line each. Exit code 1 if any is serious."""
    found = list(findings(_settings()))
    for one in found:
        _stderr.print(f"{'FAULT' if one.serious else 'note '} {one.text}", markup=False, soft_wrap=True)
    if any(one.serious for one in found):
        raise typer.Exit(1)
    _stderr.print("No serious faults.")


@app.command()
def migrate() -> None:
    """Bring the database up to this version."""
    try:
        with prepared(_settings()):
            _stderr.print("The database is up to date.")
    except CannotStart as error:
        _fail(str(error))


@app.command()
def reindex() -> None:
    """Make the search indexes anew, while searches go on."""
    _run("reindex")


@app.command()
def backup(
    target: Annotated[str, typer.Argument(help="A folder, or s3://bucket/prefix?endpoint=…&region=…")],
    verify: Annotated[bool, typer.Option("--verify", help="Restore it on trial, and compare.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Make none: read all that are there.")] = False,
    keep_last: Annotated[int, typer.Option(min=0, help="Remove others afterwards, but for the last N…")] = 0,
    keep_daily: Annotated[int, typer.Option(min=0, help="…the last of each of N days,")] = 0,
    keep_weekly: Annotated[int, typer.Option(min=0, help="…of N weeks,")] = 0,
    keep_monthly: Annotated[int, typer.Option(min=0, help="…of N months.")] = 0,
) -> None:
    """Back the whole site up, while its server runs or not. The backup's name is on stdout.

    Exit code 1 if there is none, if a file that a revision holds was lost before, or if a check finds faults."""
    if check:
        if _told_here(checking.check(target))["faults"]:
            raise typer.Exit(1)
        return
    rules = Rules(keep_last, keep_daily, keep_weekly, keep_monthly)
    # Whoever saves or visits meanwhile goes first.
    os.nice(10)
    if _told_here(taking.take(_settings(), target, verified=verify, rules=rules, clock=system_clock))["lost"]:
        raise typer.Exit(1)


@app.command()
def restore(
    source: Annotated[str, typer.Argument(help="Where backups are: a folder, or s3://…")],
    into: Annotated[Path, typer.Option(help="The data folder to make.", resolve_path=True)],
    backup: Annotated[str | None, typer.Option(help="Its name; the newest if left out.")] = None,
    database: Annotated[str | None, typer.Option(help="An empty PostgreSQL database, for a backup of one.")] = None,
    media: Annotated[str | None, typer.Option(help="A media store, such as s3://…; the folder if left out.")] = None,
) -> None:
    """Bring a backup back into a new folder. Everything is checked before anything is touched."""
    # As in the settings.
    address = database and database.replace("postgresql://", "postgresql+psycopg://", 1)
    wanted = restoring.Wanted(source, into, backup, address, media)
    _told_here(restoring.restore(wanted, clock=system_clock))


def _told_here(steps: Iterator[dict[str, Any]]) -> dict[str, Any]:
    """Show what needs no data folder of its own."""
    try:
        return _show(steps)
    except (BackupRefused, Unreachable) as refusal:
        _fail(str(refusal))
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}")


def _password(given: str | None) -> str:
    if given is not None:
        return given
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    return sys.stdin.readline().rstrip("\n")


_PASSWORD_HELP = "Asked for, or read from standard input, if left out: arguments are visible to others."  # noqa: S105


@user_app.command("add")
def add_user(
    email: Annotated[str, typer.Option()],
    role: Annotated[str, typer.Option(help="reader, author, editor, publisher, analyst or administrator")],
    name: Annotated[str | None, typer.Option()] = None,
    password: Annotated[str | None, typer.Option(help=_PASSWORD_HELP)] = None,
) -> None:
    """Let a person sign in. Their id is on stdout."""
    _run("add-user", email=email, name=name or email.partition("@")[0], role=role, password=_password(password))


@user_app.command("password")
def set_password(
    email: Annotated[str, typer.Option()],
    password: Annotated[str | None, typer.Option(help=_PASSWORD_HELP)] = None,
) -> None:
    """Give a user another password."""
    _run("set-password", email=email, password=_password(password))


@user_app.command("role")
def set_role(email: Annotated[str, typer.Option()], role: Annotated[str, typer.Option()]) -> None:
    """Give a user another role."""
    _run("set-role", email=email, role=role)


@key_app.command("create")
def create_key(
    role: Annotated[str, typer.Option(help="reader, author, editor, publisher, analyst or administrator")],
    name: Annotated[str, typer.Option()],
    scope: Annotated[list[str] | None, typer.Option(help="An action, or action:type; several may be given.")] = None,
    expires_at: Annotated[str | None, typer.Option(help="2027-01-01T00:00:00Z")] = None,
) -> None:
    """Make an API key. It is alone on stdout, and shown once."""
    _run("create-key", name=name, role=role, scopes=scope or None, expires_at=expires_at)


@key_app.command("revoke")
def revoke_key(id: Annotated[str, typer.Argument()]) -> None:
    """End a key at once."""
    _run("revoke-key", id=id)


@redirects_app.command("import")
def import_redirects(
    path: Annotated[Path, typer.Argument(exists=True, dir_okay=False, resolve_path=True)],
    strict: Annotated[bool, typer.Option("--strict", help="All rows or none.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything, write nothing.")] = False,
) -> None:
    """Make and change redirects from a CSV file. Exit code 1 if rows are refused."""
    if _run("import-redirects", path=str(path), strict=strict, dry_run=dry_run)["refused"]:
        raise typer.Exit(1)


@redirects_app.command("export")
def export_redirects() -> None:
    """All redirects as CSV, on stdout."""
    _run("export-redirects")


@media_app.command("sweep")
def sweep_media(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go.")] = False,
) -> None:
    """Remove what no revision of any entry holds and nobody has touched for a day."""
    _run("sweep-media", dry_run=dry_run)


def _named(given: list[str] | None, option: str) -> dict[str, str]:
    """`name=value` pairs, or a file of JSON with such."""
    found: dict[str, str] = {}
    for one in given or ():
        name, equals, value = one.partition("=")
        if equals:
            found[name.strip()] = value.strip()
            continue
        try:
            read = json.loads(Path(one).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            said = f"{one} is neither name=value nor a file of JSON ({error})"
            raise typer.BadParameter(said, param_hint=option) from error
        if not isinstance(read, dict):
            raise typer.BadParameter(f"{one} holds no JSON object", param_hint=option)
        found |= read
    return found


@app.command("import")
def import_source(
    what: Annotated[list[str], typer.Argument(metavar="[FORMAT] PATH", help=f"Formats: {', '.join(FORMATS)}.")],
    format: Annotated[str | None, typer.Option(help="Found out if left out.")] = None,
    type: Annotated[str, typer.Option(help="Of rows that name none: news, article, page, or your own.")] = "article",
    source: Annotated[str | None, typer.Option(help="What the source is called; its own name if left out.")] = None,
    locale: Annotated[str | None, typer.Option(help="Of rows that name none.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Publish what is no draft.")] = False,
    mapping: Annotated[list[str] | None, typer.Option(help="name=meaning, or a file of JSON.")] = None,
    choice: Annotated[list[str] | None, typer.Option(help="name=value, as the analysis offers them.")] = None,
    section: Annotated[str | None, typer.Option(help="A section's id: everything comes to stand below it.")] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Fetch files from the network.")] = False,
    on_conflict: Annotated[str, typer.Option(help="What people changed since: list, overwrite or draft.")] = "list",
    analyse: Annotated[bool, typer.Option("--analyse", help="Read everything, and tell what it is.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would become of each row.")] = False,
    on_behalf_of: Annotated[str | None, typer.Option(help="A person's id")] = None,
    for_request: Annotated[int | None, typer.Option(help="A request's number")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the whole report there, as JSON.")] = None,
) -> None:
    """Bring articles in by the thousand. What came in before is changed where it changed, and never doubled.

    Ctrl-C pauses it: what came in stays, and `sitedesk imports resume` goes on from there."""
    path = Path(what[-1]).resolve()
    if len(what) > 2 or (len(what) == 2 and what[0] not in FORMATS):
        raise typer.BadParameter(f"give [FORMAT] PATH; the formats are {', '.join(FORMATS)}")
    if not path.exists():
        raise typer.BadParameter(f"{path} does not exist")
    job = new_id()
    _import_job(
        job,
        report,
        "import",
        path=str(path),
        source=source or path.stem,
        format=format or (what[0] if len(what) == 2 else None),
        type=type,
        locale=locale,
        publish=publish,
        mapping=_named(mapping, "--mapping"),
        choices=_named(choice, "--choice"),
        section=section,
        fetch=fetch,
        on_conflict=on_conflict,
        analyse=analyse,
        dry_run=dry_run,
        on_behalf_of=on_behalf_of,
        for_request=for_request,
    )


def _import_job(job: str, report: Path | None, command: str, **arguments: Any) -> None:
    try:
        told = _run(command, id=job, **arguments)
    except KeyboardInterrupt:
        _run("import-step", id=job, step="pause")
        _stderr.print(f"It is paused. To go on: sitedesk imports resume {job}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    _print_report(told)
    if report is not None:
        _write(report, told)


@imports_app.command("list")
def list_imports() -> None:
    """The newest jobs, one a line, on stdout."""
    _run("import-list")


@imports_app.command("show")
def show_import(
    id: Annotated[str, typer.Argument()],
    report: Annotated[Path | None, typer.Option(help="Write the whole report there, as JSON.")] = None,
) -> None:
    """What became of a job so far."""
    _import_job(id, report, "import-show")


def _step(step: str, help: str) -> None:
    def run(
        id: Annotated[str, typer.Argument()],
        report: Annotated[Path | None, typer.Option(help="Write the whole report there, as JSON.")] = None,
    ) -> None:
        _import_job(id, report, "import-step", step=step)

    imports_app.command(step.replace("_", "-"), help=help)(run)


_step("run", "Run what has been analysed.")
_step("dry_run", "Tell what would become of each row of what has been analysed.")
_step("pause", "Stop after the batch under way.")
_step("resume", "Go on with what was paused or has failed.")
_step("cancel", "Stop for good; what came in stays.")
_step("rollback", "Undo what a job did; people's later work stays.")


@app.command("export")
def export_site(
    to: Annotated[str, typer.Option(help="The file to write; - is stdout.")],
    format: Annotated[str, typer.Argument(help=f"{', '.join(EXPORT_FORMATS)} or static.")] = "sitedesk",
    type: Annotated[list[str] | None, typer.Option(help="Only entries of this type; several may be given.")] = None,
    section: Annotated[list[str] | None, typer.Option(help="A section's id or path: with all below it.")] = None,
    locale: Annotated[list[str] | None, typer.Option(help="Only of this locale.")] = None,
    state: Annotated[list[str] | None, typer.Option(help="draft, published, changed, scheduled, …")] = None,
    since: Annotated[str | None, typer.Option(help="Changed since: 2027-01-01T00:00:00Z")] = None,
    published: Annotated[bool, typer.Option("--published", help="What visitors see, and no drafts.")] = False,
    choice: Annotated[list[str] | None, typer.Option(help="name=value, as the format offers them.")] = None,
) -> None:
    """Take content out: everything, or what the filters leave. Progress is on stderr."""
    job = new_id()
    filter: dict[str, Any] = {
        "types": type or [],
        "sections": section or [],
        "locales": locale or [],
        "states": state or [],
    }
    filter |= {"changed_since": since, "content": "published" if published else "newest"}
    try:
        told = _run("export", id=job, format=format, filter=filter, choices=_named(choice, "--choice"))
    except KeyboardInterrupt:
        _run("export-remove", id=job)
        raise typer.Exit(1) from None
    try:
        if told.get("state") != "completed":
            _fail(f"the export is {told.get('state')}")
        _copy(Path(told["file"]), to)
    finally:
        _run("export-remove", id=job)
    _stderr.print(f"{told['entries']} entries, {told['size']} bytes, SHA-256 {told['sha256']}", markup=False)


def _copy(file: Path, to: str) -> None:
    try:
        if to == "-":
            with file.open("rb") as source:
                shutil.copyfileobj(source, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        part = Path(f"{to}.part")
        shutil.copyfile(file, part)
        part.replace(to)
    except OSError as error:
        _fail(f"the export cannot be written to {to}: {error.strerror}")


@app.command()
def digest() -> None:
    """A SHA-256 over everything that people made, on stdout: equal sites have the same."""
    _run("digest")


def _write(report: Path, told: dict[str, Any]) -> None:
    try:
        report.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    except OSError as error:
        _fail(f"the import is done, but its report cannot be written to {report}: {error.strerror}")


_SHOWN = 20


def _print_report(told: dict[str, Any]) -> None:
    refused = [one for one in told["problems"] if not one["warning"]]
    for one in refused:
        place = ":".join(str(part) for part in (one["file"], one["line"], one["field"]) if part is not None)
        _stderr.print(f"{place}: {one['reason']} [{one['code']}]", markup=False, soft_wrap=True)
    for code, count in sorted(told["warnings"].items(), key=lambda pair: -pair[1])[:_SHOWN]:
        _stderr.print(f"warning {code}: {count}", markup=False)
    counts = ", ".join(f"{name} {count}" for name, count in told["outcomes"].items() if count) or "nothing to do"
    dry = "dry run, nothing was written: " if told["dry_run"] else ""
    for code, count in (told["rolled_back"] or {}).items():
        _stderr.print(f"rolled back, {code.replace('_', ' ')}: {count}", markup=False)
    state = told["state"].replace("_", " ")
    _stderr.print(f"{state}: {dry}{counts}; {told['seconds']} s; import {told['job']}", markup=False, soft_wrap=True)
