"""A real notebook, run by a real kernel: answers show themselves in it as grids."""

import base64
import io
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

CELLS = [
    "from lookalike import Collection\nphotos = Collection('photos')\nphotos.index().added",
    "photos.search('photos/1.png', k=3)",
    "photos.search(['photos/1.png', 'photos/2.png'], k=3)",
    "photos.search('photos/1.png', k=3).grid()",
    "photos.search('photos/1.png', k=3).to_pandas()",
]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Jupyter's own, about its folders and event loops
def test_a_notebook_shows_grids(photos: Path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(photos.parent)}})
    client.execute()
    shown = [cell.outputs[-1].data for cell in notebook.cells]
    assert shown[0]["text/plain"] == "7"
    one, several, image = [Image.open(io.BytesIO(base64.b64decode(data["image/png"]))) for data in shown[1:4]]
    assert one.size == image.size
    assert several.width == one.width
    assert several.height > 1.7 * one.height
    assert shown[1]["text/plain"].startswith("3 hits for photos/1.png (plain)\n1.000  1.png")
    assert "<table" in shown[4]["text/html"]
