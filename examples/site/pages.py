"""The pages as HTML. `Markup.format` escapes all that is not markup already."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup

Json = Mapping[str, Any]

_WORDS: Mapping[str, Mapping[str, str]] = {
    "ru": {
        "name": "Главная",
        "related": "Читайте также",
        "missing": "Такой страницы нет",
        "try": "Может быть, вы искали:",
        "nearest": "Вернуться в раздел",
        "gone": "Страница удалена",
        "aside": "Реклама и объявления",
        "way": "Где вы",
        "asked": "Мы считаем посещения и показываем рекламу. Что из этого вы разрешаете?",
        "none": "Только необходимое",
        "analytics": "Статистику",
        "all": "Всё",
        "change": "Изменить согласие",
    },
    "en": {
        "name": "Home",
        "related": "Read also",
        "missing": "There is no such page",
        "try": "You may have looked for:",
        "nearest": "Back to",
        "gone": "This page was removed",
        "aside": "Advertisements and notices",
        "way": "Where you are",
        "asked": "We count visits and show advertisements. Which of it do you allow?",
        "none": "Only what is necessary",
        "analytics": "Statistics",
        "all": "All",
        "change": "Change consent",
    },
}
_MONTHS = (
    *("января", "февраля", "марта", "апреля", "мая", "июня"),
    *("июля", "августа", "сентября", "октября", "ноября", "декабря"),
)

_LAYOUT = Markup("""<!doctype html>
<html lang="{locale}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
{head}<link rel="icon" href="data:,">
<link rel="stylesheet" href="/static/site.css">
<script type="application/json" id="sitedesk-page">{data}</script>
<script src="{cms}/assets/sitedesk.js" data-locale="{locale}"{missing} defer></script>
<script src="/static/consent.js" defer></script>
</head>
<body>
<div class="notice" data-sitedesk-placement="notice" data-emergency></div>
<header><a class="logo" href="/{home}">{site}</a><nav>{menu}</nav><nav class="languages">{languages}</nav></header>
<div class="top" data-sitedesk-placement="top"></div>
{breadcrumbs}<div class="columns"><main>{main}</main>
<aside aria-label="{aside}"><div data-sitedesk-placement="sidebar"></div></aside></div>
<footer>{site} · <button type="button" id="change-consent">{change}</button></footer>
<form class="consent" id="consent" hidden><p>{asked}</p>
<button name="allow" value="">{none}</button><button name="allow" value="analytics">{analytics}</button>
<button name="allow" value="functional analytics marketing">{all}</button></form>
</body>
</html>
""")


def page(page: Json, included: Json, *, cms: str) -> str:
    """An entry, or a section with its list."""
    parts = [_article(page["entry"], included)] if page["entry"] else [Markup("<h1>{}</h1>").format(_name_of(page))]
    if page["listing"]:
        parts.append(_cards(page["listing"]["entries"], included))
    seo = page["seo"] or {}
    return _laid_out(page, seo.get("title") or _name_of(page), parts, cms=cms, head=_seo(page, seo, included))


def gone(page: Json, _included: Json, *, cms: str) -> str:
    """What was here, and why it is not any more."""
    words = _WORDS.get(page["locale"], _WORDS["en"])
    said = Markup("<h1>{}</h1><p>{}</p>").format(words["gone"], page["explanation"] or "")
    return _laid_out(page, words["gone"], [said], cms=cms)


def missing(home: Json, problem: Json, counters: list[Any], *, cms: str) -> str:
    """Nothing is here: what is near. The script reports the path."""
    words = _WORDS.get(home["locale"], _WORDS["en"])
    parts = [Markup("<h1>{}</h1>").format(words["missing"])]
    if suggestions := problem.get("suggestions"):
        links = Markup("").join(Markup('<li><a href="{path}">{title}</a></li>').format(**one) for one in suggestions)
        parts.append(Markup("<p>{}</p><ul>{}</ul>").format(words["try"], links))
    nearest = problem.get("nearest") or {"path": "/", "name": None}
    link = Markup('<p>{}: <a href="{}">{}</a></p>')
    parts.append(link.format(words["nearest"], nearest["path"], nearest["name"] or words["name"]))
    # Which banners this path has, the script asks for itself.
    page = {name: one for name, one in home.items() if name != "banners"} | {"counters": counters, "path": ""}
    return _laid_out(page, words["missing"], parts, cms=cms, is_missing=True)


def unavailable() -> str:
    """What visitors see while the Sitedesk is down and nothing was kept."""
    return '<!doctype html><html lang="ru"><title>Скоро вернёмся</title><h1>Скоро вернёмся</h1></html>'


def _laid_out(
    page: Json, title: str, parts: Iterable[str], *, cms: str, head: str = "", is_missing: bool = False
) -> str:
    locale = page["locale"]
    words = _WORDS.get(locale, _WORDS["en"])
    crumbs = page["breadcrumbs"]
    html = _LAYOUT.format(
        **{name: words[name] for name in ("aside", "asked", "none", "analytics", "all", "change")},
        locale=locale,
        title=title,
        head=head,
        data=_for_script(page),
        cms=cms,
        missing=Markup(" data-missing") if is_missing else "",
        home="" if locale == "ru" else f"?locale={locale}",
        site=(crumbs[0]["name"] if crumbs else None) or words["name"],
        menu=_menu(page["menus"].get("main") or [], page["path"]),
        languages=_languages(page),
        breadcrumbs=_breadcrumbs(crumbs, words),
        main=Markup("").join(parts),
    )
    # Files have addresses of the Sitedesk's, wherever they stand in a page.
    return re.sub(r'(?<=["\s])/media/(?=[0-9a-f]{64}/)', f"{cms}/media/", html)


def _for_script(page: Json) -> Markup:
    """What sitedesk.js need not ask for."""
    topics = ((page.get("entry") or {}).get("fields") or {}).get("topics") or []
    data = {name: page[name] for name in ("banners", "counters", "locale") if name in page} | {"topics": topics}
    return Markup(json.dumps(data, ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704 - it cannot end the element


def _seo(page: Json, seo: Json, included: Json) -> Markup:
    told = Markup("")
    if seo.get("description"):
        told += Markup(
            '<meta name="description" content="{0}">\n<meta property="og:description" content="{0}">\n'
        ).format(seo["description"])
    if seo.get("title"):
        told += Markup('<meta property="og:title" content="{}">\n').format(seo["title"])
    if seo.get("noindex"):
        told += Markup('<meta name="robots" content="{}">\n').format(seo["robots"])
    if seo.get("canonical"):
        told += Markup('<link rel="canonical" href="{}">\n').format(seo["canonical"])
    if image := _file(included.get(seo.get("image") or "")):
        share = (image.get("renditions") or {}).get("share") or image
        told += Markup('<meta property="og:image" content="{}">\n').format(share["url"])
    for one in page["alternates"]:
        told += Markup('<link rel="alternate" hreflang="{}" href="{}">\n').format(one["locale"], _in_locale(one))
    return told


def _menu(items: Iterable[Json], path: str) -> Markup:
    link = Markup('<a href="{}"{}>{}</a>')
    here = Markup(' aria-current="page"')
    shown = ((one["path"] or one["url"], one) for one in items)
    return Markup("").join(link.format(to, here if to == path else "", one["label"]) for to, one in shown if to)


def _languages(page: Json) -> Markup:
    others = (one for one in page["alternates"] if one["locale"] != page["locale"])
    link = Markup('<a href="{}" hreflang="{}">{}</a>')
    return Markup("").join(link.format(_in_locale(one), one["locale"], one["locale"].upper()) for one in others)


def _in_locale(alternate: Json) -> str:
    # The root has one path for all languages.
    path = str(alternate["path"])
    return f"{path}?locale={alternate['locale']}" if path == "/" and alternate["locale"] != "ru" else path


def _breadcrumbs(crumbs: list[Json], words: Mapping[str, str]) -> Markup:
    if len(crumbs) < 2:
        return Markup("")
    link = Markup('<a href="{}">{}</a>')
    links = [link.format(one["path"], one["name"] or words["name"]) for one in crumbs[:-1]]
    inside = Markup(" › ").join([*links, Markup("<span>{}</span>").format(crumbs[-1]["name"])])
    return Markup('<nav class="breadcrumbs" aria-label="{}">{}</nav>\n').format(words["way"], inside)


def _name_of(page: Json) -> str:
    crumbs = page["breadcrumbs"]
    return (crumbs[-1]["name"] if crumbs else None) or _WORDS.get(page["locale"], _WORDS["en"])["name"]


def _article(entry: Json, included: Json) -> Markup:
    fields = entry["fields"]
    words = _WORDS.get(entry["locale"], _WORDS["en"])
    cover = _image(included.get(fields.get("cover") or ""), sizes="(max-width: 60rem) 100vw, 46rem", first=True)
    related = (included.get(one) for one in fields.get("related") or ())
    link = Markup('<li><a href="{}">{}</a></li>')
    links = Markup("").join(link.format(one["path"], one["fields"]["title"]) for one in related if one and one["path"])
    more = Markup("<section><h2>{}</h2><ul>{}</ul></section>").format(words["related"], links) if links else ""
    return Markup('<article><h1>{}</h1><p class="lead">{}</p>{}{}<div class="body">{}</div>{}</article>').format(
        fields["title"],
        fields.get("summary") or "",
        _byline(entry),
        Markup("<figure>{}</figure>").format(cover) if cover else "",
        Markup(fields.get("body") or ""),  # noqa: S704 - the Delivery API gives clean HTML
        more,
    )


def _byline(entry: Json) -> Markup:
    when = datetime.fromisoformat(entry["published_at"])
    said = f"{when.day} {_MONTHS[when.month - 1]} {when.year}" if entry["locale"] == "ru" else f"{when:%d %B %Y}"
    names = ", ".join(one["name"] for one in entry["byline"])
    text = " · ".join(one for one in (said, names) if one)
    return Markup('<p class="byline"><time datetime="{}">{}</time></p>').format(entry["published_at"], text)


def _cards(entries: Iterable[Json], included: Json) -> Markup:
    card = Markup('<li><a href="{}">{}<h2>{}</h2></a><p>{}</p>{}</li>')
    sizes = "(max-width: 40rem) 100vw, 22rem"
    shown = (
        card.format(
            one["path"],
            _image(included.get(one["fields"].get("cover") or ""), sizes=sizes, preset="card", decorative=True),
            one["fields"]["title"],
            one["fields"].get("summary") or "",
            _byline(one),
        )
        for one in entries
    )
    return Markup('<ul class="cards">{}</ul>').format(Markup("").join(shown))


def _file(image: Json | None) -> Json | None:
    return image["fields"].get("file") if image else None


def _image(
    image: Json | None, *, sizes: str, preset: str = "", first: bool = False, decorative: bool = False
) -> Markup:
    """A picture in the sizes that there are, in its own colour until it is there."""
    file = _file(image)
    if image is None or file is None:
        return Markup("")
    form = (file.get("renditions") or {}).get(preset) or file
    srcset = Markup(' srcset="{}"').format(form["srcset"]) if form.get("srcset") else Markup("")
    if (form.get("srcset") or "").endswith("w"):
        srcset += Markup(' sizes="{}"').format(sizes)
    color = Markup(' style="background-color: {}"').format(file["color"]) if file.get("color") else ""
    how = Markup(' fetchpriority="high"') if first else Markup(' loading="lazy"')
    return Markup('<img src="{}"{} width="{}" height="{}" alt="{}"{}{}>').format(
        form["url"],
        srcset,
        form["width"],
        form["height"],
        "" if decorative else image["fields"].get("alt") or "",
        color,
        how,
    )
