"""The command line: words from the shell -> calls on Collection -> lines."""
