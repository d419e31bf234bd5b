"""Who is a robot: one rule for what visitors miss and for what they see."""

import pytest

from cms.delivery.noise import is_noise, is_robot


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Unheard-of-bot/0.1",
        "x" * 400 + " spider",
    ],
)
def test_robots_say_so_or_are_on_the_list(agent: str) -> None:
    assert is_robot(agent)
    assert is_noise("/news", agent)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 YaBrowser/25.8 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6 Mobile Safari/604.1",
        "Mozilla/5.0 (Linux; Android 14; CUBOT X70) Mobile",
        # Front ends that tell of their visitors.
        "python-httpx/0.28.1",
        "curl/8.5",
        "node",
        "x" * 100_000,
    ],
)
def test_people_and_the_libraries_of_front_ends_are_none(agent: str) -> None:
    assert not is_robot(agent)
