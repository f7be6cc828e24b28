"""The lens that `index` learns by itself from a collection's own pictures: when, from which, and what is said."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lookalike.collection.config import CollectionConfig
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.lens_permission import is_label_free
from lookalike.collection.lens_store import LensStore
from lookalike.collection.view_features import view_features
from lookalike.errors import Cancelled, LensError, LookalikeError
from lookalike.files import atomic_write
from lookalike.images.limits import LIMITS, Limits
from lookalike.index.catalog import as_contents
from lookalike.index.snapshot import Snapshot
from lookalike.learning.closed_form.label_free import MOST, NAME, label_free, label_free_config
from lookalike.learning.labelled_features import PartWeights
from lookalike.learning.provenance import provenance
from lookalike.models.backbone import Backbone
from lookalike.models.lens import Lens
from lookalike.progress import SILENT, Reporter

ENOUGH = 300  # pictures of different content, from which on it is learned
VIEWS_EACH = 2
PICTURES_A_VIEW = 16  # so many pictures are indexed for each view that is embedded besides
FEWEST_VIEWS, MOST_VIEWS = 24, 800
TOLD = "told"  # a file beside the lens: how many pictures there were when something was last said of it


@dataclass(frozen=True)
class Sample:
    """What a lens without labels is made of.

    Attributes:
        rows: (n, f) features of pictures; views: (v, f); viewed: (v,) of which of the rows each is.
        pictures: of different content, in the collection.
    """

    rows: NDArray[np.float32]
    views: NDArray[np.float32]
    viewed: NDArray[np.int64]
    pictures: int


class OwnLens:
    """The lens `own` of a collection. Everything here is called under the collection's lock.

    Args:
        home: of the collection.
        lenses: its lenses.
        limits: what a picture may cost.
    """

    def __init__(self, home: CollectionFolder, lenses: LensStore, limits: Limits = LIMITS):
        self.home, self.lenses, self.limits = home, lenses, limits

    def update(
        self, before: CollectionConfig | None, config: CollectionConfig, backbone: Backbone, reporter: Reporter = SILENT
    ) -> tuple[CollectionConfig, list[str]]:
        """Learn it where it is due; where it is there, only say so when the collection has doubled since.

        Whatever goes wrong is said in a line, and changes nothing: the pictures are indexed.

        Args:
            before: the configuration before the index run; None where there was none.
            config: the configuration now.
            backbone: in use now.
            reporter: told of the views that are embedded.
        Returns: the configuration afterwards, and lines for people.
        Raises: Cancelled.
        """
        try:
            return self._update(before, config, backbone, reporter)
        except Cancelled:
            raise
        except (LookalikeError, OSError, MemoryError, RuntimeError, np.linalg.LinAlgError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            return self.home.config() or config, [f"{NAME}, the lens from pictures alone, was not learned: {reason}"]

    def _update(
        self, before: CollectionConfig | None, config: CollectionConfig, backbone: Backbone, reporter: Reporter
    ) -> tuple[CollectionConfig, list[str]]:
        snapshot = self.home.open_table(backbone.id).snapshot()
        if snapshot is None or len(snapshot) < ENOUGH or self.home.own_forgotten.exists():
            return config, []
        kept = self.lenses.get(NAME) if NAME in self.home.lenses() else None
        if kept is not None and not is_label_free(kept):
            return config, []  # somebody's own lens of that name
        if kept is not None and kept.backbone == backbone.id:
            return self._told(kept, config, len(_first_of_each(snapshot)))
        if kept is not None and config.lens not in (None, NAME):
            return config, []  # a lens of a tuned backbone serves; this one is for the way back
        sample = self.sample(snapshot, backbone, reporter)
        if sample.pictures < ENOUGH:
            return config, []
        lens = learned(sample, backbone)
        was_used = kept is None or (before is not None and before.lens == NAME)
        config = self.lenses.commit(config, lens, {}, use=config.lens is None and was_used)
        return self._told(lens, config, sample.pictures)

    def _told(self, lens: Lens, config: CollectionConfig, pictures: int) -> tuple[CollectionConfig, list[str]]:
        """What is to be said of the lens that is there, each thing once."""
        marker, words = self.home.saved_lens(NAME) / TOLD, self.home.shell_words
        try:
            last = int(marker.read_text())
        except (OSError, ValueError):
            last = 0
        if not last and lens.proof is None:
            last = int(lens.settings.get("pictures", pictures))
            line = f"The lens {NAME} was learned from these {pictures:,} pictures alone: sharper than plain on most."
            if config.lens == NAME:
                line += f" Searches use it from now on; back to plain with: lookalike use {words} plain"
            else:
                line += f" To use it: lookalike use {words} {NAME}"
        elif pictures >= 2 * (last := last or int(lens.settings.get("pictures", pictures))):
            line = (
                f"The lens {NAME} was learned when there were {last:,} pictures, and there are {pictures:,} now. To "
                f"learn it anew: lookalike learn {words} --as views --replace"
            )
            last = pictures
        else:
            return config, []
        atomic_write(marker, str(last).encode())
        return config, [line]

    def sample(
        self, snapshot: Snapshot, backbone: Backbone, reporter: Reporter = SILENT, views: int | None = None
    ) -> Sample:
        """Features of pictures, each content once, and of views of some of them.

        Args:
            snapshot: of the table of this backbone.
            backbone: embeds the views.
            reporter: told of each view: "embedding".
            views: how many; None for as many as lengthen an index run little.
        """
        rng, first = np.random.default_rng(0), _first_of_each(snapshot)
        some, rows = _spread(snapshot, first, rng)
        count = min(MOST_VIEWS, max(FEWEST_VIEWS, len(first) // PICTURES_A_VIEW)) if views is None else views
        chosen = np.sort(rng.permutation(len(some))[: -(-count // VIEWS_EACH)])
        paths = [self.home.folder / file for file in snapshot.rows(some[chosen], "file").column("file").to_pylist()]
        seen, of = view_features(paths, VIEWS_EACH, backbone, limits=self.limits, reporter=reporter)
        return Sample(rows, seen, chosen[of], len(first))


def spread_of(snapshot: Snapshot | None) -> NDArray[np.float32] | None:
    """Features of pictures of a collection, (m, f), of which nothing else need be known; None where they are few."""
    first = np.zeros(0, np.int64) if snapshot is None else _first_of_each(snapshot)
    if snapshot is None or len(first) < ENOUGH:
        return None
    return _spread(snapshot, first, np.random.default_rng(0))[1]


def own_of(lenses: LensStore, backbone: str) -> Lens | None:
    """The lens from pictures alone that a collection has for a backbone; None for none, or where it is damaged."""
    try:
        lens = lenses.get(NAME)
    except LensError:
        return None
    return lens if is_label_free(lens) and lens.backbone == backbone else None


def learned(sample: Sample, backbone: Backbone) -> Lens:
    """The lens of a sample, with what its settings shall say."""
    scale = PartWeights.of(backbone.bundle).scale
    lens = label_free(sample.rows, sample.views, sample.viewed, label_free_config(sample.pictures), scale=scale)
    about = {"backbone": backbone.id, "backbone_name": backbone.name, "data": ["views"], "layout": "views"}
    return replace(lens, settings={**lens.settings, **about, "pictures": sample.pictures, **provenance()})


def _first_of_each(snapshot: Snapshot) -> NDArray[np.int64]:
    """The first row of each content, in the order of the contents."""
    contents = as_contents(snapshot.read("content").column("content").combine_chunks())
    return np.unique(contents.view("S16").ravel(), return_index=True)[1].astype(np.int64)


def _spread(
    snapshot: Snapshot, rows: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """A sample of rows, ascending, and their features; those that hold what is no number are left out."""
    some = np.sort(rng.permutation(rows)[:MOST])
    features = np.asarray(snapshot.take(some, "features"), np.float32)
    good = np.isfinite(features).all(axis=1)
    return some[good], features[good]
