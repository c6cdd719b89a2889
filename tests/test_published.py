"""What the catalog publishes with the template is what its commands make."""

import pytest

from maintenance.published import COMMANDS, run


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_published_is_what_the_command_makes(name: str) -> None:
    ended = run(name, "--check", check=False)
    assert ended.returncode == 0, ended.stderr
