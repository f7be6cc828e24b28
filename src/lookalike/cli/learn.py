"""The shell's verbs of teaching: learn, judge, lenses, use, forget, layers; words -> calls on Collection -> print."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lookalike.cli import console
from lookalike.collection.collection import Collection
from lookalike.models.layers import totals
from lookalike.text import printable_line

if TYPE_CHECKING:
    from lookalike.learning.datasets.judgements import Judgement


FOLDER = click.argument("folder", type=click.Path(path_type=Path))
AT = click.option("--at", type=click.Path(path_type=Path), help="Keep the collection in DIR, not in FOLDER/.lookalike.")


@click.command()
@FOLDER
@AT
@click.option(
    "--from",
    "data",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DATA",
    help="What to learn from: folders of classes, folders with matching names, a flat folder, or a CSV; several are "
    "united. Without it: your judgements once there are 20, else the pictures' own views.",
)
@click.option("--as", "as_", type=click.Choice(["sides", "classes", "views"]), help="How to read the folders of DATA.")
@click.option("--check", is_flag=True, help="Say what would be learned from and what held out, and stop.")
@click.option("--name", metavar="NAME", help="What to call the lens; by default after DATA.")
@click.option("--replace", is_flag=True, help="Take the place of a lens of that name.")
@click.option("--use", "use_it", is_flag=True, help="Put it into service, if its proof allows.")
@click.option("--quick", is_flag=True, help="The closed form alone: a second, and no torch.")
@click.option(
    "--loss",
    type=click.Choice(["softmax", "triplet", "soft-margin"]),
    default="softmax",
    show_default=True,
    help="What the correction makes smaller.",
)
@click.option(
    "--margin", type=click.FloatRange(0, 4), default=0.2, show_default=True, metavar="M", help="Of the triplet loss."
)
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="How often every group is seen.")
@click.option(
    "--rate",
    type=click.FloatRange(0, 1, min_open=True),
    metavar="R",
    help="Learning rate of the correction, or of the backbone.",
)
@click.option(
    "--unfreeze",
    metavar="LAYER",
    help="Let the backbone learn too, from this layer on (`lookalike layers` lists them); minutes, and torch.",
)
@click.option(
    "--recipe",
    type=click.Choice(["keras-siamese"]),
    help="The Keras example's network and settings as they were meant; --epochs (40), --rate, --unfreeze alter them.",
)
@click.option("--resume", is_flag=True, help="Go on with a learning with --unfreeze or --recipe that was broken off.")
@click.option(
    "--dims",
    type=click.IntRange(2),
    metavar="N",
    help="Dimensions of the embedding; by default all, and 512 above 20,000 pictures.",
)
@click.option(
    "--hold-out",
    type=click.Choice(["groups", "pictures"]),
    help="What the proof keeps from the lens: whole groups (new kinds), or pictures of each (new pictures of these).",
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Of everything that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="The proof as one line of JSON.")
def learn(
    folder: Path,
    at: Path | None,
    data: tuple[Path, ...],
    as_: Any,
    check: bool,
    name: str | None,
    replace: bool,
    use_it: bool,
    resume: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Learn a lens from examples, and prove it on queries held out before."""
    photos, source = Collection(folder, at=at), list(data) or None
    with console.learning() as report:
        if check:
            for line in photos.check(source, as_=as_, report=report, **how):
                click.echo(printable_line(line))
            return
        lens = photos.learn(
            source,
            as_=as_,
            name=name,
            replace=replace,
            use=use_it,
            resume=resume,
            report=report,
            say=lambda line: click.echo(printable_line(line), err=True),
            **how,
        )
    proof = lens.proof
    assert proof is not None  # what is learned is proved
    if as_json:
        click.echo(json.dumps({"lens": lens.name, **proof.to_json()}, ensure_ascii=False))
    else:
        click.echo(proof.table())
    place = photos.home.lens(lens.name)
    click.echo(f"\nKept in {place} (look at proof.png: the queries won and lost, with their hits).", err=True)
    click.echo("Next:", err=True)
    (row,) = [row for row in photos.lenses() if row["name"] == lens.name]
    search = f"    lookalike search {photos.home.shell_words} QUERY --lens {lens.name} --grid grid.png"
    if row["here"]:
        click.echo(search, err=True)
    if not row["serves"]:
        told = "" if proof.serves else " --anyway"
        click.echo(f"    lookalike use {photos.home.shell_words} {lens.name}{told}", err=True)
    if not row["here"]:  # its backbone has to read the pictures first
        click.echo(search, err=True)


