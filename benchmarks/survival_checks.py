"""What a collection holds after a blow, and what of it is wrong: for kills.py and power_cuts.py."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lance
import numpy as np
from click.testing import CliRunner

from lookalike import Collection
from lookalike.cli.main import main
from lookalike.collection import searcher, switch_backbone
from lookalike.index import lance_io
from lookalike.models.lens import Lens

if TYPE_CHECKING:
    from survival import World

Rows = dict[str, str]  # file -> content, hexadecimal


@dataclass
class Found:
    """What a collection holds, as readers see it.

    Attributes:
        backbone, lens: in use.
        tables: id of a backbone -> the rows of its table.
        lenses: name -> fingerprint of its weights.
        accused: files that were being read alone when a run was killed: refused until they change.
        judgements: query, yes, no.
        faults: what is wrong, in words.
    """

    backbone: str | None = None
    lens: str | None = None
    tables: dict[str, Rows] = field(default_factory=dict)
    lenses: dict[str, str] = field(default_factory=dict)
    judgements: list[list[str | None]] = field(default_factory=list)
    accused: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def is_whole(self, on_disk: Rows) -> bool:
        """Whether the table in use is the folder."""
        return self.rows == {file: on_disk[file] for file in on_disk if file in self.rows or file not in self.accused}

    @property
    def rows(self) -> Rows:
        """Those of the table in use."""
        return self.tables.get(self.backbone or "", {})


@dataclass
class Ran:
    """One run of a verb: whether it ended by itself, its exit code, what it said, the commits that it finished."""

    finished: bool
    code: int = 0
    said: str = ""
    commits: list[tuple[str, Rows]] = field(default_factory=list)
    events: int = 0
    seconds: float = 0.0


def small_commits() -> None:
    """A few pictures a commit, so that a run has many, puts pieces together, and keeps ranking codes."""
    options = switch_backbone.IndexOptions
    switch_backbone.IndexOptions = lambda *args, **more: options(*args, **more, commit_rows=8)  # type: ignore
    lance_io.COMMITS_BEFORE_COMPACTION = 4
    lance_io.KEPT = timedelta(seconds=5)
    searcher.FEW = 20  # pictures from which on ranking codes are kept


def look(world: "World") -> dict[str, Any]:
    small_commits()
    found, on_disk = Found(), world.on_disk()
    where = [str(world.photos), "--at", str(world.at)]
    query = str(world.photos / min(on_disk))
    for words in (["status"], ["check", "--json"], ["lenses"], ["judge", "--list"], ["search", query]):
        result = CliRunner().invoke(main, [words[0], where[0], *words[1:], *where[1:]])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            found.faults.append(f"{words[0]}: {type(result.exception).__name__}: {result.exception}")
        elif result.exit_code and words[0] != "check":
            found.faults.append(f"{words[0]}: {result.stderr.strip()}")
        if words[0] == "check":
            parts = [json.loads(line) for line in result.stdout.splitlines()]
            found.faults += [f"check: {one['what']}" for one in parts if not world.may_be(one)]
    collection = Collection(world.photos, at=world.at)
    config = collection.home.require_config()
    found.backbone, found.lens = config.backbone, config.lens
    found.judgements = [[one.query, one.yes, one.no] for one in collection.judgements.standing()]
    found.accused = [one.file for one in collection.refused.rows() if one.kind == "killed"]
    learned = {name: Lens.load(collection.home.lens(name)) for name in collection.home.lenses()}
    found.lenses = {name: lens.fingerprint for name, lens in learned.items()}
    if found.lens is not None and found.lens not in learned:
        found.faults.append(f"the lens in use, {found.lens}, is not there")
    for id in collection.home.tables():
        pictures = collection.home.open_table(id)
        snapshot = pictures.snapshot()
        if snapshot is None:
            continue
        columns = snapshot.columns()
        found.tables[id] = dict(zip(columns["file"], [one.hex() for one in columns["content"]], strict=True))
        if len(found.tables[id]) != len(columns["file"]):
            found.faults.append(f"{id}: a file is there twice")
        files, features = pictures.features()
        there = [row for row, file in enumerate(files) if on_disk.get(file) == found.tables[id][file]]
        true = collection._backbones.open(config, id).embed([world.photos / files[row] for row in there])
        same = (true * features[there].astype(np.float32)).sum(axis=1)
        found.faults += [f"{id}: {files[there[i]]} has other features" for i in np.flatnonzero(same < 0.999)]
        for name, lens in learned.items():
            if name in snapshot.lenses() and snapshot.weights(name) == lens.fingerprint:
                _, vectors = pictures.features(column=f"lens:{name}")
                filled = ~np.isin(files, snapshot.unfilled(name))
                if not np.allclose(vectors[filled].astype(np.float32), lens.apply(features)[filled], atol=2e-3):
                    found.faults.append(f"{id}: the column of {name} is not what the lens gives")
    return vars(found)


def left_over(at: Path, indexed: bool) -> list[str]:
    """Names with a dot in front, a log of a run, and files of tables that no version needs."""
    left = [str(path.relative_to(at)) for path in at.rglob(".*")]
    left += ["reading"] * (indexed and (at / "reading").exists())  # names suspects until the next index
    for one in (at / "tables").glob("[!.]*.lance"):
        needed = set()
        for version in lance.dataset(str(one)).versions():
            for fragment in lance.dataset(str(one), version=version["version"]).get_fragments():
                needed.update(f"data/{file.path}" for file in fragment.data_files())
                needed.update(filter(None, [fragment.deletion_file()]))
        there = [path.relative_to(one).as_posix() for name in ("data", "_deletions") for path in (one / name).glob("*")]
        left += [f"{one.name}/{name}" for name in there if name not in needed]
    return sorted(set(left))


def compare(world: "World", before: Found, words: list[str], ran: Ran, now: Found) -> list[str]:
    """What must be in the collection after a verb that was struck, or ended, and is not.

    Args:
        world: of the collection.
        before: what it held before the verb.
        words: of the verb.
        ran: how it ended.
        now: what the collection holds.
    """
    faults, verb = list(now.faults), words[0]
    if "Traceback" in ran.said or ran.code not in {0, 1}:
        faults.append(f"{verb}: {ran.said.strip()}")
    subject = words[words.index("--name") + 1] if "--name" in words else words[4] if verb in {"use", "forget"} else ""
    done, switches = ran.finished and ran.code == 0, "--backbone" in words or verb == "use"
    expected, on_disk = before.tables | dict(ran.commits), world.on_disk()
    for id, rows in expected.items():
        if id not in now.tables:
            if "--drop-old" not in words or id == now.backbone:
                faults.append(f"table {id} is lost")
        elif lost := [one for one, content in rows.items() if on_disk.get(one) == content != now.tables[id].get(one)]:
            faults.append(f"table {id}: {len(lost)} committed rows lost, such as {lost[0]}")
        elif ran.finished and rows != now.tables[id]:
            faults.append(f"table {id}: other rows than after the last commit")
    for name in sorted({*before.lenses, *now.lenses}):
        changes = name == subject and verb in {"learn", "forget"}
        if not changes and before.lenses.get(name) != now.lenses.get(name):
            faults.append(f"lens {name}: was {before.lenses.get(name)}, is {now.lenses.get(name)}")
        elif changes and verb == "learn" and name in before.lenses and name not in now.lenses:
            faults.append(f"lens {name} is lost")
    if done and verb in {"learn", "forget"} and (subject in now.lenses) != (verb == "learn"):
        faults.append(f"{verb} {subject} was done and has no effect")
    known, said = before.judgements, now.judgements
    added = [[words[4], yes, words[10]] for yes in (words[6], words[8])] if verb == "judge" and len(words) > 5 else []
    allowed = [known + added[:count] for count in range(len(added) + 1)]
    allowed += [known[:-1]] * ("--undo" in words)
    if said not in ([allowed[-1]] if done else allowed):
        faults.append(f"judgements: {len(known)} before, {len(said)} now")
    wanted = None if subject == "plain" else subject
    may_use = [before.lens] + [wanted] * (verb == "use" or "--use" in words) + [None] * (verb == "forget" or switches)
    if now.lens not in may_use or (done and verb == "use" and now.lens != wanted):
        faults.append(f"in use: was {before.lens}, is {now.lens}")
    if now.backbone != before.backbone and before.backbone and not switches:
        faults.append(f"backbone: was {before.backbone}, is {now.backbone}")
    return faults
