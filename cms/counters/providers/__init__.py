"""The providers of counters: one file and one line for each."""

from collections.abc import Mapping

from cms.counters.provider import Provider
from cms.counters.providers import (
    custom,
    google_analytics,
    google_tag_manager,
    matomo,
    plausible,
    top_mail_ru,
    vk_pixel,
    yandex_metrica,
)

CUSTOM = "custom"

PROVIDERS: Mapping[str, Provider] = {
    "yandex_metrica": yandex_metrica.PROVIDER,
    "google_analytics": google_analytics.PROVIDER,
    "google_tag_manager": google_tag_manager.PROVIDER,
    "vk_pixel": vk_pixel.PROVIDER,
    "top_mail_ru": top_mail_ru.PROVIDER,
    "matomo": matomo.PROVIDER,
    "plausible": plausible.PROVIDER,
    CUSTOM: custom.PROVIDER,
}
