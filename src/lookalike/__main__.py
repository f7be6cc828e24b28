"""`python -m lookalike`, and what the command `lookalike` runs."""

import atexit
import gc
import sys

atexit.register(gc.freeze)  # what ends with the process is not searched for garbage: a seventh of a short run

try:
    from lookalike.cli.main import main
except KeyboardInterrupt:  # Ctrl-C before the command itself can take it
    if sys.stderr is not None:
        sys.stderr.write("Interrupted.\n")
    raise SystemExit(130) from None
except (ImportError, OSError, MemoryError) as error:
    from lookalike.errors import MemoryLimitError, is_out_of_memory

    if not is_out_of_memory(error):
        raise
    if sys.stderr is not None:
        sys.stderr.write(f"{MemoryLimitError('lookalike')}\n")
    raise SystemExit(1) from None

if __name__ == "__main__":
    main(prog_name="lookalike")
