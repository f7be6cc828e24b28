"""Of all who want to write, one does; a holder that is silent for a term is taken for dead, and learns of it."""

import http.server
import re
import threading
from collections.abc import Iterator

import pytest
from support.object_storage import KEY, SECRET, Server, settings

from lookalike.distributed.lease import NAME, Lease
from lookalike.distributed.object_store import Location
from lookalike.errors import LockedError, StorageError

TERM_S = 1.5


@pytest.fixture
def place(s3: Server) -> Location:
    return Location("s3", s3.bucket(), "tables/photos")


def lease(place: Location, process: int) -> Lease:
    return Lease(place, {"host": "a", "process": process}, TERM_S)


def die(holder: Lease) -> None:
    """The holder is silent from now on, as when its machine is switched off."""
    holder._ended.set()
    holder._thread.join()


def test_a_second_holder_is_refused_and_told_who_writes_and_may_after_the_first(place: Location):
    first, second = lease(place, 12), lease(place, 13)
    first.acquire()
    with pytest.raises(LockedError, match=f"^{place}: host a, process 12, is writing to it."):
        second.acquire()
    first.check()
    first.release()
    assert place.look(NAME) is None
    second.acquire()
    second.release()


def test_the_lock_of_a_dead_holder_is_taken_and_a_slow_one_learns_it(place: Location):
    first, second = lease(place, 12), lease(place, 13)
    first.acquire()
    die(first)
    second.acquire()
    second.check()
    with pytest.raises(LockedError, match="another may write there now"):
        first.check()
    first._ended.clear()  # it was only slow, and goes on
    first._renew()
    assert first._lost.is_set()
    first.release()
    assert place.look(NAME) is not None, "the lock of the second holder"
    second.release()


def test_a_holder_that_cannot_renew_for_a_term_stops_before_anybody_takes_its_lock(place: Location):
    holder = lease(place, 12)
    holder.acquire()
    die(holder)
    holder._written_s -= TERM_S
    with pytest.raises(LockedError, match="silent for 2 s"):
        holder.check()


def test_a_renewal_whose_answer_was_lost_is_no_loss(place: Location):
    holder = lease(place, 12)
    holder.acquire()
    die(holder)
    place.write(NAME, holder._body(), tag=holder._tag)  # written, and the answer never came
    holder._ended.clear()
    threading.Timer(TERM_S, holder._ended.set).start()
    holder._renew()
    holder.check()
    holder.release()
    assert place.look(NAME) is None


def test_of_eight_at_once_one_wins(place: Location):
    holders = [lease(place, process) for process in range(8)]
    won, lost = [], []

    def take(one: Lease) -> None:
        try:
            one.acquire()
            won.append(one)
        except LockedError:
            lost.append(one)

    threads = [threading.Thread(target=take, args=(one,)) for one in holders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    won[0].release()


class _Careless(http.server.BaseHTTPRequestHandler):
    """A store that writes whatever conditions a request names."""

    objects: dict[str, bytes] = {}  # noqa: RUF012

    def do_PUT(self) -> None:
        self.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def do_POST(self) -> None:
        """To remove several objects."""
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keys = re.findall("<Key>(.*?)</Key>", asked)
        for key in keys:
            self.objects.pop(f"/bucket/{key}")
        done = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(f"<DeleteResult>{done}</DeleteResult>".encode())

    def _answer(self, content: bytes = b"") -> None:
        self.send_response(200)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> Iterator[Location]:
    pytest.importorskip("obstore", reason="needs object storage: install lookalike[remote]")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Careless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in settings(f"http://127.0.0.1:{server.server_address[1]}", KEY, SECRET).items():
        monkeypatch.setenv(name, value)
    yield Location.parse("s3://bucket/tables/photos")
    server.shutdown()
    server.server_close()


def test_a_store_that_ignores_conditions_is_refused_and_nothing_stays_there(careless: Location):
    with pytest.raises(StorageError, match=f"^{careless}: this store ignores conditions"):
        lease(careless, 12).acquire()
    assert _Careless.objects == {}
