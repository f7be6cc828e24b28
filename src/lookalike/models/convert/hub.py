"""A hub id -> the model's files on this disk, downloaded once; each failure on the way is one line."""

from pathlib import Path
from typing import Any

from lookalike.errors import BundleError, MissingExtraError
from lookalike.models.convert.model_files import (
    CONFIG,
    PREPROCESSOR,
    WEIGHTS,
    ModelFiles,
    check_files,
    first_text,
    licence_of,
)

CARD = "README.md"
SAFETENSORS_BOT = "SFconvertbot"  # the hub's own: it adds safetensors to older models, as a pull request


def fetch(name: str) -> ModelFiles:
    """The files of a model of the hub, fetched where they are not on this disk yet.

    Args:
        name: OWNER/MODEL, or OWNER/MODEL@REVISION.
    Raises: BundleError, when it is not there, is given out on request only, is in another format, or the hub cannot
        be reached; MissingExtraError.
    """
    try:
        from huggingface_hub.errors import EntryNotFoundError
    except ImportError as error:
        raise MissingExtraError(name, "learn") from error
    there: dict[str, Path] = {}
    model, _, revision = name.partition("@")
    for file in (CONFIG, PREPROCESSOR, CARD, WEIGHTS):
        try:
            there[file] = _fetch(name, model, file, revision or None)
        except EntryNotFoundError:
            if file != WEIGHTS or CONFIG not in there:
                continue
            if not revision and (added := _with_safetensors(model)):
                return fetch(f"{model}@{added}")
            index = f"{WEIGHTS}.index.json"
            check_files(name, {*there, index if _has(name, model, index, revision or None) else "pytorch_model.bin"})
    check_files(name, set(there))
    folder = there[CONFIG].parent
    card = first_text(there[CARD]) if CARD in there else ""
    return ModelFiles(name, model, folder, folder.name, licence_of(card), f"hub: {model}@{folder.name}")


def _fetch(name: str, model: str, file: str, revision: str | None) -> Path:
    """One file; raises EntryNotFoundError when the model has none of that name."""
    from huggingface_hub import errors, hf_hub_download

    try:
        return Path(hf_hub_download(model, file, revision=revision))
    except errors.GatedRepoError as error:
        raise BundleError(
            f"{name}: given out on request only. Accept its terms on its page, then run: hf auth login"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BundleError(f"{name}: no such revision of {model}. Leave out what follows the @.") from error
    except errors.RepositoryNotFoundError as error:
        raise BundleError(
            f"{name}: no such model on the hub, nor a folder here. Check the name; "
            "where it is a private one, run first: hf auth login"
        ) from error
    except errors.HFValidationError as error:
        raise BundleError(f"{name}: not a name that the hub knows. Write OWNER/MODEL, or a folder.") from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise BundleError(
            f"{name}: not on this disk yet, and the hub cannot be reached. Check the network, "
            "or name a folder with the model's files."
        ) from error
    except errors.EntryNotFoundError:
        raise
    except (errors.HfHubHTTPError, OSError) as error:
        reason = str(error).strip().splitlines()[0][:150] if str(error).strip() else type(error).__name__
        raise BundleError(f"{name}: the hub did not give it ({reason}). Try again later.") from error


def _has(name: str, model: str, file: str, revision: str | None) -> bool:
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return _fetch(name, model, file, revision).is_file()
    except EntryNotFoundError:
        return False


def _with_safetensors(model: str) -> str | None:
    """The revision in which the hub's own bot added safetensors to a model that has only pickles."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        found: Any = HfApi().get_repo_discussions(model, author=SAFETENSORS_BOT, discussion_type="pull_request")
        return next((one.git_reference for one in found if one.author == SAFETENSORS_BOT), None)
    except (HfHubHTTPError, OSError):
        return None
