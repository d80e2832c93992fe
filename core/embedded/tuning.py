"""PostgreSQL's settings for this work: bulk loads by night, short reads by day, on a small machine."""

import os
from pathlib import Path

MB = 1 << 20
CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def settings(*, memory_bytes: int, cores: int, durable: bool) -> dict[str, str]:
    """Return PostgreSQL's settings for a machine of that size.

    Without `durable` a crash of the machine (not of the server) may lose or damage data: for tests only.
    """
    memory_mb = memory_bytes // MB
    workers = max(1, min(cores, 8))
    chosen = {
        "shared_buffers": f"{_between(64, memory_mb // 8, 1024)}MB",
        "effective_cache_size": f"{_between(256, memory_mb // 2, 16384)}MB",
        "work_mem": f"{_between(8, memory_mb // 256, 64)}MB",
        "maintenance_work_mem": f"{_between(64, memory_mb // 32, 512)}MB",
        # Bulk loads write much WAL: fewer checkpoints, and none of it for rows of a table made in the same
        # transaction (wal_level minimal). A try-out has no replicas.
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_logical_replication_workers": "0",
        "max_wal_size": "4GB" if memory_mb > 4096 else "1GB",
        "min_wal_size": "128MB",
        "checkpoint_timeout": "15min",
        # The first change of a page after a checkpoint writes it whole; pressing it (pglz) took longer than the work.
        "wal_compression": "off",
        "random_page_cost": "1.1",
        "jit": "off",
        "max_parallel_workers": str(workers),
        "max_parallel_workers_per_gather": str(min(workers, 4)),
        "max_parallel_maintenance_workers": str(min(workers, 4)),
        "max_connections": "100",
        "dynamic_shared_memory_type": "posix" if _roomy(Path("/dev/shm")) else "mmap",  # noqa: S108
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
    }
    return chosen if durable else chosen | {"fsync": "off", "full_page_writes": "off"}


def memory_bytes() -> int:
    """Return the memory we may use: the machine's, or less if a container limits us."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [path.read_text().strip() for path in map(Path, CGROUP_LIMITS) if path.exists()]
    return min([machine, *(int(limit) for limit in limits if limit.isdigit())])


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _between(least: int, value: int, most: int) -> int:
    return max(least, min(value, most))


def _roomy(shared_memory: Path) -> bool:
    """Is there room for parallel queries? Containers often give /dev/shm only 64 MB."""
    if not shared_memory.is_dir():
        return False
    found = os.statvfs(shared_memory)
    return found.f_blocks * found.f_frsize >= 512 * MB