@click.command()
@FOLDER
@click.argument("query", required=False)
@AT
@click.option("--yes", multiple=True, metavar="FILE", help="Belongs with QUERY; may be given several times.")
@click.option("--no", multiple=True, metavar="FILE", help="Is less like QUERY than each --yes; several times too.")
@click.option(
    "--from", "data", type=click.Path(path_type=Path, dir_okay=False), metavar="CSV", help="Columns query, yes, no."
)
@click.option("--list", "list_them", is_flag=True, help="The judgements that stand.")
@click.option("--undo", is_flag=True, help="Take the last one back.")
@click.option("--json", "as_json", is_flag=True, help="With --list: one line of JSON a judgement.")
def judge(
    folder: Path,
    query: str | None,
    at: Path | None,
    yes: tuple[str, ...],
    no: tuple[str, ...],
    data: Path | None,
    list_them: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Say what belongs with QUERY, and what is less like it: examples for `learn`."""
    photos = Collection(folder, at=at)
    if sum([query is not None, data is not None, list_them, undo]) != 1:
        raise click.UsageError("name a QUERY with --yes FILE, or give one of --from, --list, --undo.")
    if list_them:
        for one in photos.judgements.standing():
            if as_json:
                click.echo(json.dumps({"query": one.query, "yes": one.yes, "no": one.no}, ensure_ascii=False))
            else:
                click.echo(_told(one))
    elif undo:
        click.echo(f"taken back: {_told(photos.judgements.undo())}", err=True)
    else:
        added = photos.judge_from(data) if data is not None else photos.judge(str(query), yes=yes, no=no)
        standing = len(photos.judgements.standing())
        click.echo(f"{added:,} added, {standing:,} stand. Learn from them with: lookalike learn {folder}", err=True)


@click.command()
@FOLDER
@AT
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a lens.")
def lenses(folder: Path, at: Path | None, as_json: bool) -> None:
    """The lenses of FOLDER, with what their proofs say; * is in service."""
    photos = Collection(folder, at=at)
    rows = photos.lenses()
    for row in rows:
        if as_json:
            click.echo(json.dumps(row, ensure_ascii=False))
        else:
            on = "" if row["here"] or row["backbone"] is None else f" (On {row['backbone']}, not in service.)"
            told = f"{row['words']}{on}"
            click.echo(f"{'*' if row['serves'] else ' '} {row['name']:20}{row.get('date', '')[:10]:12}{told}")
    if rows and not as_json:
        click.echo(f"\nTheir proofs as pictures: {photos.home.lens('NAME') / 'proof.png'}", err=True)
    if not rows:
        click.echo(f"None yet. Learn one with: lookalike learn {folder} --from DATA", err=True)


@click.command()
@FOLDER
@AT
@click.option(
    "--unfreeze", metavar="LAYER", help="From this layer on they would learn: a name, the start of one, or an index."
)
@click.option("--json", "as_json", is_flag=True, help="One line of JSON a layer.")
def layers(folder: Path, at: Path | None, unfreeze: str | None, as_json: bool) -> None:
    """The layers of FOLDER's backbone, trainable or frozen."""
    rows = Collection(folder, at=at).layers(unfreeze)
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row), ensure_ascii=False))
    elif sys.stdout.isatty():
        console.console().print(console.layers(rows))
    else:
        for line in console.layer_lines(rows):
            click.echo(line)
    for line in totals(rows):
        click.echo(line, err=True)


@click.command()
@FOLDER
@click.argument("name")
@AT
@click.option("--anyway", is_flag=True, help="Even where its proof does not say that it is better than plain.")
def use(folder: Path, name: str, at: Path | None, anyway: bool) -> None:
    """Search FOLDER through the lens NAME from now on; 'plain' for none, and back to the original backbone."""
    with console.indexing() as report:
        said: list[str] = []
        Collection(folder, at=at).use(name, anyway=anyway, report=report, say=said.append)
    for line in said:
        click.echo(printable_line(line), err=True)
    click.echo(f"{name} is in service.", err=True)


@click.command()
@FOLDER
@click.argument("name")
@AT
def forget(folder: Path, name: str, at: Path | None) -> None:
    """Remove the lens NAME of FOLDER."""
    Collection(folder, at=at).forget(name, say=lambda line: click.echo(line, err=True))
    click.echo(f"{name} is forgotten.", err=True)


def _told(one: "Judgement") -> str:
    less = f", rather than {one.no}" if one.no else ""
    return printable_line(f"{one.query}: {one.yes}{less}")
