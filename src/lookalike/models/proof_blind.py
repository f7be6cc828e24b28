"""What a blind test counted, as a part of a proof, and how people read it."""

from dataclasses import dataclass

from lookalike.models.proof_parts import (
    PairedTest,
    PermutationTest,
    QueryChanges,
    check,
    is_count,
    is_share,
)

Interval = tuple[float, float]


@dataclass(frozen=True)
class BlindResult:
    """What was ticked among the first hits of plain and of the lens, by somebody who did not know which are whose.

    Attributes:
        questions: how many were answered.
        skipped: how many were passed over, and replaced while there were others.
        sets: of questions that were asked, one or two.
        first: how many first hits of each way count, 12.
        plain, lens: the mean share of these that belongs with the query, 0 to 1.
        plain_interval, lens_interval: the 95% interval of each.
        level: of the one-sided test.
        with_order: questions with right and with wrong pictures: those that tell something about their order.
        order: of the closed form of the examples, the mean share of pairs of a right and a wrong picture that it puts
            in the right order; None where that was not looked at. `Proof.permutation` has those of shuffled answers.
    """

    questions: int
    skipped: int
    sets: int
    first: int
    plain: float
    lens: float
    plain_interval: Interval
    lens_interval: Interval
    level: float
    with_order: int
    order: float | None

    def __post_init__(self) -> None:
        counts = ("questions", "skipped", "sets", "first", "with_order")
        check(
            **{name: (value := getattr(self, name), is_count(value)) for name in counts},
            **{name: (value := getattr(self, name), is_share(value)) for name in ("plain", "lens", "level")},
            **{
                name: (value := getattr(self, name), _is_interval(value))
                for name in ("plain_interval", "lens_interval")
            },
            order=(self.order, self.order is None or is_share(self.order)),
        )

    def rows(self) -> list[str]:
        """The comparison as lines of a table."""
        title = f"of the first {self.first}"
        lines = [f"{title:16}{'belong':>15}   95% interval"]
        for name, share, (low, high) in (
            ("before (plain)", self.plain, self.plain_interval),
            ("the lens", self.lens, self.lens_interval),
        ):
            belong, least, most = (f"{self.first * value:.1f}" for value in (share, low, high))
            lines.append(f"{name:16}{belong:>15}   {least} to {most}")
        return lines

    def remarks(self, test: PairedTest, permutation: PermutationTest, queries: QueryChanges) -> list[str]:
        """What must be said about it, in lines for people."""
        certain = f", with {1 - self.level:.1%} certainty above {self.first * test.lower:+.1f}"
        lines = [
            f"The lens won {queries.won:,} of {self.questions:,} questions and lost {queries.lost:,}: "
            f"{self.first * test.difference:+.1f} pictures" + (certain if test.method == "bootstrap" else "") + ".",
            "Asked about pictures drawn at random, of which nothing had been said; the first hits of both ways were "
            "shown together, shuffled. What was not ticked counts as not belonging.",
        ]
        if self.order is not None:
            best = max(permutation.recalls, default=0.0)
            lines.append(
                f"Right before wrong pictures: {self.order:.1%} with your answers, at most {best:.1%} with the same "
                f"answers laid on the pictures at random, {len(permutation.recalls)} times."
            )
        if self.skipped:
            lines.append(f"{self.skipped:,} questions were skipped.")
        return lines


def _is_interval(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 2 and all(map(is_share, value))
