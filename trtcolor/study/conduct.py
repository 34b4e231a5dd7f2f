"""A study while it is conducted: who is there, what each has answered, which pictures they see."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Sequence
from contextlib import ExitStack

from trtcolor.closing import Closing
from trtcolor.errors import StudyError
from trtcolor.study.answers import Answer, Word, answer_rows, read_answers, standing
from trtcolor.study.folder import LOCK, PICTURES, Study
from trtcolor.study.session import Session, State
from trtcolor.study.users import Users, link_key, now


class Conduct(Closing):
    """Holds a study's folder and takes answers. Threads may share it.

    Args:
        study: the study; its earlier users and answers are taken up.

    Attributes:
        study: the same.
        token: the key in the link to the page where users join.
        remarks: what was found wrong with the files, in sentences.

    Raises:
        StudyError: another process conducts it, or a file is not what it should be.
        OSError: the folder is not writable, and so on.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self._mutex = threading.Lock()
        with ExitStack() as stack:
            lock = stack.enter_context((study.folder / LOCK).open("a"))
            _claim(lock.fileno(), study)
            if (study.folder / PICTURES).is_symlink():
                raise StudyError(
                    f"{study.folder / PICTURES} is a link; the study's own folder was needed; "
                    "copy the study again"
                )
            secret = study.secret()
            self.token = link_key(secret, "join")
            self._users = stack.enter_context(Users(study.folder, secret))
            self._rows = stack.enter_context(answer_rows(study.folder))
            answers, strange = read_answers(study.folder)
            self._earlier: dict[str, list[Answer]] = {}
            for answer in answers:
                self._earlier.setdefault(answer.user, []).append(answer)
            self.remarks = _remarks(self._rows.torn, strange)
            self._sessions: dict[str, Session] = {}
            self._stack = stack.pop_all()

    def has_joined(self, name: str) -> bool:
        with self._mutex:
            return name in self._users

    def join(self, name: str, *, new: bool = False) -> str:
        """The key of a user's link; who was there before goes on.

        Args:
            name: letters, digits and spaces (`trtcolor.study.users.checked_name`).
            new: refuse a name that somebody has.

        Raises:
            StudyError: the name is none, is taken and ``new`` is true, or there are too many.
            OSError: it could not be stored.
        """
        with self._mutex:
            if new and name in self._users:
                raise StudyError(
                    f"the name {' '.join(name.split())!r} is taken; a name of your own was needed; "
                    "choose another, or go on by the link that you had"
                )
            return self._users.key(self._users.add(name))

    def state(self, key: str) -> State | None:
        """Where the user of a key is; None: the key is nobody's."""
        with self._mutex:
            session = self._session(key)
            return None if session is None else session.state

    def answer(
        self, key: str, turn: int, word: Word, milliseconds: int, pixel_ratio: float
    ) -> State | None:
        """Store an answer; when this returns it is on the disk, once.

        Args:
            key: of the user's link.
            turn: of the state that the user saw.
            word, milliseconds, pixel_ratio: as in `trtcolor.study.answers.Answer`.

        Returns:
            The state afterwards; None: the key is nobody's.

        Raises:
            StaleTurnError: it answers what is not asked for; nothing was stored.
            ValueError: an entry is none.
            OSError: it could not be stored, and is not.
        """
        with self._mutex:
            session = self._session(key)
            if session is None:
                return None
            row = session.row_for(turn, word, milliseconds, pixel_ratio, now())
            if row is not None:
                self._rows.add(row.row())
                session.stored(row)
            return session.state

    def picture(self, key: str, place: int) -> bytes | None:
        """The PNG at a place of a user's order; None: there is none that they may see now.

        Raises:
            OSError: the file is gone or is a link.
        """
        with self._mutex:
            session = self._session(key)
            if session is None or not session.may_see(place):
                return None
            file = self.study.picture_file(*session.picture(place))
        opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(opened, "rb") as stream:
            return stream.read()

    def tally(self) -> tuple[int, int]:
        """How many users there are, and how many answers that count."""
        answers, _ = read_answers(self.study.folder)
        return len(self._users), len(standing(answers))

    def close(self) -> None:
        """Let another process have the study; a second call does nothing."""
        self._stack.close()

    def _session(self, key: str) -> Session | None:
        name = self._users.of_key(key)
        return None if name is None else self._of(name)

    def _of(self, name: str) -> Session:
        if name not in self._sessions:
            self._sessions[name] = Session(self.study, name, self._earlier.pop(name, ()))
        return self._sessions[name]


def _claim(lock: int, study: Study) -> None:
    """The operating system's lock: free once its holder is gone, however that ended."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StudyError(
            f"another process serves {study.folder}; one at a time was needed; open its page, or "
            "end it"
        ) from None


def _remarks(torn: int, strange: int) -> Sequence[str]:
    found = []
    if torn:
        found.append(
            f"the last line of the answers broke off ({torn} bytes) and was cut; that picture is "
            "asked for again"
        )
    if strange:
        found.append(f"{strange} lines of the answers were not understood and count for nothing")
    return found
