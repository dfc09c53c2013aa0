"""One request of somebody who is logged in: who, which shop, which language, the ledger as they see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from psycopg import Connection
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from stream_attr.console.accounts import Account
from stream_attr.console.reading import agents_of, reading, shops_of
from stream_attr.console.sessions import Session
from stream_attr.kafka.writer import TopicWriter
from stream_attr.lab.runner import Runner
from stream_attr.ledger import audit
from stream_attr.ledger.texts import LANGUAGES, Text

__all__ = ["LANGUAGE_COOKIE", "Asked", "Visit", "language_of", "not_found"]

LANGUAGE_COOKIE = "language"


class Asked(NamedTuple):
    """The query string, which holds every filter, sort and page of a screen; or a form."""

    pairs: tuple[tuple[str, str], ...]

    def one(self, name: str) -> str | None:
        """Return the last value of a name that is not empty; None: there is none."""
        found = self.all(name)
        return found[-1] if found else None

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of a name that are not empty, without blanks around them.

        Raises HTTPException, 400, for a character that no text in a database has.
        """
        found = tuple(text for key, value in self.pairs if key == name and (text := value.strip()))
        if any("\0" in text for text in found):
            raise HTTPException(400, f"{name} has a character of value 0")
        return found


_NOTHING = Asked(())


def not_found() -> HTTPException:
    """Return what hides that something of another's exists."""
    return HTTPException(404)


def language_of(request: Request) -> str:
    """Return the language chosen, else the browser's first that we have, else English."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    for one in request.headers.get("accept-language", "").split(","):
        word = one.strip()[:2].lower()
        if word in LANGUAGES:
            return word
    return LANGUAGES[0]


@dataclass(slots=True)
class Visit:
    """One request of an account."""

    request: Request
    connection: Connection[Any]
    session: Session
    account: Account
    language: str
    menu: tuple[tuple[str, Text], ...]
    """The screens that the account may see: path and title."""
    waiting: Mapping[str, int] = field(default_factory=dict)
    """By shop how many appeals wait to be answered, or their answers to be seen, by the account."""
    form: Asked = _NOTHING
    """What was sent; empty where a page is asked for."""
    file: UploadFile | None = None
    """The file that was sent with it; it is gone once the answer is made."""
    writer: TopicWriter | None = None
    """What records are published with; None: the console was given no broker."""
    lab: Runner | None = None
    """What judges trials of rules; None: the console was given no stored events."""
    address: str = ""
    """Of the console, in people's browsers."""
    shops: list[str] = field(default_factory=list)
    """That the account may see; known within ``reading``."""
    after: list[Callable[[], None]] = field(default_factory=list)
    """What is to be written once the page has been read."""

    @property
    def asked(self) -> Asked:
        """Return the query string."""
        return Asked(tuple(self.request.query_params.multi_items()))

    @contextmanager
    def reading(self) -> Iterator[Connection[Any]]:
        """Let the block see one snapshot of the account's shops."""
        with reading(self.connection, self.account):
            self.shops = shops_of(self.connection, self.account)
            yield self.connection

    def shop(self) -> str | None:
        """Return the shop that is asked for, else the first one that the account may see; None: it sees none.

        Within ``reading``. Raises HTTPException, 404, for a shop that is not the account's.
        """
        asked = self.asked.one("shop")
        if asked is None:
            return self.shops[0] if self.shops else None
        if asked not in self.shops:
            raise not_found()
        return asked

    def note(self, action: str, shop_id: str | None, about: str) -> None:
        """Have the audit say so once the page has been read; not again where a page asks by itself."""
        if not self.is_part:
            self.after.append(lambda: audit.note(self.connection, self.account.login, action, shop_id, about))

    @property
    def is_part(self) -> bool:
        """Whether a page asks by itself for what is new."""
        return self.asked.one("part") is not None

    def agents(self, shop_id: str) -> tuple[str, ...] | None:
        """Return whose figures the account may see in a shop; None: everybody's."""
        return agents_of(self.account, shop_id)
