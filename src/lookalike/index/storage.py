"""What Lance is told about an object store, and what an object store's errors mean, in one line each."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from lookalike.errors import LookalikeError, StorageError

SCHEMES = {"s3": "s3", "gs": "gs", "az": "az"}
_ACTIONS = {
    "s3": {"list": "s3:ListBucket", "read": "s3:GetObject", "write": "s3:PutObject", "remove": "s3:DeleteObject"},
    "gs": {
        "list": "storage.objects.list",
        "read": "storage.objects.get",
        "write": "storage.objects.create",
        "remove": "storage.objects.delete",
    },
    "az": {"list": "list", "read": "read", "write": "write", "remove": "delete"},
}
_NO_CREDENTIALS = {
    "s3": "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "gs": "Set GOOGLE_APPLICATION_CREDENTIALS to a key file, or run: gcloud auth application-default login",
    "az": "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or run: az login",
}
# The codes and states by which stores answer; S3's and Azure's codes, then HTTP's.
_CODES = {
    "InvalidAccessKeyId": "wrong_secret",
    "SignatureDoesNotMatch": "wrong_secret",
    "InvalidToken": "wrong_secret",
    "AuthenticationFailed": "wrong_secret",
    "ExpiredToken": "expired",
    "TokenRefreshRequired": "expired",
    "RequestTimeTooSkewed": "clock",
    "PermanentRedirect": "region",
    "AuthorizationHeaderMalformed": "region",
    "NoSuchBucket": "no_bucket",
    "ContainerNotFound": "no_bucket",
    "AccessDenied": "denied",
    "AllAccessDisabled": "denied",
    "AuthorizationPermissionMismatch": "denied",
    "SlowDown": "slow_down",
    "ServiceUnavailable": "slow_down",
    "ServerBusy": "slow_down",
}
_STATES = {
    "301": "region", "401": "wrong_secret", "403": "denied", "429": "slow_down", "500": "failed", "503": "slow_down",
}  # fmt: skip
_NO_CREDENTIALS_SAID = re.compile(
    r"performing \w+ https?://(169\.254\.|metadata|\S+/latest/api/token)|failed to get \w+ credentials"
    r"|CredentialsNotLoaded|ProfileNotFound|Received None from session|NoCredentials|invalid_grant|missing account"
    r"|Account must be specified",
    re.IGNORECASE,
)
_ANSWERS = {"AlreadyExistsError", "PreconditionError", "NotModifiedError", "NotFoundError"}  # no faults
_UNREACHABLE_SAID = re.compile(
    r"error sending request|dns error|connection (refused|reset|closed)|tcp connect|timed out|HTTP error|unreachable",
    re.IGNORECASE,
)


def is_address(place: object) -> bool:
    """Whether a place is the address of an object store, s3://, gs:// or az://, not a path.

    >>> is_address("s3://bucket/photos"), is_address("photos")
    (True, False)
    """
    return isinstance(place, str) and place.partition("://")[0] in SCHEMES and "://" in place


def lance_options(address: str) -> dict[str, str]:
    """What Lance must be told about an object store beside what it finds in the environment; nothing secret.

    Args:
        address: of a table, or a path: then nothing.

    >>> lance_options("photos/.lookalike/tables/b1.lance")
    {}
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "") if address.startswith("s3://") else ""
    return {"aws_endpoint": endpoint, "allow_http": str(endpoint.startswith("http:")).lower()} if endpoint else {}


@contextmanager
def storing(what: str, address: str) -> Iterator[None]:
    """Turn what an object store raises into one line.

    Args:
        what: is asked: "list", "read", "write" or "remove".
        address: of what it is asked.
    Raises: StorageError, for what `storage_error` knows; all else as it is.
    """
    try:
        yield
    except LookalikeError:
        raise
    except Exception as error:
        found = storage_error(error, what, address)
        if found is None and type(error).__module__.startswith("obstore") and type(error).__name__ not in _ANSWERS:
            odd = re.search(r'invalid path: .*?"([^"\n]{1,200})', str(error))
            if odd is not None:
                line = f"an object has the name {odd[1]!r}, which no file can have. Rename or remove it."
                raise StorageError(f"{address}: {line}", code="storage.name") from None
            said = re.split(r"[\n<{]|https?:", str(error))[0].strip()[:100]
            found = StorageError(
                f"{address}: to {what} failed ({said}). Check the address and the settings of the store."
            )
        if found is None:
            raise
        raise found from None  # what the library says may hold signed requests


def storage_error(error: BaseException, what: str, address: str) -> StorageError | None:
    """What an object store's error means; None for one that is none of the store itself, as "not found" is.

    Args:
        error: of obstore or Lance.
        what: as for `storing`.
        address: likewise.
    """
    kind = _kind(f"{type(error).__name__}: {error}")
    if kind is None:
        return None
    scheme, _, rest = address.partition("://")
    bucket, action = f"{scheme}://{rest.split('/')[0]}", _ACTIONS[scheme][what]
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "") if scheme == "s3" else ""
    server = f" at {_without_password(endpoint)}" if endpoint else ""
    line = {
        "no_credentials": f"no credentials. {_NO_CREDENTIALS[scheme]}",
        "wrong_secret": "the store does not know this key, or its secret is another. Check the credentials.",
        "expired": "the credentials have expired. Get new ones, as with: aws sso login",
        "clock": "the store refuses requests of this machine, whose clock is wrong. Set the clock.",
        "region": f"{bucket} lies in another region. Set AWS_REGION to it.",
        "no_bucket": f"there is no bucket {bucket}{server}. Check its name, or make it.",
        "denied": f"to {what} is denied. Ask for the permission {action} on it.",
        "slow_down": "the store asks to slow down. Run it again later: what was committed is kept.",
        "failed": f"the store{server} answers that it failed. Run it again later: what was committed is kept.",
        "unreachable": f"the store{server} cannot be reached. Check the network{' and AWS_ENDPOINT_URL' * bool(server)}"
        "; then run it again: what was committed is kept.",
    }[kind]
    return StorageError(f"{address}: {line}", code=f"storage.{kind}")


def _kind(said: str) -> str | None:
    """What a library said of a store, in one word: the rest of a code "storage.WORD"."""
    if _NO_CREDENTIALS_SAID.search(said):
        return "no_credentials"
    code, state = re.search(r"<Code>(\w+)</Code>", said), re.search(r"status code: (\d{3})", said)
    if code is not None and code[1] in _CODES:
        return _CODES[code[1]]
    if state is not None:
        return _STATES.get(state[1])
    return "unreachable" if "not found" not in said and _UNREACHABLE_SAID.search(said) else None


def _without_password(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//", url)
