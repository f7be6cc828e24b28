"""Files embedded without a table: rows, copies, refused files; batches put together."""

from pathlib import Path

from lookalike.images.scan import scan_folder
from lookalike.index.embed_files import IndexBatch, embed_files
from lookalike.models.backbone import Backbone


def test_files_are_embedded_without_a_table_and_a_known_content_is_not(photos: Path):
    """7 files, two of one content; a broken file is refused with its reason."""
    (photos / "broken.png").write_bytes(b"")
    files, backbone = scan_folder(photos).files, Backbone()
    (batch,) = embed_files(files, backbone)
    copied = [(copy.file.file, copy.first) for copy in batch.copies]
    assert (len(batch.rows), copied) == (6, [("sub/copy.png", "1.png")])
    assert [(one.file, one.kind) for one in batch.refused] == [("broken.png", "broken")]
    twice = next(row.content for row in batch.rows if row.file == "1.png")
    (batch,) = embed_files(files, backbone, {twice})
    assert (len(batch.rows), {copy.file.file for copy in batch.copies}) == (5, {"1.png", "sub/copy.png"})


def test_a_batch_takes_all_that_another_one_holds(photos: Path):
    (photos / "broken.png").write_bytes(b"")
    (batch,) = embed_files(scan_folder(photos).files, Backbone())
    whole = IndexBatch(fragments=["a"], in_fragments=["1.png"], in_part={"x.jpg": "its end"})
    whole.add(batch)
    assert (whole.rows, whole.copies, whole.refused) == (batch.rows, batch.copies, batch.refused)
    assert len(whole) == 1 + len(batch)
    assert (whole.fragments, whole.in_part) == (["a"], {"x.jpg": "its end"})
