"""Pairs of pictures of a gallery that are the same, or nearly."""

from lookalike.errors import QueryError
from lookalike.index.exact_knn import similar_pairs
from lookalike.index.gallery import Gallery

NEARLY_EQUAL = 0.98
BELOW_EQUAL = 0.9999  # what a pair of different contents has at most: 1.0 says that the bytes are equal


def near_duplicates(gallery: Gallery, least: float = NEARLY_EQUAL) -> list[tuple[str, str, float]]:
    """Pairs of files of equal content (1.0) or nearly equal vectors, the most similar first.

    Args:
        gallery: whose pictures are compared, each with each.
        least: the least similarity of a pair, -1 to 1.
    Returns: (file, file, similarity), the files of a pair in order; pairs of equal similarity in the order of files.
    Raises: QueryError, when `least` is no similarity.
    """
    if not -1 <= least <= 1:
        raise QueryError(f"a least similarity of {least}: similarities lie between -1 and 1.")
    files, knn = gallery.files, gallery.knn
    pairs = []
    for i, others, similarities in similar_pairs(knn.rows, least, knn.codes):
        for j, similarity in zip(others, similarities, strict=True):
            equal = (gallery.contents[i] == gallery.contents[j]).all()
            pairs.append((files[i], files[j], 1.0 if equal else min(float(similarity), BELOW_EQUAL)))
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))
