"""What stores answer, as their libraries pass it on, is told apart by code and state, never by names within it."""

import pytest

from lookalike.errors import StorageError
from lookalike.index.storage import is_address, lance_options, storage_error, storing

SHOP = "s3://shop/photos"


def s3_said(code: str, state: str, method: str = "GET") -> str:
    return (
        f"LanceError(IO): Generic S3 error: Error performing {method} http://host/shop in 3ms - Server returned "
        f"non-2xx status code: {state}: <?xml?>\n<Error><Code>{code}</Code><Message>AccessDenied</Message></Error>"
    )


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (s3_said("NoSuchBucket", "404 Not Found"), "no_bucket"),
        (s3_said("InvalidAccessKeyId", "403 Forbidden"), "wrong_secret"),
        (s3_said("SignatureDoesNotMatch", "403 Forbidden"), "wrong_secret"),
        (s3_said("ExpiredToken", "400 Bad Request"), "expired"),
        (s3_said("AccessDenied", "403 Forbidden"), "denied"),
        (s3_said("SomethingNew", "403 Forbidden"), "denied"),
        (s3_said("PermanentRedirect", "301 Moved Permanently"), "region"),
        (s3_said("SlowDown", "503 Slow Down"), "slow_down"),
        ("Error performing GET https://host/shop in 1s - HTTP error: error sending request", "unreachable"),
        ("Error performing PUT http://169.254.169.254/latest/api/token in 5s - HTTP error: error", "no_credentials"),
        ("LanceError(IO): Failed to get AWS credentials: ProviderError(...)", "no_credentials"),
        (s3_said("NoSuchKey", "404 Not Found"), None),
        ("Dataset at path AccessDenied.lance was not found: Not found: timed out/_versions", None),
        ("LanceError(IO): Generic memory error: Invalid range 0..0 for object of size 0 bytes", None),
    ],
)  # fmt: skip
def test_each_refusal_has_its_own_code(said: str, kind: str | None):
    found = storage_error(ValueError(said), "read", SHOP)
    assert (None if found is None else found.code) == (None if kind is None else f"storage.{kind}")


@pytest.mark.parametrize(
    ("address", "what", "action"),
    [
        ("s3://shop/a", "list", "s3:ListBucket"),
        ("gs://shop/a", "write", "storage.objects.create"),
        ("az://shop/a", "remove", "delete"),
    ],
)
def test_a_denial_names_what_was_asked_on_what_and_the_permission(address: str, what: str, action: str):
    found = storage_error(OSError(s3_said("AccessDenied", "403 Forbidden")), what, address)
    assert str(found) == f"{address}: to {what} is denied. Ask for the permission {action} on it."


def test_what_is_no_fault_of_the_store_stays_as_it_is():
    with pytest.raises(ZeroDivisionError), storing("read", SHOP):
        raise ZeroDivisionError
    with pytest.raises(StorageError, match="first") as error, storing("read", SHOP):
        raise StorageError("first")
    assert error.value.code == "storage"


def test_lance_is_told_of_another_server_and_of_nothing_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "word")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    assert lance_options("s3://shop/t.lance") == {"aws_endpoint": "http://127.0.0.1:9000", "allow_http": "true"}
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://minio.shop")
    assert lance_options("s3://shop/t.lance") == {"aws_endpoint": "https://minio.shop", "allow_http": "false"}
    assert lance_options("gs://shop/t.lance") == lance_options("/shop/t.lance") == {}
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert lance_options("s3://shop/t.lance") == {}


def test_an_address_is_told_from_a_path():
    assert [is_address(one) for one in ("s3://a", "gs://a", "az://a", "a", "s3:/a", "http://a", None)] == [
        True, True, True, False, False, False, False,
    ]  # fmt: skip
