"""The 5,000 real articles that the benchmarks stand on, and a site that has them."""

import lzma
import shutil
import subprocess
import sys
from pathlib import Path

ARTICLES = Path(__file__).parents[2] / "shared" / "data" / "articles.jsonl.xz"


def unpacked(folder: Path) -> Path:
    """The articles as JSON lines in a file of the folder."""
    target = folder / "articles.jsonl"
    with lzma.open(ARTICLES) as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain)
    return target


def sitedesk(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the product on a data folder."""
    command = [str(Path(sys.executable).with_name("sitedesk")), *arguments]
    environment = {"SITEDESK_DATA": str(data), "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
