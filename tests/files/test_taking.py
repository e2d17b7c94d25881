"""What is taken, what is refused, and that nothing of what is refused stays."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from actions.blocks.materials import MaterialRules
from actions.blocks.materials_types import JPEG, refuse_name, stored_name
from actions.core.errors import DomainError
from actions.core.tables import ApiKey
from bot.keys import digest
from tests.files.conftest import FILES, LIN_ID, Filing, filing, kept, upload
from tests.files.samples import GOOD, HOSTILE, SCRIPT, office, pdf, photograph, picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import World


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_hostile_is_refused_with_a_sentence_and_leaves_nothing(files: Filing, name: str) -> None:
    called, content, code = HOSTILE[name]
    with pytest.raises(DomainError) as refused:
        await files.desk.keep(files.address(), LIN_ID, called, io.BytesIO(content))
    assert refused.value.code == code
    sentence = files.world.app.house.wording.text(f"errors.{code}", refused.value.params)
    assert "请" in sentence
    assert (await files.rows(), files.folder) == ([], [])


# Of an old Windows browser's name the parser drops the path by itself; what is not printable no client sends as it is.
_OVER_HTTP = [name for name, (called, _, _) in HOSTILE.items() if called.isprintable() and "\\" not in called]


@pytest.mark.parametrize("name", _OVER_HTTP)
async def test_the_interface_tells_it_in_the_same_words(files: Filing, name: str) -> None:
    called, content, code = HOSTILE[name]
    async with files.browser() as browser:
        answer = await upload(browser, content, called)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
    assert "请" in answer.json()["error"]["message"]
    assert (await files.rows(), files.folder) == ([], [])


@pytest.mark.parametrize("name", GOOD)
async def test_what_is_good_is_taken_under_a_name_of_ours(files: Filing, name: str) -> None:
    called, content, stored, kind = GOOD[name]
    view = await files.desk.keep(files.address(), LIN_ID, called, io.BytesIO(content))
    assert (view.name, view.kind) == (stored, kind)
    (row,) = await files.rows()
    assert row.key == view.id
    assert stored not in row.name  # sealed
    assert files.folder == sorted([row.key, f"{row.key}-thumbnail"] if kind == "picture" else [row.key])
    path = files.store.path(row.key)
    assert (path.stat().st_size, path.stat().st_mode & 0o077) == (row.size, 0)


async def test_a_photograph_loses_its_place_and_stands_upright(files: Filing) -> None:
    view = await files.desk.keep(files.address(), LIN_ID, "a.jpg", io.BytesIO(photograph()))
    stored = files.store.path(view.id).read_bytes()
    assert SCRIPT not in stored
    with Image.open(io.BytesIO(stored)) as drawn:
        assert (drawn.format, drawn.size, dict(drawn.getexif())) == ("JPEG", (400, 600), {})
        # What was on the left is on top now.
        red = drawn.getchannel("R")
        assert min(red.crop((0, 0, 400, 250)).tobytes()) > 200
        assert max(red.crop((0, 350, 400, 600)).tobytes()) < 50
    with Image.open(files.store.path(f"{view.id}-thumbnail")) as small:
        assert (small.format, max(small.size)) == ("WEBP", 320)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
async def test_every_kind_of_colour_can_be_drawn(files: Filing, mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (500, 10)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    view = await files.desk.keep(files.address(), LIN_ID, "a.png", io.BytesIO(out.getvalue()))
    with Image.open(files.store.path(view.id)) as drawn, Image.open(files.store.path(f"{view.id}-thumbnail")) as small:
        assert (drawn.size, small.size) == ((500, 10), (320, 6))


async def test_documents_are_kept_byte_for_byte(files: Filing) -> None:
    content = office()
    view = await files.desk.keep(files.address(), LIN_ID, "a.docx", io.BytesIO(content))
    assert files.store.path(view.id).read_bytes() == content


async def test_a_form_may_want_pictures_only(world: World) -> None:
    files = filing(world, MaterialRules(kinds=("picture",)))
    async with files.browser() as browser:
        answer = await upload(browser, pdf(), "a.pdf")
        assert answer.json()["error"]["message"].startswith("这里只收照片")
        await kept(browser, picture())


async def test_of_twenty_one_files_the_last_is_refused(files: Filing) -> None:
    async with files.browser() as browser:
        for _ in range(20):
            await kept(browser, picture())
        answer = await upload(browser, picture())
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "files_too_many")
        assert "最多放 20 份" in answer.json()["error"]["message"]
        assert len(await files.rows()) == len(files.folder) / 2 == 20
        first = (await files.rows())[0].key
        assert (await browser.delete(f"{FILES}/{first}")).status_code == 204
        await kept(browser, picture())


async def test_a_file_of_one_byte_too_many_is_refused_and_one_less_is_not(world: World) -> None:
    files = filing(world, MaterialRules(max_bytes=len(pdf())))
    async with files.browser() as browser:
        answer = await upload(browser, pdf() + b"\n", "a.pdf")
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "file_too_large")
        assert (await files.rows(), files.folder) == ([], [])
        await kept(browser, pdf(), "a.pdf")


@pytest.mark.parametrize("announced", [True, False])
async def test_fifty_megabytes_are_cut_off(files: Filing, announced: bool) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.4\n'
    length = 50 * 2**20
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        yield head
        while read < length:
            read += 2**20
            yield b"\0" * 2**20

    headers = {"Content-Type": "multipart/form-data; boundary=x"} | (
        {"Content-Length": str(length + len(head))} if announced else {}
    )
    async with files.browser() as browser:
        answer = await browser.post(FILES, content=body(), headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "file_too_large")
    assert "超过 10 MB" in answer.json()["error"]["message"]
    assert (await files.rows(), files.folder) == ([], [])


async def test_other_bodies_keep_their_own_limit(files: Filing) -> None:
    async with files.browser() as browser:
        answer = await browser.post("/api/v1/chat", content=b"x" * 300_000)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


async def test_who_is_not_bound_sends_nothing(files: Filing) -> None:
    with pytest.raises(DomainError, match="not_bound"):
        await files.desk.keep(files.address("20210107"), "20210107", "a.jpg", io.BytesIO(picture()))
    assert (await files.rows(), files.folder) == ([], [])


async def test_without_a_session_nothing_is_read(files: Filing) -> None:
    async with files.browser() as browser:
        browser.cookies.clear()
        assert (await upload(browser, picture())).json()["error"]["code"] == "no_session"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"no boundary"),
        ("multipart/form-data; boundary=x", b"--x\r\nbroken"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
        ("application/json", b"{}"),
    ],
)
async def test_what_is_no_form_with_a_file_is_refused(files: Filing, content_type: str, body: bytes) -> None:
    async with files.browser() as browser:
        answer = await browser.post(FILES, content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


async def test_a_server_with_a_key_vouches_for_the_sender(files: Filing) -> None:
    async with files.world.app.house.database.write() as work:
        work.add(ApiKey(name="portal", key_hash=digest("key"), created_at=files.world.clock()))
    headers = {"Authorization": "Bearer key"}
    async with files.browser() as browser:
        browser.cookies.clear()
        browser.headers.update(headers)
        assert (await upload(browser, picture())).json()["error"]["code"] == "invalid"
        answer = await upload(browser, picture(), sender=LIN_ID, conversation=LIN_ID)
        assert answer.status_code == 201
        where = f"{FILES}/{answer.json()['id']}"
        assert (await browser.get(where, params={"sender": LIN_ID})).status_code == 200
        assert (await browser.get(where, params={"sender": "20190001"})).status_code == 404
        assert (await browser.get(where)).status_code == 422
    (row,) = await files.rows()
    assert row.conversation == LIN_ID


@given(st.text(max_size=200))
def test_a_stored_name_is_harmless_whatever_was_given(name: str) -> None:
    stored = stored_name(name, JPEG)
    refuse_name(stored)
    assert stored.endswith(".jpg")
    assert 5 <= len(stored) <= 84
    assert not set(stored) & set('<>:"|?*/\\')
    assert not stored.startswith(".")
