"""The shell's verbs of learning: learn, judge, lenses, use, forget, layers; words -> calls on Collection -> print."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

import click

from lookalike.cli import console
from lookalike.cli.options import AT, FOLDER, open_collection, with_workers
from lookalike.cli.output import echo, echo_json, is_terminal
from lookalike.learning.config import LOSSES, LearnOptions
from lookalike.models.layers import totals
from lookalike.text import printable_line

if TYPE_CHECKING:
    from lookalike.distributed.engine import WorkersKeywords
    from lookalike.learning.datasets.tables import Layout


@click.command()
@FOLDER
@AT
@click.option(
    "--from",
    "data",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DATA",
    help="What to learn from: folders of classes, folders with matching names, a flat folder, or a CSV; may be given "
    "several times. Without it: your judgements once there are 20, else the pictures alone.",
)
@click.option(
    "--as",
    "as_",
    type=click.Choice(["sides", "classes", "views"]),
    help="How to read DATA; views: no labels, each picture by itself. Without DATA: the collection's pictures.",
)
@click.option("--check", is_flag=True, help="Print what would be learned from and what held out, and stop.")
@click.option("--name", metavar="NAME", help="Name of the lens; by default after DATA.")
@click.option("--replace", is_flag=True, help="Replace a lens of that name.")
@click.option("--use", "use_it", is_flag=True, help="Put the lens into service, if its proof allows.")
@click.option("--quick", is_flag=True, help="The closed form alone: a second, without torch.")
@click.option(
    "--loss",
    type=click.Choice(LOSSES),
    show_default="softmax",
    help="Training loss.",
)
@click.option(
    "--margin", type=click.FloatRange(0, 4), show_default="0.2", metavar="M", help="Margin of the triplet loss."
)
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="How often every group is seen in training.")
@click.option("--rate", type=click.FloatRange(0, 1, min_open=True), metavar="R", help="Learning rate.")
@click.option(
    "--unfreeze",
    metavar="LAYER",
    help="Fine-tune the backbone too, from this layer on (`lookalike layers` lists them); takes minutes, and torch.",
)
@click.option(
    "--recipe",
    type=click.Choice(["keras-siamese"]),
    help="The network and settings of the Keras example; --epochs (40), --rate and --unfreeze change them.",
)
@click.option("--anyway", is_flag=True, help="With --recipe: keep its network even where the proof prefers another.")
@click.option("--resume", is_flag=True, help="Continue an interrupted learning with --unfreeze or --recipe.")
@click.option(
    "--dims",
    type=click.IntRange(2),
    metavar="N",
    help="Dimensions of the embedding; by default all, and 512 above 20,000 pictures.",
)
@click.option(
    "--hold-out",
    type=click.Choice(["groups", "pictures"]),
    help="What the proof holds out: whole groups (tests new kinds), or pictures of each group (tests new pictures of "
    "known kinds).",
)
@click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Random seed.")
@click.option("--json", "as_json", is_flag=True, help="Print the proof as one line of JSON.")
@with_workers
def learn(
    folder: Path | str,
    at: Path | str | None,
    data: tuple[Path, ...],
    as_: "Layout | None",
    check: bool,
    name: str | None,
    replace: bool,
    use_it: bool,
    quick: bool,
    loss: str | None,
    margin: float | None,
    epochs: int | None,
    rate: float | None,
    unfreeze: str | None,
    recipe: Literal["keras-siamese"] | None,
    anyway: bool,
    resume: bool,
    dims: int | None,
    hold_out: Literal["groups", "pictures"] | None,
    seed: int,
    as_json: bool,
    **workers: "Unpack[WorkersKeywords]",
) -> None:
    """Learn a lens from examples, and prove it on queries held out before."""
    photos, source = open_collection(folder, at), list(data) or None
    options = LearnOptions(
        quick=quick, epochs=epochs, rate=rate, dims=dims, hold_out=hold_out, seed=seed, unfreeze=unfreeze,
        recipe=recipe, anyway=anyway,
    )  # fmt: skip
    if loss is not None:
        options["loss"] = loss
    if margin is not None:
        options["margin"] = margin
    with console.bars() as reporter:
        if check:
            for line in photos.check(source, as_=as_, report=reporter, **options):
                echo(printable_line(line))
            return
        lens = photos.learn(
            source,
            name=name,
            as_=as_,
            replace=replace,
            use=use_it,
            resume=resume,
            report=reporter,
            **options,
            **workers,
        )
    proof = lens.proof
    assert proof is not None  # what is learned is proved
    if as_json:
        echo_json({"lens": lens.name, **proof.to_json()})
    else:
        echo(proof.table())
    place = photos.home.lens(lens.name)
    echo(f"\nSaved in {place}; proof.png shows the queries won and lost, with their hits.", err=True)
    echo("Next:", err=True)
    (row,) = [row for row in photos.lenses() if row["name"] == lens.name]
    search = f"    lookalike search {photos.home.shell_words} QUERY --lens {lens.name} --grid grid.png"
    if row["here"]:
        echo(search, err=True)
    if not row["serves"]:
        told = "" if proof.serves else " --anyway"
        echo(f"    lookalike use {photos.home.shell_words} {lens.name}{told}", err=True)
    if not row["here"]:  # its backbone has to read the pictures first
        echo(search, err=True)


@click.command()
@FOLDER
@click.argument("query", required=False)
@AT
@click.option(
    "--yes", multiple=True, metavar="FILE", help="A picture that belongs with QUERY; may be given several times."
)
@click.option(
    "--no",
    multiple=True,
    metavar="FILE",
    help="A picture that is less like QUERY than each --yes; may be given several times.",
)
@click.option(
    "--from",
    "data",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="CSV",
    help="Add judgements from a CSV with columns query, yes, no.",
)
@click.option("--list", "list_them", is_flag=True, help="List the judgements.")
@click.option("--undo", is_flag=True, help="Undo the last judgement.")
@click.option("--json", "as_json", is_flag=True, help="With --list: print one line of JSON for each.")
def judge(
    folder: Path | str,
    query: str | None,
    at: Path | str | None,
    yes: tuple[str, ...],
    no: tuple[str, ...],
    data: Path | None,
    list_them: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Record what belongs with QUERY and what is less like it: examples for `learn`."""
    photos = open_collection(folder, at)
    if sum([query is not None, data is not None, list_them, undo]) != 1:
        raise click.UsageError("name a QUERY with --yes FILE, or give one of --from, --list, --undo.")
    if list_them:
        for one in photos.judgements:
            if as_json:
                echo_json(one.to_json())
            else:
                echo(printable_line(str(one)))
    elif undo:
        echo(f"undone: {printable_line(str(photos.judgements.undo()))}", err=True)
    else:
        added = photos.judge_from(data) if data is not None else photos.judge(str(query), yes=yes, no=no)
        standing = sum(1 for _ in photos.judgements)
        echo(
            f"{added:,} added, {standing:,} in all. Learn from them with: lookalike learn {photos.home.shell_words}",
            err=True,
        )


