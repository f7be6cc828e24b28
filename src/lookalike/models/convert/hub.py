"""A hub id -> the model's files on this disk, downloaded once; each failure on the way is one line."""

from functools import partial
from pathlib import Path
from typing import Any

from lookalike.errors import BundleError, MissingExtraError
from lookalike.models.convert.model_files import (
    CONFIG,
    PREPROCESSOR,
    TOKENIZER_FILES,
    WEIGHTS,
    ModelFiles,
    check_files,
    first_text,
    licence_of,
)

CARD = "README.md"
ANSWERS_S = 10  # in which the hub must answer once, before anything is asked that huggingface_hub tries again
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
    get = partial(_fetch, name, model, revision=revision or None, offline=not _answers())
    for file in (CONFIG, PREPROCESSOR, CARD, *TOKENIZER_FILES, WEIGHTS):
        if file in TOKENIZER_FILES and not _has_texts(there.get(CONFIG)):
            continue
        try:
            there[file] = get(file)
        except EntryNotFoundError:
            if file != WEIGHTS or CONFIG not in there:
                continue
            if not revision and (added := _with_safetensors(model)):
                return fetch(f"{model}@{added}")
            index = f"{WEIGHTS}.index.json"
            check_files(name, {*there, index if _has(get, index) else "pytorch_model.bin"})
    check_files(name, set(there))
    folder = there[CONFIG].parent
    card = first_text(there[CARD]) if CARD in there else ""
    return ModelFiles(name, model, folder, folder.name, licence_of(card), f"hub: {model}@{folder.name}")


def _answers() -> bool:
    """Whether the hub can be reached: asked once, for huggingface_hub tries each file for half a minute, silently."""
    from huggingface_hub import constants, get_session

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        get_session().head(constants.ENDPOINT, timeout=ANSWERS_S)
    except Exception:  # of httpx, of requests in older versions, of a proxy: it was not reached
        return False
    return True


def _has_texts(config: Path | None) -> bool:
    return config is not None and b'"text_config"' in config.read_bytes()


def _fetch(name: str, model: str, file: str, revision: str | None, offline: bool) -> Path:
    """One file; raises EntryNotFoundError when the model has none of that name."""
    from huggingface_hub import errors, hf_hub_download

    try:
        return Path(hf_hub_download(model, file, revision=revision, local_files_only=offline))
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
        if offline and file not in (CONFIG, WEIGHTS):  # which of the others there are cannot be asked
            raise errors.EntryNotFoundError(file) from error
        raise BundleError(
            f"{name}: not on this disk yet, and the hub cannot be reached. Check the network, "
            "or name a folder with the model's files."
        ) from error
    except errors.EntryNotFoundError:
        raise
    except Exception as error:  # a connection that broke: httpx's, requests' or Xet's own, which share no root
        reason = str(error).strip().splitlines()[0][:150] if str(error).strip() else type(error).__name__
        raise BundleError(
            f"{name}: the hub did not give {file} whole ({reason}). Run the same again: what is there is kept."
        ) from error


def _has(get: Any, file: str) -> bool:
    from huggingface_hub.errors import EntryNotFoundError

    try:
        return bool(get(file).is_file())
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
