"""Where the app may listen, and that its settings reach Streamlit from the checkout and from a wheel."""

import re
import socket
import tomllib
from pathlib import Path

import pytest
import streamlit.config

from accounts.errors import SignInError
from accounts.home import Settings
from ui import server


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3"])  # noqa: S104
def test_an_address_that_others_can_reach_is_refused_without_sign_in(tmp_path: Path, host: str) -> None:
    with pytest.raises(SignInError, match="does not start there without sign-in") as refused:
        server.serve(Settings(home=tmp_path), "default", host)
    assert "spendproof set-password --workspace default" in str(refused.value)


def test_a_port_that_is_taken_is_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(server.ServerError, match=f"127.0.0.1 port {port}.*Choose another with --port"):
            server.serve(Settings(home=tmp_path), "default", port=port)


def test_every_setting_is_one_that_streamlit_has() -> None:
    options = server._options(tomllib.loads(server.CONFIG.read_text()))
    unknown = [name for name in options if name not in streamlit.config._config_options_template]
    assert unknown == []
    assert options["server.address"] == "127.0.0.1"
    assert options["browser.gatherUsageStats"] is False
    assert options["client.showErrorDetails"] == "none"


def test_streamlit_run_reads_the_same_settings_as_the_command() -> None:
    project = Path(server.__file__).parents[1] / ".streamlit" / "config.toml"
    assert project.resolve() == server.CONFIG.resolve()


def test_no_setting_and_no_page_names_another_host() -> None:
    folder = Path(server.__file__).parent
    texts = [f for f in folder.rglob("*") if f.suffix in {".py", ".toml", ".html", ".svg"}]
    # `https://…` tells a person how an address is written; a letter after it would name a host.
    named = [f.name for f in texts if re.search(r"https://[a-z0-9]|:material/", f.read_text())]
    assert named == []


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb` by WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_letters_and_buttons_can_be_told_from_their_ground(mode: str) -> None:
    assert round(contrast("#ffffff", "#000000"), 6) == 21
    theme = tomllib.loads(server.CONFIG.read_text())["theme"][mode]
    accent = theme["primaryColor"]
    # Streamlit writes white on a filled button and on a chosen chip.
    assert contrast("#ffffff", accent) >= 4.5
    grounds = [theme["backgroundColor"], theme["secondaryBackgroundColor"], theme["sidebar"]["backgroundColor"]]
    for ground in grounds:
        assert contrast(accent, ground) >= 3
        assert contrast(theme["textColor"], ground) >= 4.5
        assert contrast(theme["linkColor"], ground) >= 4.5
