"""The command line. What scripts need is alone on stdout, everything else on stderr; exit code 0, 1 or 2."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from api import data_folder
from api.checking import check as findings
from api.commands import COMMANDS
from api.control import reason
from api.refusals import TABLE
from api.request_log import configure_logging
from api.settings import BadSetting, Settings, read_settings
from api.starting import CannotStart, prepared
from api.starting import serve as serve_until_stopped
from cms.import_formats import FORMATS

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help="Sitedesk")
user_app = typer.Typer(no_args_is_help=True, help="People who sign in")
key_app = typer.Typer(no_args_is_help=True, help="Keys of scripts")
media_app = typer.Typer(no_args_is_help=True, help="The bytes of images and files")
redirects_app = typer.Typer(no_args_is_help=True, help="Where old paths lead")
import_app = typer.Typer(no_args_is_help=True, help="Bring articles in by the thousand")
app.add_typer(user_app, name="user")
app.add_typer(key_app, name="key")
app.add_typer(import_app, name="import")
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


def _import(format: str) -> Any:
    def run(
        path: Annotated[Path, typer.Argument(exists=True, resolve_path=True)],
        type: Annotated[str, typer.Option(help="news, article or page")] = "article",
        source: Annotated[str | None, typer.Option(help="What the source is called; its own name if left out.")] = None,
        locale: Annotated[str | None, typer.Option(help="Of rows that name none.")] = None,
        publish: Annotated[bool, typer.Option("--publish", help="Publish what is no draft.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Read everything, write nothing.")] = False,
        on_behalf_of: Annotated[str | None, typer.Option(help="A person's id")] = None,
        for_request: Annotated[int | None, typer.Option(help="A request's number")] = None,
        report: Annotated[Path | None, typer.Option(help="Write the whole report there, as JSON.")] = None,
    ) -> None:
        told = _run(
            "import",
            format=format,
            path=str(path),
            type=type,
            source=source or path.stem,
            locale=locale,
            publish=publish,
            dry_run=dry_run,
            on_behalf_of=on_behalf_of,
            for_request=for_request,
        )
        _print_report(told)
        if report is not None:
            _write(report, told)

    run.__doc__ = f"Import {format}. What came in before is changed where it changed, and never doubled."
    return run


for _format in FORMATS:
    import_app.command(_format)(_import(_format))


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
    _stderr.print(f"{dry}{counts}; {told['seconds']} s", markup=False)
