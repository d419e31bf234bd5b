"""Files from other hosts: what is fetched, and what this server cannot be made to ask."""

import asyncio
import contextlib
import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.fetching import Address, Fetched, Fetcher, is_outside
from cms.errors import InvalidContent
from media.receiving import Incoming
from media.refusals import TooLarge
from tests.api.desk import faults_of, fresh, refused
from tests.api.serving import Site

HERE = ip_address("127.0.0.1")
Answer = Callable[[BaseHTTPRequestHandler], None]


def giving(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return answer


def leading_to(address: str) -> Answer:
    return giving(b"", 302, Location=address)


def dripping(request: BaseHTTPRequestHandler) -> None:
    """Sends a byte now and then for as long as somebody listens."""
    request.send_response(200)
    request.end_headers()
    with contextlib.suppress(OSError):
        while not threading.Event().wait(0.05):
            request.wfile.write(b"x")


def dripping_headers(request: BaseHTTPRequestHandler) -> None:
    with contextlib.suppress(OSError):
        request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not threading.Event().wait(0.05):
            request.wfile.write(b"x")


class Quiet(ThreadingHTTPServer):
    """Says nothing of clients that go away."""

    def handle_error(self, *_: Any) -> None:
        pass


class Host:
    """A host of the world, as far as the fetcher is told: it is on this machine."""

    def __init__(self, pages: Mapping[str, Answer], secured: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805 - as the library calls it
                self.asked.append((handler.headers["Host"], handler.path))
                pages.get(handler.path, giving(b"", 404))(handler)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = Quiet(("127.0.0.1", 0), Handler)
        if secured is not None:
            self.server.socket = secured.wrap_socket(self.server.socket, server_side=True)
        self.server.daemon_threads = True
        self.port = self.server.server_port


@pytest.fixture
def host() -> Iterator[Callable[[Mapping[str, Answer]], Host]]:
    with contextlib.ExitStack() as stack:

        def start(pages: Mapping[str, Answer], secured: ssl.SSLContext | None = None) -> Host:
            made = Host(pages, secured)
            thread = threading.Thread(target=made.server.serve_forever, args=(0.02,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(made.server.server_close)
            stack.callback(made.server.shutdown)
            return made

        yield start


def here_only(address: Address, port: int) -> bool:
    return address == HERE


def fetched(url: str, folder: Path, *, limit: int = 10_000, **how: Any) -> tuple[Fetched, bytes]:
    how = {"resolve": lambda name, port: [HERE], "allowed": here_only, **how}
    with Incoming(folder, limit=limit) as incoming:
        found = asyncio.run(Fetcher(**how).fetch(url, into=incoming))
        return found, found.received.path.read_bytes()


def refusal(url: str, folder: Path, **how: Any) -> str:
    with pytest.raises(InvalidContent) as raised:
        fetched(url, folder, **how)
    [fault] = raised.value.faults
    assert fault.pointer == "/url"
    assert not list(folder.iterdir())
    return fault.code


Start = Callable[..., Host]


def test_a_file_is_fetched_under_the_host_s_own_name(host: Start, tmp_path: Path) -> None:
    there = host({"/a/%D0%BE%D1%84%D0%B8%D1%81.png?x=1": giving(b"bytes")})
    found, body = fetched(f"http://files.example:{there.port}/a/офис.png?x=1#part", tmp_path)
    assert (found.name, body, found.received.sha256) == ("офис.png", b"bytes", hashlib.sha256(b"bytes").hexdigest())
    assert there.asked == [(f"files.example:{there.port}", "/a/%D0%BE%D1%84%D0%B8%D1%81.png?x=1")]
    assert not list(tmp_path.iterdir())


def certificate_of(name: str, folder: Path) -> Path:
    """A certificate for a host, which signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(called, called, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "host.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*plain))
    return path


def test_a_certificate_is_checked_against_the_host_s_name(
    host: Start, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    certificate = certificate_of("files.example", tmp_path_factory.mktemp("tls"))
    secured = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    secured.load_cert_chain(certificate)
    there = host({"/a": giving(b"secret")}, secured)
    knowing: dict[str, Any] = {"trusted": lambda: ssl.create_default_context(cafile=certificate)}
    assert fetched(f"https://files.example:{there.port}/a", tmp_path, **knowing)[1] == b"secret"
    assert refusal(f"https://other.example:{there.port}/a", tmp_path, **knowing) == "fetch_failed"
    assert refusal(f"https://127.0.0.1:{there.port}/a", tmp_path, **knowing) == "fetch_failed"
    assert refusal(f"https://files.example:{there.port}/a", tmp_path) == "fetch_failed"


def test_redirects_are_followed(host: Start, tmp_path: Path) -> None:
    there = host({"/a": leading_to("/b/c.txt"), "/b/c.txt": giving(b"there")})
    found, body = fetched(f"http://files.example:{there.port}/a", tmp_path)
    assert (found.name, body) == ("c.txt", b"there")


def test_redirects_end(host: Start, tmp_path: Path) -> None:
    there = host({"/a": leading_to("/a")})
    assert refusal(f"http://files.example:{there.port}/a", tmp_path) == "fetch_failed"
    assert len(there.asked) == 6


@pytest.mark.parametrize(
    "to",
    [
        "http://inner.example/",
        "file:///etc/passwd",
        "ftp://files.example/",
        "//inner.example/x",
        "http://u:p@files.example/",
        "javascript:alert(1)",
        "http://xn--/",
        "http://xn--a/",
    ],
)
def test_a_redirect_is_judged_like_the_first_address(host: Start, tmp_path: Path, to: str) -> None:
    there = host({"/a": leading_to(to)})
    addresses = {"files.example": "127.0.0.1", "inner.example": "10.0.0.1"}
    known = {"resolve": lambda name, port: [ip_address(addresses[name])]}
    assert refusal(f"http://files.example:{there.port}/a", tmp_path, **known) == "address_refused"


def test_a_name_that_points_elsewhere_a_moment_later_changes_nothing(host: Start, tmp_path: Path) -> None:
    there = host({"/a": giving(b"outside"), "/b": leading_to("/a")})
    answers = iter([HERE, ip_address("10.0.0.1")])
    turning: dict[str, Any] = {"resolve": lambda name, port: [next(answers)]}
    # Asked once for one connection: there is no second answer that could be connected to.
    assert fetched(f"http://files.example:{there.port}/a", tmp_path, **turning)[1] == b"outside"
    answers = iter([HERE, ip_address("10.0.0.1")])
    assert refusal(f"http://files.example:{there.port}/b", tmp_path, **turning) == "address_refused"


def test_one_bad_address_among_good_ones_is_enough(host: Start, tmp_path: Path) -> None:
    there = host({"/a": giving(b"x")})
    mixed = {"resolve": lambda name, port: [HERE, ip_address("10.0.0.1")]}
    assert refusal(f"http://files.example:{there.port}/a", tmp_path, **mixed) == "address_refused"
    assert not there.asked


def test_the_next_address_is_tried_when_nobody_answers_at_the_first(host: Start, tmp_path: Path) -> None:
    there = host({"/a": giving(b"second")})
    both: dict[str, Any] = {
        "resolve": lambda name, port: [ip_address("127.0.0.2"), HERE],
        "allowed": lambda address, port: True,
    }
    assert fetched(f"http://files.example:{there.port}/a", tmp_path, **both)[1] == b"second"


@pytest.mark.parametrize(
    "answer", [giving(b"", 404), giving(b"", 500), giving(b"", 204), giving(b"xyz", Content_Encoding="gzip")]
)
def test_anything_but_a_plain_file_is_refused(host: Start, tmp_path: Path, answer: Answer) -> None:
    there = host({"/a": answer})
    assert refusal(f"http://files.example:{there.port}/a", tmp_path) == "fetch_failed"


@pytest.mark.parametrize("answer", [dripping, dripping_headers])
def test_a_slow_host_is_left(host: Start, tmp_path: Path, answer: Answer) -> None:
    there = host({"/a": answer})
    assert refusal(f"http://files.example:{there.port}/a", tmp_path, seconds=0.5) == "fetch_failed"


def test_a_file_that_is_too_large_is_left(host: Start, tmp_path: Path) -> None:
    there = host({"/a": giving(b"x" * 100), "/b": dripping})
    for path in ("/a", "/b"):
        with pytest.raises(TooLarge):
            fetched(f"http://files.example:{there.port}{path}", tmp_path, limit=10)
    assert not list(tmp_path.iterdir())


def test_a_host_that_is_not_there_is_told(tmp_path: Path) -> None:
    def nobody(name: str, port: int) -> list[Address]:
        raise OSError("no such name")

    assert refusal("http://nobody.example/", tmp_path, resolve=nobody) == "fetch_failed"
    assert refusal("http://files.example:1/", tmp_path) == "fetch_failed"


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - bound to by nobody
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:8.8.8.8",
        "::ffff:127.0.0.1",
        "64:ff9b::808:808",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:808:808::",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ],
)
def test_what_is_not_on_the_public_internet_is_not_outside(address: str) -> None:
    assert not is_outside(ip_address(address), 443)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "2a02:6b8::2:242"]
)
def test_what_is_on_the_public_internet_is_asked_on_the_ports_of_the_web(address: str) -> None:
    assert all(is_outside(ip_address(address), port) for port in (80, 443))
    assert not any(is_outside(ip_address(address), port) for port in (22, 25, 5432, 8000, 8080))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/x.png",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1%25lo]/",
        "http://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "http://８.8.8.8:22/",
        "http://8.8.8.8:5432/",
        "http://user@8.8.8.8/",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "//8.8.8.8/x",
        "http://",
        "http:///x",
        "x",
        "http://a\0b/",
        "http://xn--/",
        "http://" + "a" * 300 + ".example/",
    ],
)
def test_this_server_is_not_made_to_ask_where_its_callers_cannot(site: Site, url: str) -> None:
    answer = site.editor.post("media/from-url", json={"url": url})
    assert answer.status_code == 422
    if "\0" not in url:
        assert faults_of(refused(answer, 422))["/url"] in ("address_refused", "fetch_failed")


def test_who_may_not_upload_may_not_have_files_fetched(site: Site) -> None:
    body = {"url": "http://127.0.0.1/"}
    refused(site.reader.post("media/from-url", json=body), 403, "forbidden")
    refused(site.stranger.post("media/from-url", json=body), 401)


def test_what_is_said_of_a_file_is_looked_at_before_it_is_fetched(site: Site) -> None:
    for wrong, pointer in (
        ({"locale": "xx"}, "/locale"),
        ({"rights_until": "soon"}, "/fields/rights_until"),
        ({"folder": "a/../b"}, "/fields/folder"),
    ):
        answer = site.editor.post("media/from-url", json={"url": "http://127.0.0.1/", **wrong})
        assert faults_of(refused(answer, 422)).keys() == {pointer}
    refused(site.editor.post("media/from-url", content=b"x" * 9, headers={"Content-Type": "image/png"}), 415)
    refused(site.editor.post("media/from-url", json={"url": "http://127.0.0.1/", fresh(): 1}), 422)
