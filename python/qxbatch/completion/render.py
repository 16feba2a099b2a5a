"""`python -m qxbatch.completion.render` in the repository writes what the wheel installs below share."""

from pathlib import Path

from qxbatch.completion import bash, fish, manual, zsh
from qxbatch.completion.words import commands

SHARE = "installed/data/share"
"""In the repository; pyproject.toml names it."""
PROGRAM = "qxbatch"


def files() -> dict[str, str]:
    """Return the files by their paths below share."""
    return {
        f"bash-completion/completions/{PROGRAM}": bash.script(commands()),
        "zsh/site-functions/_qxbatch": zsh.script(commands()),
        "fish/vendor_completions.d/qxbatch.fish": fish.script(commands()),
        "man/man1/qxbatch.1": manual.page(),
    }


def main() -> None:
    """Write the files of the repository that this module is in."""
    share = Path(__file__).resolve().parents[3] / SHARE
    for name, text in files().items():
        path = share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
