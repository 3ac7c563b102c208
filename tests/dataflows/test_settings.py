"""Bad configuration is refused at start, naming file, line or key, and what would be right."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from canonical.errors import Terminal
from canonical.policy import Policy
from dataflows.settings import load

REFUSED = {
    "an unknown key": ("[time]\nlateness = '5m'\n", r"shop\.toml:2: time\.lateness: unknown key"),
    "an unknown key deep down": (
        "[channels.amazon-us.sla]\naccepted = '15m'\nshiped = '2h'\n",
        r"shop\.toml:3: channels\.amazon-us\.sla\.shiped: unknown key",
    ),
    "an unknown table": ("[pool]\neast = ['a']\n", r"shop\.toml:1: pool: unknown key"),
    "a duration without a unit": (
        "[time]\nretention = 30\n",
        r'time\.retention: .*"90s", "15m", "4h" or "2d"',
    ),
    "a share above one": (
        "[channels.web]\nshare = 1.5\n",
        r"channels\.web\.share: .*less than or equal to 1",
    ),
    "a pool nobody drew": (
        "[channels.web]\npool = 'west'\n",
        r"channels\.web\.pool: no pool 'west'; \[pools\] has: none",
    ),
    "a pool of the built-in name": ("[pools]\nall = ['a']\n", r"the built-in pool of every location"),
    "text that is not TOML": ("[time\n", r"shop\.toml: is not TOML: .*line 1"),
}


def written(folder: Path, text: str) -> Path:
    path = folder / "shop.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_with_words(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Terminal, match=words):
        load(written(tmp_path, text))


def test_more_than_twelve_overlapping_pools_are_refused(tmp_path: Path) -> None:
    pools = "".join(f"p{n} = ['dc-{n}', 'dc-{n + 1}']\n" for n in range(13))
    with pytest.raises(Terminal, match="13 pools overlap in one group"):
        load(written(tmp_path, f"[pools]\n{pools}"))


def test_any_number_of_pools_apart_is_fine(tmp_path: Path) -> None:
    pools = "".join(f"p{n} = ['dc-{n}']\n" for n in range(40))
    assert len(load(written(tmp_path, f"[pools]\n{pools}")).pools) == 40


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match=r"none\.toml: cannot be read"):
        load(tmp_path / "none.toml")


def test_no_configuration_is_one_pool_and_default_deadlines() -> None:
    assert load(None) == Policy()
    assert Policy().pool_of("anything") == "all"


def test_durations_have_units(tmp_path: Path) -> None:
    policy = load(written(tmp_path, "[time]\nallowed_lateness = '90s'\nretention = '2d'\n"))
    assert (policy.time.allowed_lateness, policy.time.retention) == (timedelta(seconds=90), timedelta(days=2))
