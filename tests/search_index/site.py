"""A small site in two languages, and short ways to ask about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from search_index import Document, Engine, Query


def doc(name: str, title: str = "", body: str = "", **more: Any) -> Document:
    """A Russian news item, unless told otherwise."""
    return Document(**{"id": name, "type": "news", "locale": "ru", "title": title, "body": body, **more})


def ids(engine: Engine, text: str = "", **more: Any) -> list[str]:
    """What the query finds, best first."""
    return [hit.id for hit in engine.search(Query(text=text, **more)).hits]


def at(year: int, month: int = 1) -> datetime:
    return datetime(year, month, 1, 12, tzinfo=UTC)


DOCUMENTS = [
    doc(
        "office",
        "Новость о расписании офиса",
        "В январе офис на Садовой работает с девяти утра. Подробности у дежурного администратора.",
        summary="Расписание офиса в январе",
        section="company",
        topics=("office", "people"),
        published_at=at(2026, 1),
    ),
    doc(
        "tree",
        "Ёлка в главном зале",
        "Праздничная ёлка ждёт сотрудников и детей. Читайте новости компании каждый день.",
        section="company",
        topics=("people",),
        published_at=at(2025, 12),
    ),
    doc(
        "prices",
        "Изменение цен",
        "После обзора новостей рынка отдел продаж меняет цены. Новые цены действуют с марта.",
        type="article",
        section="sales",
        topics=("money",),
        published_at=at(2025, 3),
    ),
    doc(
        "running",
        "Running club",
        "Our colleagues run along the river every Tuesday. She runs the fastest.",
        locale="en",
        section="sport",
        topics=("people", "sport"),
        published_at=at(2024, 5),
    ),
    doc(
        "server",
        "Настройка сервера Docker",
        "Запустите контейнеры и проверьте права доступа к данным. Сервер перезапускается сам.",
        type="article",
        section="tech",
        topics=("docker",),
        published_at=at(2024, 2),
    ),
    doc("draft", "Черновик приказа", "Приказ ещё не подписан.", state="draft", owner="olga"),
]