@click.command()
@FOLDER
@AT
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each lens.")
def lenses(folder: Path | str, at: Path | str | None, as_json: bool) -> None:
    """List the lenses of FOLDER with the verdicts of their proofs; * marks the one in service."""
    photos = open_collection(folder, at)
    rows = photos.lenses()
    for row in rows:
        if as_json:
            echo_json(row)
        else:
            on = "" if row["here"] or row["backbone"] is None else f" (On {row['backbone']}, not in service.)"
            told = f"{row['words']}{on}"
            echo(f"{'*' if row['serves'] else ' '} {row['name']:20}{row.get('date', '')[:10]:12}{told}")
    if rows and not as_json:
        echo(f"\nTheir proofs as pictures: {photos.home.lens('NAME') / 'proof.png'}", err=True)
    if not rows:
        echo(f"None yet. Learn one with: lookalike learn {photos.home.shell_words} --from DATA", err=True)


@click.command()
@FOLDER
@AT
@click.option(
    "--unfreeze",
    metavar="LAYER",
    help="Mark what would be trained from this layer on: a name, the start of one, or an index.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each layer.")
def layers(folder: Path | str, at: Path | str | None, unfreeze: str | None, as_json: bool) -> None:
    """List the layers of FOLDER's backbone, trainable or frozen."""
    rows = open_collection(folder, at).layers(unfreeze)
    if as_json:
        for row in rows:
            echo_json(asdict(row))
    elif is_terminal(sys.stdout) and not console.is_narrow():
        console.console().print(console.layers(rows))
    else:
        for line in console.layer_lines(rows):
            echo(line)
    for line in totals(rows):
        echo(line, err=True)


@click.command()
@FOLDER
@click.argument("name")
@AT
@click.option("--anyway", is_flag=True, help="Use it even where its proof does not show that it is better than plain.")
def use(folder: Path | str, name: str, at: Path | str | None, anyway: bool) -> None:
    """Put the lens NAME of FOLDER into service; 'plain': none, and back to the original backbone."""
    with console.bars(" pictures/s") as reporter:
        open_collection(folder, at).use(name, anyway=anyway, report=reporter)
    echo(f"{name} is in service.", err=True)


@click.command()
@FOLDER
@click.argument("name")
@AT
def forget(folder: Path | str, name: str, at: Path | str | None) -> None:
    """Remove the lens NAME of FOLDER."""
    open_collection(folder, at).forget(name, report=console.Messages())
    echo(f"{name} removed.", err=True)
