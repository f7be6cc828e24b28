"""Write docs/command-line.md from what `--help` prints."""

from pathlib import Path

import click

from lookalike.cli.main import main


def reference() -> str:
    """The whole page, Markdown."""
    context = click.Context(
        main, info_name="lookalike", help_option_names=["-h", "--help"], max_content_width=100, terminal_width=100
    )
    parts = ["# The command line", "", "Written by `python tools/write_reference.py`.", ""]
    parts += [
        "Answers go to stdout, talk and progress to stderr. Exit codes: 0 good, 1 something that you can mend (one"
    ]
    parts += ["line says what), 2 wrong usage, 130 interrupted.", ""]
    for name in sorted(main.commands):
        command = main.commands[name]
        inner = click.Context(command, info_name=name, parent=context, max_content_width=100, terminal_width=100)
        parts += [f"## lookalike {name}", "", "```", command.get_help(inner), "```", ""]
    return "\n".join(parts)


if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs/command-line.md").write_text(reference(), encoding="utf-8")
