"""What a collection holds, in numbers."""

from typing import Any

from lookalike.collection.backbone_store import BackboneStore
from lookalike.collection.folder import CollectionFolder
from lookalike.collection.searcher import CollectionState


def status(home: CollectionFolder, backbones: BackboneStore, state: CollectionState) -> dict[str, Any]:
    """Counts, refused pictures with reasons, backbone, the tables of all backbones, and sizes in bytes.

    `other_files` are no pictures, and do not call themselves one.
    """
    config = state.config
    refused = home.open_refused(config.backbone).rows()
    table = home.open_table(config.backbone).snapshot()
    return {
        "folder": home.name,
        "collection": home.place,
        "pictures": 0 if table is None else len(table),
        "contents": 0 if table is None else table.contents(),
        "backbone": config.backbone_name,
        "precision": config.precision,
        "bytes": home.size(),
        "tables": backbones.describe_tables(config),
        "refused": {one.file: one.reason for one in refused if one.is_picture},
        "other_files": sum(not one.is_picture for one in refused),
    }
