"""How often the same examples were proved in a collection: a line a proof, so that the best of many tries is known."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import CollectionError
from lookalike.files import append_lines, digest, read_lines
from lookalike.learning.config import LearnConfig
from lookalike.learning.datasets.dataset import Dataset
from lookalike.learning.feature_set import FeatureSet
from lookalike.learning.pipeline import described
from lookalike.learning.provenance import provenance
from lookalike.models.proof import Proof
from lookalike.models.proof_parts import Attempt
from lookalike.progress import SILENT, Reporter
from lookalike.text import plural

LONGEST_LINE = 4096  # bytes; ours have about 200
MOST_BYTES = 1 << 24  # that are read, at the end of the file: some 80,000 proofs


@dataclass(frozen=True)
class ProofKey:
    """What is proved.

    Attributes:
        examples: digest of what belongs together, see `examples_digest`.
        way: digest of how it is learned and searched: configuration, backbone, layout, sides, version.
    """

    examples: str
    way: str


class ProofLog:
    """The proofs of a collection, in a file that only grows; nothing is written before the first.

    What is no line of ours is passed over. A lens that is removed leaves its line: it was tried.

    Args:
        path: proofs.jsonl.
        added: called after a line was added, for who keeps it elsewhere as well; None for nobody.
    """

    def __init__(self, path: Path, added: Callable[[], None] | None = None):
        self.path, self._added = path, added

    def attempt(self, key: ProofKey) -> Attempt:
        """Which proof of these examples the next one is.

        Raises: CollectionError, when the file cannot be read.
        """
        ways = [way for examples, way in self._proofs() if examples == key.examples]
        others = list(dict.fromkeys(ways))  # in the order in which they were first proved
        number = others.index(key.way) if key.way in others else len(others)
        return Attempt(len(ways), number + 1)

    def add(self, key: ProofKey, lens: str, proof: Proof, reporter: Reporter = SILENT) -> None:
        """Keep that these examples were proved, whatever becomes of the lens.

        Args:
            key: what was proved.
            lens: its name.
            proof: of it.
            reporter: told where that cannot be written: what was learned is not thrown away for it.
        """
        t = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        line = {"t": t, "examples": key.examples, "way": key.way, "lens": lens, "verdict": proof.verdict}
        try:
            append_lines(self.path, [json.dumps(line)])
            if self._added is not None:
                self._added()
        except OSError as error:
            reporter.message(
                f"{self.path}: cannot be written ({error.strerror}), so this proof is not counted. Check its "
                "permissions, or free some space."
            )

    def notes(self) -> tuple[str, ...]:
        """What is passed over in the file, in a line for people.

        Raises: CollectionError, when it cannot be read.
        """
        odd = sum(one is None for one in self._entries())
        return (f"passed over: {plural(odd, 'line')} with no proof",) if odd else ()

    def _proofs(self) -> Iterator[tuple[str, str]]:
        return (one for one in self._entries() if one is not None)

    def _entries(self) -> Iterator[tuple[str, str] | None]:
        """Digests of examples and way, line by line; None for what is no line of ours."""
        try:
            for line in read_lines(self.path, LONGEST_LINE, MOST_BYTES):
                yield _parsed(line)
        except OSError as error:
            raise CollectionError(
                f"{self.path}: cannot be read ({error.strerror}). Check its permissions; it counts how often examples "
                "were proved."
            ) from error


def _parsed(line: bytes | None) -> tuple[str, str] | None:
    try:
        entry = json.loads(line) if line is not None else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    examples, way = entry.get("examples"), entry.get("way")
    return (examples, way) if isinstance(examples, str) and isinstance(way, str) else None


def key_of(dataset: Dataset, features: FeatureSet, config: LearnConfig, backbone: str, folder: Path) -> ProofKey:
    """What will be proved.

    Args:
        dataset: the examples.
        features: of them.
        config: how they are learned from.
        backbone: the id of the backbone of the features, or of the one that is fine-tuned.
        folder: of the collection.
    """
    way = {
        **described(config),
        "backbone": backbone,
        "layout": dataset.layout,
        "sides": None if features.domains is None else _groups(features.content, features.domains).hex(),
        "version": provenance()["versions"]["lookalike"],
    }
    # Pictures without labels are sampled, and cut, by the seed: their names do not depend on it.
    examples = names_digest(dataset.paths, folder) if dataset.views else examples_digest(features)
    return ProofKey(examples, digest([json.dumps(way, sort_keys=True).encode()]).hex())


def examples_digest(features: FeatureSet) -> str:
    """A digest of what belongs together: groups of two contents or more, and triplets of contents.

    Neither the order of rows, nor names of files or labels, nor copies, nor sides count.
    """
    triplets = [] if features.triplets is None else features.triplets.tolist()
    threes = {_joined([features.content[row] for row in three]) for three in triplets}
    return digest([_groups(features.content, features.labels), _joined(sorted(threes))]).hex()


def _groups(content: tuple[bytes, ...], labels: NDArray[np.int64]) -> bytes:
    """A digest of which contents have a label in common, in any order; those alone with theirs do not count."""
    groups: dict[int, set[bytes]] = {}
    for one, label in zip(content, labels.tolist(), strict=True):
        if label >= 0:
            groups.setdefault(label, set()).add(one)
    return _joined(sorted({_joined(sorted(group)) for group in groups.values() if len(group) > 1}))


def names_digest(paths: tuple[Path, ...], folder: Path) -> str:
    """A digest of pictures of which nothing is known but that they are there, in any order."""
    root = folder.resolve()
    wholes = (path.resolve() for path in paths)
    names = (str(one.relative_to(root) if one.is_relative_to(root) else one) for one in wholes)
    return digest([b"views", _joined(sorted({name.encode(errors="surrogateescape") for name in names}))]).hex()


def _joined(parts: list[bytes]) -> bytes:
    """A digest of byte strings in their order, of any lengths."""
    return digest(part for one in parts for part in (len(one).to_bytes(8, "little"), one))
