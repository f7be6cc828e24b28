"""What people said of pictures -> examples: pairs and groups joined, triplets, and what contradicts itself left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from pathlib import Path

import numpy as np

from lookalike.errors import ExamplesError
from lookalike.images.fetched import is_stand_in
from lookalike.learning.datasets.dataset import Dataset, Identities
from lookalike.learning.datasets.judgement_lines import Apart, Judgement, Saying, groups_from
from lookalike.learning.labels import Rows
from lookalike.names import Folders
from lookalike.text import first_few, plural

PARTNERS = 8  # of a picture that was said to be apart from another: so many triplets each way
Two = tuple[int, int]


def examples_from(sayings: Sequence[Saying], folder: Path, notes: Sequence[str] = (), name: object = "") -> Dataset:
    """What stands, as examples.

    A yes without a no is a pair; pairs and groups join their pictures transitively. A yes with a no is a triplet and
    nothing more: that one picture is more like the query than another does not say that it belongs with it. Of two
    triplets that contradict each other the later counts. Two pictures that are apart make triplets: each of them, one
    of at most 8 partners, the other. Where pairs and groups would join pictures that are apart, the reading is taken
    that leaves out few sayings, see `join`. What was said of duplicates and in blind tests is not read.

    Args:
        sayings: that stand, oldest first.
        folder: the collection's; sayings about files that are gone from it are left out.
        notes: further lines for people.
        name: of the file, for errors.
    Raises: ExamplesError, when nothing is left.
    """
    taught = [one for one in sayings if isinstance(one, Judgement) or type(one) is Apart]
    groups = groups_from(sayings)
    named = [*(file for one in taught for file in _in_order(one)), *(file for group in groups for file in group.files)]
    paths, row = _files_of(named, folder)
    links: dict[Two, str] = {}  # two pictures, or a picture and its group -> the saying in words
    apart: dict[Two, str] = {}
    triplets: dict[tuple[int, int, int], None] = {}
    against = without = 0
    pairs = set()
    for one in taught:
        at = [row.get(file) for file in _in_order(one)]
        if None in at:
            without += 1
            continue
        rows = [int(place) for place in at if place is not None]
        if len(set(rows)) < len(rows):  # two names of one picture
            continue
        two = (min(rows[:2]), max(rows[:2]))
        if isinstance(one, Apart):
            apart.setdefault(two, str(one))
        elif len(rows) == 2:
            links.setdefault(two, str(one))
            pairs.add(tuple(rows))
        else:
            query, yes, no = rows
            against += (query, no, yes) in triplets
            triplets.pop((query, no, yes), None)
            triplets[query, yes, no] = None
    members = 0
    for number, group in enumerate(groups):
        there = dict.fromkeys(row[file] for file in group.files if file in row)
        members += len(there)
        for place in there:
            links[place, len(paths) + number] = f"{paths[place].name} in group {group.name or group.id}"
    joined = join(len(paths) + len(groups), list(links), list(apart))
    label = _labels(joined.cluster[: len(paths)])
    explicit = len(triplets)
    for a, b in (two for two, stands in zip(apart, joined.apart_stands, strict=True) if stands):
        for anchor, other in ((a, b), (b, a)):
            for partner in _partners(anchor, label, links):
                if (anchor, other, partner) not in triplets:
                    triplets.setdefault((anchor, partner, other), None)
    gone = sorted({file for file in named if file not in row})
    if not (label >= 0).any() and not triplets:
        many = plural(len(taught) + len(groups), "judgement")
        why = f": {many}, about files that are gone ({first_few(gone)})" if gone else ""
        raise ExamplesError(f"{name}: no judgements to learn from{why}. Add some with lookalike judge.")
    three = np.array(list(triplets), np.int64).reshape(-1, 3)
    used, at_three = np.unique(np.concatenate([np.flatnonzero(label >= 0), three.ravel()]), return_inverse=True)
    said = [plural(len(pairs), "pair"), plural(explicit, "triplet")]
    said = [f"{said[0]} and {said[1]}"] if not apart and not members else said
    said += [f"{plural(len(apart), 'pair')} kept apart"] if apart else []
    said += [f"{plural(members, 'picture')} in {plural(len(groups), 'group')}"] if members else []
    how = [f"judgements: {', '.join(said)} of {plural(len(used), 'picture')}"]
    if against:
        how.append(f"left out: {plural(against, 'judgement')} that a later one contradicts")
    out = [words for words, stands in zip(links.values(), joined.link_stands, strict=True) if not stands]
    out += [words for words, stands in zip(apart.values(), joined.apart_stands, strict=True) if not stands]
    if out:
        how.append(f"left out: {plural(len(out), 'judgement')} that others contradict: {first_few(out)}")
    if gone:
        how.append(f"left out: {plural(without, 'judgement')} about files that are gone: {first_few(gone)}")
    rows_of_three = at_three[int((label >= 0).sum()) :].reshape(-1, 3).astype(np.int64) if len(three) else None
    kept = tuple(paths[place] for place in used)
    return Dataset(kept, label[used], None, rows_of_three, "judgements", (*how, *notes))


@dataclass(frozen=True)
class Joined:
    """Who belongs together when sayings contradict each other.

    Attributes:
        cluster: (n,) int64, equal for what belongs together.
        link_stands, apart_stands: which sayings are used.
    """

    cluster: Rows
    link_stands: list[bool]
    apart_stands: list[bool]


def join(n: int, links: Sequence[Two], apart: Sequence[Two]) -> Joined:
    """Join what links join, but for pictures that more sayings keep apart.

    Two clusters are joined while more links than "apart" lie between them, the strongest first, of equals the one that
    was said first. Without contradictions these are the connected components. What a join would contradict is left out:
    the links between clusters that stay apart, "apart" within a cluster, and, where as many sayings join two clusters
    as keep them apart, both.

    Args:
        n: how many nodes there are.
        links: pairs of nodes that belong together, each once.
        apart: pairs that do not, each once.
    Source: greedy additive edge contraction of Keuper et al., ICCV 2015, for correlation clustering (Bansal, Blum and
        Chawla, 2004).

    >>> join(3, [(0, 1), (1, 2)], [(0, 2)]).cluster.tolist()  # 0 and 1 were joined first
    [0, 0, 2]
    """
    weight: list[dict[int, int]] = [{} for _ in range(n)]
    first: dict[Two, int] = {}
    for sign, some in ((1, links), (-1, apart)):
        for a, b in some:
            for one, other in ((a, b), (b, a)):
                weight[one][other] = weight[one].get(other, 0) + sign
    for place, (a, b) in enumerate(links):
        first.setdefault((min(a, b), max(a, b)), place)
    cluster = np.arange(n)
    members = [[one] for one in range(n)]
    heap = [(-weight[a][b], place, a, b) for (a, b), place in first.items()]
    heapify(heap)
    while heap:
        negative, place, a, b = heappop(heap)
        if negative >= 0:
            break
        if weight[a].get(b) != -negative or not members[a] or not members[b]:
            continue  # one of the two has grown since
        for other, more in weight[b].items():
            if other == a:
                continue
            weight[a][other] = weight[other][a] = weight[a].get(other, 0) + more
            del weight[other][b]
            if weight[a][other] > 0:
                heappush(heap, (-weight[a][other], place, min(a, other), max(a, other)))
        del weight[a][b]
        weight[b] = {}
        cluster[members[b]] = a
        members[a], members[b] = members[a] + members[b], []
    between = {(int(a), int(b)): left for a, some in enumerate(weight) for b, left in some.items()}
    link_stands = [bool(cluster[a] == cluster[b]) for a, b in links]
    linked = {(int(cluster[a]), int(cluster[b])) for a, b in [*links, *((b, a) for a, b in links)]}

    def stands(a: int, b: int) -> bool:
        two = int(cluster[a]), int(cluster[b])
        return two[0] != two[1] and (two not in linked or between[two] < 0)

    return Joined(cluster, link_stands, [stands(a, b) for a, b in apart])


def _labels(cluster: Rows) -> Rows:
    """Clusters of two and more, numbered by their first row: (n,) int64, -1 for rows that are alone."""
    names, first, at, sizes = np.unique(cluster, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(np.where(sizes > 1, first, len(cluster) + 1), kind="stable")
    number = np.full(len(names), -1)
    number[order[: int((sizes > 1).sum())]] = np.arange(int((sizes > 1).sum()))
    return np.asarray(number[at], np.int64)


def _partners(one: int, label: Rows, links: dict[Two, str]) -> list[int]:
    """At most 8 pictures that belong with this one, those first that were said to."""
    if label[one] < 0:
        return []
    others = [int(row) for row in np.flatnonzero(label == label[one]) if row != one]
    others.sort(key=lambda row: (min(one, row), max(one, row)) not in links)
    return others[:PARTNERS]


def _in_order(one: Saying) -> list[str]:
    """The files of a pair, a triplet, or two pictures that are apart."""
    if isinstance(one, Judgement):
        return [one.query, one.yes] if one.no is None else [one.query, one.yes, one.no]
    return [one.one, one.other] if isinstance(one, Apart) else []


def _files_of(files: Sequence[str], folder: Path) -> tuple[list[Path], dict[str, int]]:
    """The pictures that are named, each once, and the row of each file's name; none for files gone."""
    identities, folders, elsewhere = Identities(), Folders(), is_stand_in(folder)
    paths: list[Path] = []
    known: dict[str, int] = {}
    row: dict[str, int] = {}
    for file in dict.fromkeys(files):
        path = folder / file
        identity = identities.of_name(path) if elsewhere else identities.of(path)
        if identity := identity or identities.of(path := Path(folders.find(path) or path)):
            row[file] = known.setdefault(identity, len(known))
            if row[file] == len(paths):
                paths.append(path)
    return paths, row
