"""Secrets from files: read again, never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from canonical.errors import Transient
from sinks.channels.credentials import Credentials


def test_credentials_are_read_again_when_they_change_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("canary-one\n")
    credentials = Credentials({"key": path})
    assert credentials.get("key") == "canary-one"
    path.write_text("canary-two\n")
    assert credentials.get("key") == "canary-two"
    assert credentials.redact("canary-one, canary-two") == "•••, •••"
    assert "canary" not in repr(credentials)
    path.write_text("\n")
    with pytest.raises(Transient, match="'key': its file is empty"):
        credentials.get("key")
    path.unlink()
    with pytest.raises(Transient, match="cannot be read"):
        credentials.get("key")
