"""Every engine keeps documents and position together, through crashes, rebuilds and crowds."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from search_index import Document, Engine, IndexUnavailable, Query, open_engine
from tests.search_index.site import DOCUMENTS, doc, ids

Open = Callable[[], Engine]


class StreamError(Exception):
    """What stops a stream of documents halfway."""


def broken_off() -> Iterator[Document]:
    yield doc("half", "Половина")
    raise StreamError


def test_an_index_never_built_has_no_position_and_says_so(missing: Engine) -> None:
    assert missing.position() is None
    with pytest.raises(IndexUnavailable):
        missing.search(Query(text="новости"))
    with pytest.raises(IndexUnavailable):
        missing.apply([], [], position=1)


def test_what_was_applied_is_visible_at_once(empty: Engine) -> None:
    empty.apply([doc("a", "Новость")], [], position=7)
    assert ids(empty, "новость") == ["a"]
    assert empty.position() == 7


def test_putting_an_id_again_replaces_it(site: Engine) -> None:
    site.apply([doc("tree", "Сосна")], [], position=11)
    assert (ids(site, "ёлка"), ids(site, "сосна")) == ([], ["tree"])
    assert site.search(Query()).total == len(DOCUMENTS)


def test_the_last_of_two_with_one_id_stays(empty: Engine) -> None:
    empty.apply([doc("a", "Сосна"), doc("a", "Берёза")], [], position=1)
    assert (ids(empty), ids(empty, "сосна"), ids(empty, "береза")) == (["a"], [], ["a"])


def test_removing_is_complete_and_repeatable(site: Engine) -> None:
    for position in (11, 12):
        site.apply([], ["tree", "unknown"], position=position)
    assert ids(site, "ёлка") == []
    assert site.position() == 12


def test_what_is_removed_and_put_in_one_go_stays(site: Engine) -> None:
    site.apply([doc("tree", "Сосна")], ["tree"], position=11)
    assert ids(site, "сосна") == ["tree"]


def test_applying_the_same_again_changes_nothing(site: Engine) -> None:
    site.apply(DOCUMENTS, [], position=10)
    assert site.search(Query(text="новости")).total == 3


def test_an_interrupted_apply_leaves_no_trace(site: Engine) -> None:
    with pytest.raises(StreamError):
        site.apply(broken_off(), ["tree"], position=11)
    site.apply([doc("next", "Следующий")], [], position=11)
    assert (ids(site, "половина"), ids(site, "ёлка"), ids(site, "следующий")) == ([], ["tree"], ["next"])


def test_the_index_is_found_again_when_opened_anew(site: Engine, open_again: Open) -> None:
    site.close()
    again = open_again()
    assert again.position() == 10
    assert ids(again, "ёлка") == ["tree"]


def test_a_rebuild_replaces_everything(site: Engine) -> None:
    site.rebuild(iter([doc("only", "Единственная новость")]), position=20)
    assert (ids(site), site.position()) == (["only"], 20)
    site.apply([doc("next", "Следующий")], [], position=21)
    assert sorted(ids(site)) == ["next", "only"]


def test_reads_and_writes_go_on_while_a_rebuild_runs(site: Engine) -> None:
    def slowly() -> Iterator[Document]:
        assert ids(site, "ёлка") == ["tree"]
        site.apply([doc("meanwhile", "Между тем")], [], position=11)
        assert ids(site, "между") == ["meanwhile"]
        yield doc("new", "Новая")

    site.rebuild(slowly(), position=20)
    assert (ids(site), site.position()) == (["new"], 20)


def test_an_interrupted_rebuild_leaves_the_old_index(site: Engine, open_again: Open) -> None:
    with pytest.raises(StreamError):
        site.rebuild(broken_off(), position=20)
    for engine in (site, open_again()):
        assert (ids(engine, "ёлка"), engine.position()) == (["tree"], 10)


def test_a_rebuild_by_another_process_is_noticed(site: Engine, open_again: Open) -> None:
    open_again().rebuild([doc("only", "Единственная")], position=30)
    assert (ids(site), site.position()) == (["only"], 30)
    site.apply([], ["only"], position=31)
    assert ids(site) == []


def test_two_indexes_live_side_by_side(site: Engine, url: str) -> None:
    staff = open_engine(url, name="staff")
    staff.rebuild([doc("secret", "Тайна")], position=1)
    assert (ids(staff, "тайна"), ids(site, "тайна"), site.position()) == (["secret"], [], 10)
    staff.close()


def test_many_search_while_one_applies(site: Engine) -> None:
    done = threading.Event()

    def search() -> int:
        rounds = 0
        while rounds < 3 or not done.is_set():
            assert ids(site, "ёлка") == ["tree"]
            assert site.search(Query(text="новсти", facets=("topic",))).total >= 3
            assert site.suggest("ёл") == ["Ёлка в главном зале"]
            rounds += 1
        return rounds

    with ThreadPoolExecutor(4) as pool:
        searches = [pool.submit(search) for _ in range(4)]
        for position in range(11, 21):
            site.apply([doc(f"n{position % 3}", "Свежая новость")], [], position=position)
        done.set()
        assert all(each.result() for each in searches)
    assert site.position() == 20


def test_a_killed_process_leaves_the_last_commit(site: Engine, url: str, open_again: Open) -> None:
    site.close()
    process = multiprocessing.get_context("spawn").Process(target=apply_until_killed, args=(url,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    again = open_again()
    assert (again.position(), ids(again, "успел"), ids(again, "поздно")) == (11, ["done"], [])
    again.apply([doc("after", "Спустя")], [], position=12)
    assert ids(again, "спустя") == ["after"]


def apply_until_killed(url: str) -> None:
    engine = open_engine(url, name="public")
    engine.apply([doc("done", "Успел")], [], position=11)

    def killing() -> Iterator[Document]:
        yield from (doc(f"late{n}", "Поздно", "текст " * 100) for n in range(50))
        os.kill(os.getpid(), signal.SIGKILL)

    engine.apply(killing(), [], position=12)
