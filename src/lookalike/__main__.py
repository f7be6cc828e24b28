"""`python -m lookalike`: the command, for those who name their Python."""

from lookalike.cli.main import main

if __name__ == "__main__":
    main(prog_name="lookalike")
