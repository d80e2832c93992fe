"""The file of a backup: complete or absent, private, and no change in it goes unnoticed."""

import random
import resource
import zipfile

import pytest

from core.backup import archive
from core.backup.errors import BackupError
from tests.core.backups import make_backup, rewrite


@pytest.fixture
def whole(tmp_path):
    return make_backup(tmp_path / "whole.backup", files={"files/media/logo.png": bytes(range(256))})


def refusal(path):
    with pytest.raises(BackupError) as caught:
        archive.check(path)
    return str(caught.value)


def leftovers(folder, *expected):
    return sorted(path.name for path in folder.iterdir() if path.name not in expected)


# --- it works


def test_it_works(whole):
    manifest = archive.check(whole)
    assert set(manifest["members"]) == {"database.sql", "secret_key", "files/media/logo.png"}
    assert manifest["members"]["files/media/logo.png"]["bytes"] == 256


def test_it_is_an_ordinary_zip(whole):
    with zipfile.ZipFile(whole) as file:
        assert file.testzip() is None
        assert file.read("database.sql") == b"SELECT 1;\n"


def test_only_its_owner_may_read_it(tmp_path):
    target = tmp_path / "a.backup"
    target.touch(mode=0o644)
    assert make_backup(target).stat().st_mode & 0o777 == 0o600


def test_a_draft_of_a_killed_backup_is_begun_anew(tmp_path):
    (tmp_path / "a.backup.part").write_bytes(b"x" * 100_000)
    archive.check(make_backup(tmp_path / "a.backup"))
    assert leftovers(tmp_path) == ["a.backup"]


# --- it refuses


@pytest.mark.parametrize("seed", range(3))
def test_no_flipped_bit_goes_unnoticed(whole, tmp_path, seed):
    body = bytearray(whole.read_bytes())
    chance = random.Random(seed)
    for place in chance.sample(range(len(body)), 150):
        bit = 1 << chance.randrange(8)
        body[place] ^= bit
        (tmp_path / "flipped").write_bytes(body)
        assert refusal(tmp_path / "flipped")
        body[place] ^= bit
    (tmp_path / "flipped").write_bytes(body)
    archive.check(tmp_path / "flipped")


@pytest.mark.parametrize("kept", [0, 3, 63, 200, -1])
def test_a_truncated_file_is_refused(whole, tmp_path, kept):
    (tmp_path / "short").write_bytes(whole.read_bytes()[:kept])
    assert "not a backup" in refusal(tmp_path / "short") or "damaged" in refusal(tmp_path / "short")


def test_a_longer_file_is_refused(whole, tmp_path):
    (tmp_path / "long").write_bytes(whole.read_bytes() + b"\n")
    assert "damaged" in refusal(tmp_path / "long")


def test_a_swapped_member_is_refused(whole, tmp_path):
    swapped = rewrite(whole, tmp_path / "swapped", members={"database.sql": b"SELECT 2;\n"}, honest=False)
    assert "database.sql is not what its manifest describes" in refusal(swapped)


def test_a_member_too_many_or_too_few_is_refused(whole, tmp_path):
    assert "not those that its manifest lists" in refusal(rewrite(whole, tmp_path / "more", extra={"files/x": b""}))
    fewer = rewrite(whole, tmp_path / "fewer", facts={"members": {}}, extra={})
    assert "not those that its manifest lists" in refusal(fewer)


def test_a_name_that_leads_elsewhere_is_refused(tmp_path):
    path = make_backup(tmp_path / "a.backup", files={"files/media/logo": b""})
    listed = archive.check(path)["members"] | {"files/../../etc/cron.d/x": {}}
    sly = rewrite(path, tmp_path / "sly", facts={"members": listed}, members={"files/../../etc/cron.d/x": b"*"})
    assert "does not belong into one" in refusal(sly)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text").write_text("a,b\n" * 100)
    with zipfile.ZipFile(tmp_path / "zip", "w") as file:
        file.writestr("a", b"b" * 1000)
    (tmp_path / "empty").touch()
    for name in ("text", "zip", "empty"):
        assert refusal(tmp_path / name).startswith(str(tmp_path / name))
    assert "There is no file" in refusal(tmp_path / "none")
    assert "cannot be read" in refusal(tmp_path)


def test_another_programs_manifest_and_a_newer_format_are_refused(whole, tmp_path):
    assert "manifest says nothing" in refusal(rewrite(whole, tmp_path / "other", facts={"program": "else"}))
    assert "newer than this" in refusal(rewrite(whole, tmp_path / "newer", facts={"format": 2}))


def test_an_existing_file_is_kept_unless_forced(whole):
    before = whole.read_bytes()
    with pytest.raises(BackupError, match="exists already"), archive.creating(whole, force=False):
        pytest.fail("it began")
    assert whole.read_bytes() == before
    with archive.creating(whole, force=True) as writer:
        writer.add(archive.DATABASE, [b"other"])
        writer.add(archive.SECRET_KEY, [b"other"])
        writer.close({})
    assert whole.read_bytes() != before


def test_two_at_once_do_not_mix(tmp_path):
    target = tmp_path / "a.backup"
    with archive.creating(target, force=False) as writer:
        with pytest.raises(BackupError, match="Another backup"), archive.creating(target, force=False):
            pytest.fail("it began")
        writer.add(archive.DATABASE, [b"first"])
        writer.add(archive.SECRET_KEY, [b"first"])
        writer.close({})
    assert leftovers(tmp_path) == ["a.backup"]


def break_off(target):
    with archive.creating(target, force=False) as writer:
        writer.add(archive.DATABASE, [b"x" * 10_000])
        raise RuntimeError("boom")


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError, match="boom"):
        break_off(tmp_path / "a.backup")
    assert leftovers(tmp_path) == []


def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(BackupError, match=r"a\.backup cannot be written: File too large"):
            make_backup(tmp_path / "a.backup", sql=random.Random(1).randbytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert leftovers(tmp_path) == []
