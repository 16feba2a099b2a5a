"""`python -m qxbatch.completion.render` in the repository writes the completions and the man page that the wheel installs."""

from pathlib import Path

from qxbatch.completion import bash, fish, manual, zsh
from qxbatch.completion.words import commands

DATA_DIR = "installed/data/share"
"""The folder of the repository whose files the wheel installs below `share`, for example /usr/share (pyproject.toml: `data`)."""
PROGRAM = "qxbatch"


def files() -> dict[str, str]:
    """Return the texts of the files, by their paths below DATA_DIR."""
    return {
        f"bash-completion/completions/{PROGRAM}": bash.script(commands()),
        "zsh/site-functions/_qxbatch": zsh.script(commands()),
        "fish/vendor_completions.d/qxbatch.fish": fish.script(commands()),
        "man/man1/qxbatch.1": manual.page(),
    }


def main() -> None:
    """Write the files of the repository that this module is in."""
    data_dir = Path(__file__).resolve().parents[3] / DATA_DIR
    for name, text in files().items():
        path = data_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
