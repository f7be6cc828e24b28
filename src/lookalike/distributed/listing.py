"""What is listed below an address -> the files that may be pictures, with what was passed over and why."""

from functools import cache

from lookalike.distributed.object_store import Location, StoredFile
from lookalike.errors import CollectionError
from lookalike.images.leave_out import IGNORE_FILE, IgnoreRules, LeaveOut
from lookalike.images.scan import AT_ONCE, ImageFile, ScanResult, Sieve, is_below, is_not_ours, keep_all

_MOST_BYTES = 1 << 20  # of an ignore file


def as_scan(
    location: Location, leave_out: LeaveOut, own: Location | None = None, sieve: Sieve | None = None
) -> ScanResult:
    """What lies below an address, by the same rules as in a folder: see `scan_folder`.

    Args:
        location: the address.
        leave_out: patterns; its folder is not looked at.
        own: where the collection of these pictures is kept, if that is on an object store.
        sieve: as for `scan_folder`.
    Raises: StorageError, where the listing did not come to its end; CollectionError, for an ignore file that cannot be
        read, and a pattern that is none.
    """
    return _Listing(location, leave_out, _folder_within(own, location), sieve or keep_all).run()


class _Listing:
    """One listing, read once from its beginning to its end: names come in the order of their bytes."""

    def __init__(self, location: Location, leave_out: LeaveOut, own: str, sieve: Sieve):
        self.location, self.own, self.sieve = location, own, sieve
        self.result = ScanResult(collections={own} if own else set())
        self._begin = f"{location}/"
        self._rules = {"": IgnoreRules("", leave_out.patterns)} if leave_out.patterns else {}
        self._block: list[StoredFile] = []
        self._named: set[str] = set()  # folders with a collection.json
        self._marked: set[str] = set()  # folders with a lock or with tables
        self._is_out = cache(self._find_out)
        self._rules_of = cache(self._find_rules)

    def run(self) -> ScanResult:
        early = []  # their folder's ignore file is listed behind them
        for one in self.location.list_all():
            folder, _, name = one.name.rpartition("/")
            if name == IGNORE_FILE:
                self._read_rules(folder)
            self._mark(one.name, folder, name)
            if any(part[:1] < "." for part in one.name.split("/")):
                early.append(one)
            else:
                self._add(one, folder, name)
        for one in early:
            folder, _, name = one.name.rpartition("/")
            self._add(one, folder, name)
        self._flush()
        result, others = self.result, (self._named & self._marked) - {"", self.own}
        result.collections |= others
        result.skipped.update(dict.fromkeys(sorted(others), "a collection of lookalike, not pictures."))
        result.files = [one for one in result.files if not is_below(one.file, others)]
        return result

    def _add(self, one: StoredFile, folder: str, name: str) -> None:
        if self._is_out(folder) or is_not_ours(name):
            return
        rules = self._rules_of(folder)
        if rules is not None and rules.excludes(one.name):
            self.result.excluded.add(one.name)
            return
        self._block.append(one)
        if len(self._block) >= AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        block = self._block
        places = self.sieve([one.name for one in block], [one.bytes for one in block], [one.mtime_ns for one in block])
        self.result.files += [
            ImageFile(one.name, self._begin + one.name, one.bytes, one.mtime_ns) for one in (block[i] for i in places)
        ]
        self._block = []

    def _mark(self, whole: str, folder: str, name: str) -> None:
        if name == "collection.json":
            self._named.add(folder)
        elif name in ("lease", "lock"):
            self._marked.add(folder)
        elif "/tables/" in whole and whole.endswith(".manifest"):
            self._marked.add(whole.partition("/tables/")[0])

    def _find_out(self, folder: str) -> bool:
        """Whether nothing in a folder is ours; asked once of each."""
        if not folder:
            return False
        above, _, name = folder.rpartition("/")
        if self._is_out(above) or folder == self.own or is_not_ours(name):
            return True
        rules = self._rules_of(above)
        if rules is not None and rules.excludes(f"{folder}/"):
            self.result.excluded.add(folder)
            return True
        return False

    def _find_rules(self, folder: str) -> IgnoreRules | None:
        if folder in self._rules:
            return self._rules[folder]
        return self._rules_of(folder.rpartition("/")[0]) if folder else None

    def _read_rules(self, folder: str) -> None:
        """The rules of a folder that has an ignore file; it is listed before the files that it concerns."""
        place = self.location.child(folder) if folder else self.location
        where = f"{place}/{IGNORE_FILE}"
        try:
            lines = place.read_start(IGNORE_FILE, _MOST_BYTES).decode("utf-8-sig").splitlines()
        except (UnicodeDecodeError, FileNotFoundError) as error:
            reason = "not UTF-8" if isinstance(error, UnicodeDecodeError) else "it vanished"
            raise CollectionError(
                f"{where}: cannot be read ({reason}), so it is not known what to leave out. Save it as UTF-8 text, or "
                "remove it."
            ) from error
        above = self._find_rules(folder)
        self._rules[folder] = IgnoreRules(f"{folder}/" if folder else "", lines, above, where)
        self._rules_of.cache_clear()
        self._is_out.cache_clear()


def _folder_within(own: Location | None, location: Location) -> str:
    """The name that a place has below another one; "" where it lies elsewhere."""
    below = f"{location.prefix}/" if location.prefix else ""
    if own is None or own.bucket != location.bucket or not own.prefix.startswith(below):
        return ""
    return own.prefix[len(below) :]
