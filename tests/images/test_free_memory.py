"""What is free: the least of what the machine, each control group above and the process's own limit leave."""

import gc
import weakref
from pathlib import Path

import pytest

from lookalike.images.free_memory import free_bytes, give_back


@pytest.fixture
def system(tmp_path: Path):
    """Write the files of a system, then ask."""

    def ask(**files: str) -> int | None:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("memory_", "memory.")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return free_bytes(tmp_path / "proc", tmp_path / "groups")

    return ask


def test_where_nothing_tells_nothing_is_known(system):
    assert system() is None


def test_of_what_the_machine_has_available_a_tenth_is_kept_back(system):
    assert system(proc__meminfo="MemTotal: 9 kB\nMemAvailable:   1000 kB\n") == 921_600


def test_a_group_of_version_2_leaves_its_limit_less_what_is_taken_and_files_are_free(system):
    """10,000 - 7,000 + 1,000 + 500 = 4,500, of which a tenth is kept back; the group above leaves more."""
    assert (
        system(
            proc__meminfo="MemAvailable: 1000 kB\n",
            proc__self__cgroup="0::/user/app\n",
            groups__user__app__memory_max="10000\n",
            groups__user__app__memory_current="7000\n",
            groups__user__app__memory_stat="anon 5\nactive_file 1000\ninactive_file 500\n",
            groups__user__memory_max="max\n",
            groups__user__memory_current="7000\n",
        )
        == 4050
    )


def test_a_group_above_may_leave_less(system):
    assert (
        system(
            proc__self__cgroup="0::/user/app\n",
            groups__user__app__memory_max="max\n",
            groups__user__app__memory_current="1\n",
            groups__user__memory_max="3000\n",
            groups__user__memory_current="1000\n",
        )
        == 1800
    )


def test_in_a_container_of_version_1_only_its_own_group_is_there_under_another_name(system):
    assert (
        system(
            proc__self__cgroup="5:cpu:/docker/12ab\n4:memory,other:/docker/12ab\n0::/\n",
            groups__memory__memory_limit_in_bytes="5000\n",
            groups__memory__memory_usage_in_bytes="2000\n",
            groups__memory__memory_stat="active_file 999\ntotal_active_file 0\ntotal_inactive_file 1000\n",
        )
        == 3600
    )


def test_a_limit_of_address_space_counts_what_is_mapped(system):
    """1,000,000 bytes less 100 pages of 4,096."""
    assert (
        system(
            proc__self__limits="Max data size   unlimited unlimited b\nMax address space   1000000  2000000 b\n",
            proc__self__statm="100 50 1 1 0 1 0\n",
        )
        == 531_360
    )
    assert system(proc__self__limits="Max address space   unlimited  unlimited bytes\n") is None


def test_what_is_taken_beyond_a_limit_leaves_nothing(system):
    assert (
        system(
            proc__self__cgroup="0::/\n",
            groups__memory_max="1000\n",
            groups__memory_current="2000\n",
        )
        == 0
    )


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="Linux tells")
def test_this_process_can_take_something():
    found = free_bytes()
    assert found is not None
    assert found > 1_000_000


def test_giving_back_thoroughly_looks_for_circles():
    class Held:
        pass

    held = Held()
    held.itself = held  # type: ignore[attr-defined]
    there = weakref.ref(held)
    gc.disable()
    try:
        del held
        give_back()
        assert there() is not None
        give_back(thoroughly=True)
        assert there() is None
    finally:
        gc.enable()
