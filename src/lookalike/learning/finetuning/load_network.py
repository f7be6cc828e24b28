"""A bundle -> its network in torch."""

from lookalike.learning.finetuning.split_network import SplitNetwork
from lookalike.models.bundle import Bundle


def load_network(bundle: Bundle) -> SplitNetwork:
    """The network of a bundle in torch, in eval mode, all of its weights frozen.

    Args: bundle: of the default family, tuned from it, or converted from transformers' format.
    Raises: BundleError, for a bundle that cannot learn; MissingExtraError.

    >>> import torch
    >>> from lookalike import Backbone
    >>> network = load_network(Backbone().bundle)
    >>> at = network.unfreeze("blocks.15")
    >>> activation, pooled = network.forward_frozen(torch.zeros(1, 224, 224, 3, dtype=torch.uint8), at)
    >>> activation.shape, len(network.forward_trainable(activation, pooled, at))
    (torch.Size([1, 192, 7, 7]), 7)
    """
    if (bundle.path / "config.json").is_file():
        from lookalike.learning.finetuning.transformers_network import TransformersNetwork

        return TransformersNetwork(bundle)
    from lookalike.learning.finetuning.onnx_network import OnnxNetwork

    return OnnxNetwork(bundle)
