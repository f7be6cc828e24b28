"""A reporter that keeps what it is told."""

from lookalike.progress import Progress, Reporter


class Recording(Reporter):
    """Keeps progress and messages, in order."""

    def __init__(self) -> None:
        self.seen: list[Progress] = []
        self.lines: list[str] = []

    def progress(self, progress: Progress) -> None:
        self.seen.append(progress)

    def message(self, line: str) -> None:
        self.lines.append(line)

    @property
    def stages(self) -> set[str]:
        return {now.stage for now in self.seen}
