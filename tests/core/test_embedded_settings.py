"""What is computed without any server: PostgreSQL's settings and the URLs."""

from core import embedded
from core.embedded import tuning


def test_settings_scale_with_the_machine():
    small = tuning.settings(memory_bytes=1 << 30, cores=1, durable=True)
    large = tuning.settings(memory_bytes=64 << 30, cores=64, durable=True)
    assert (small["shared_buffers"], large["shared_buffers"]) == ("128MB", "1024MB")
    assert (small["max_parallel_workers"], large["max_parallel_workers"]) == ("1", "8")
    assert "fsync" not in large
    assert tuning.settings(memory_bytes=1 << 30, cores=1, durable=False)["fsync"] == "off"


def test_only_unix_sockets_need_the_brokers_own_form():
    assert embedded.broker_url("unix:///srv/run/redis.sock") == "redis+socket:///srv/run/redis.sock"
    assert embedded.broker_url("unix:///srv/redis.sock?db=3") == "redis+socket:///srv/redis.sock?virtual_host=3"
    assert embedded.broker_url("rediss://cache:6379/1") == "rediss://cache:6379/1"


def test_urls_start_nothing(tmp_path):
    assert embedded.database_url(tmp_path / "none").startswith("postgresql://perennial@/perennial?host=")
    assert embedded.redis_url(tmp_path / "none").startswith("unix:///")
    assert not (tmp_path / "none").exists()
