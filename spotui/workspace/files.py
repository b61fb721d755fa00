"""Opens and replaces the files of a project: never through a link, and never half."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from spotui.lang import N_, _


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at a path that the user has chosen, in one step, durable once this returns.

    A link is followed, the mode of an existing file is kept, and a new file gets what the umask leaves. When
    anything fails the old file is as it was. A file of a project is written with `workspace.files` instead.

    Args:
        path: The file to replace or make; its folder must exist.
        data: The whole new content.

    Raises:
        OSError: The disk is full, read-only or gone.
    """
    target = _behind_links(path)
    folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        replace_in(folder, target.name, data, _mode(target))
    finally:
        os.close(folder)


def replace_in(folder: int, name: str, data: bytes, mode: int | None) -> None:
    """Put `data` into an open folder in one step, durable once this returns.

    Args:
        folder: The folder's descriptor.
        name: What the file is called there; a link of that name is replaced, not followed.
        data: The whole new content.
        mode: The file's mode, or None for what the umask leaves.

    Raises:
        OSError: The disk is full, read-only or gone; the old file is as it was.
    """
    # The name is short and free of the target's, which may be as long as a name can be.
    temporary = f".{os.urandom(8).hex()}.tmp"
    # What gets a mode of its own is private from its first byte.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o666 if mode is None else 0o600, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    with contextlib.suppress(OSError):  # see sync_folder
        os.fsync(folder)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable, so that a new file survives a power cut.

    Where the file system cannot do that nothing is raised: the names are in place already, and a caller
    who sees that it failed would undo nothing and try again for nothing.
    """
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _behind_links(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError:  # how Python before 3.13 says that links go round in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from None


def _mode(path: Path) -> int | None:
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return None


BUFFER_BYTES: Final = 1024 * 1024
LARGEST: Final = 256 * 1024 * 1024
"""The most bytes of a file, or of one line, that are read at once."""

_PRIVATE: Final = 0o600
_PRIVATE_FOLDER: Final = 0o700
_SAFELY: Final = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS: Final = {
    stat.S_IFLNK: N_("{name} is a symbolic link, and links in a workspace are not followed"),
    stat.S_IFIFO: N_("{name} is a pipe"),
    stat.S_IFSOCK: N_("{name} is a socket"),
    stat.S_IFCHR: N_("{name} is a device"),
    stat.S_IFBLK: N_("{name} is a device"),
}


class UnsafeFileError(OSError):
    """A file of a project that is not opened because of what it is.

    Attributes:
        hint: What to do about it.
    """

    def __init__(self, code: int, what: str, path: Path, hint: str) -> None:
        super().__init__(code, what, str(path))
        self.hint = hint


def hint_for(error: OSError, otherwise: str) -> str:
    """The advice for a file that could not be opened: the error's own, or another."""
    return error.hint if isinstance(error, UnsafeFileError) else otherwise


class Folder:
    """An open folder; it stays this one, whatever its name comes to mean. A context manager.

    Args:
        path: Its path, for messages.
        handle: Its open descriptor, which is closed with it.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.handle = handle

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open a folder that is not a link itself; links above it are followed.

        Raises:
            OSError: It is missing, a link, or cannot be opened.
        """
        return cls(path, _open_folder(path))

    def inside(self, name: str, *, make: bool = False) -> "Folder":
        """Open a folder of this one, or make it first.

        Raises:
            OSError: It is missing, a link, or cannot be opened or made.
        """
        path = self.path / name
        if make:
            with suppress(FileExistsError):
                os.mkdir(name, _PRIVATE_FOLDER, dir_fd=self.handle)
                os.chmod(name, _PRIVATE_FOLDER, dir_fd=self.handle)  # a umask may take away too much
        return Folder(path, _open_folder(path, self.handle))

    def open(self, name: str, flags: int) -> int:
        """Open a file of this folder; with O_CREAT a missing one is made for this user alone.

        Raises:
            OSError: It is missing, cannot be opened, is not a regular file, or is to be written and has a
                second name, so that writing would change another file.
        """
        path = self.path / name
        handle = self._open(name, flags)
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            os.close(handle)
            raise _not_a_file(path, found.st_mode)
        if flags & (os.O_WRONLY | os.O_RDWR) and found.st_nlink > 1:
            os.close(handle)
            what = _(
                "{name} has a second name (a hard link), and the file there would change, too", name=name
            )
            raise UnsafeFileError(errno.EMLINK, what, path, _("Replace {path} with a copy of it.", path=path))
        return handle

    def read(self, name: str) -> bytes:
        """Read a whole file.

        Raises:
            OSError: It is missing, unreadable, not a regular file, or larger than 256 MiB.
        """
        with os.fdopen(self.open(name, os.O_RDONLY), "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size <= LARGEST:  # one that grows meanwhile is read as far as it went
                return file.read(size)
        what = _("{name} is larger than {largest} MiB", name=name, largest=LARGEST >> 20)
        raise UnsafeFileError(errno.EFBIG, what, self.path / name, _("Restore it from a backup."))

    def holds(self, name: str, data: bytes) -> bool:
        """Whether a file is there with exactly this content.

        Raises:
            OSError: It is unreadable or not a regular file.
        """
        try:
            handle = self.open(name, os.O_RDONLY)
        except FileNotFoundError:
            return False
        with os.fdopen(handle, "rb") as file:
            return os.fstat(handle).st_size == len(data) and file.read(len(data) + 1) == data

    def rename(self, name: str, new: str) -> None:
        """Give a file another name in this folder.

        Raises:
            OSError: It is missing, or the folder cannot be written.
        """
        os.rename(name, new, src_dir_fd=self.handle, dst_dir_fd=self.handle)

    def replace(self, name: str, data: bytes) -> None:
        """Put a file into this folder in one step, durable once this returns.

        A new file is private; of an existing one the mode is kept, except that only its owner may write it.

        Raises:
            OSError: The disk is full, read-only or gone; the old file is as it was.
        """
        try:
            mode = os.stat(name, dir_fd=self.handle, follow_symlinks=False).st_mode
        except FileNotFoundError:
            mode = stat.S_IFREG
        if not stat.S_ISREG(mode):
            raise _not_a_file(self.path / name, mode)
        replace_in(self.handle, name, data, mode & 0o744 | _PRIVATE)

    def close(self) -> None:
        """Let go of it; safe to call twice."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1

    def _open(self, name: str, flags: int) -> int:
        try:
            if flags & os.O_CREAT:
                with suppress(FileExistsError):
                    handle = os.open(name, flags | os.O_EXCL | _SAFELY, _PRIVATE, dir_fd=self.handle)
                    os.fchmod(handle, _PRIVATE)  # a umask may take away even what the owner needs
                    return handle
            return os.open(name, flags & ~os.O_CREAT | _SAFELY, dir_fd=self.handle)
        except OSError as error:
            raise _explained(error, self.path / name, self.handle) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_file(path: Path, flags: int) -> int:
    """Open a file of a folder that may come from somebody else.

    Raises:
        OSError: See `Folder.open`; or the folder is a link.
    """
    with Folder.at(path.parent) as folder:
        return folder.open(path.name, flags)


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Read a file of a folder that may come from somebody else, piece by piece.

    Raises:
        OSError: See `open_file`.
    """
    with os.fdopen(open_file(path, os.O_RDONLY), "rb", BUFFER_BYTES) as file:
        yield file


def lines_of(path: Path, file: BinaryIO) -> Iterator[bytes]:
    """Each line of an open file, from where it is.

    Args:
        path: What to call the file in an error.
        file: The open file.

    Raises:
        OSError: It cannot be read, or a line is longer than 256 MiB, as a file without line ends may be.
    """
    while raw := file.readline(LARGEST):
        if len(raw) == LARGEST and not raw.endswith(b"\n"):
            what = _("a line is longer than {largest} MiB", largest=LARGEST >> 20)
            raise UnsafeFileError(errno.EFBIG, what, path, _("Restore it from a backup."))
        yield raw


def read_file(path: Path) -> bytes:
    """Read a whole file of a folder that may come from somebody else.

    Raises:
        OSError: See `Folder.read`; or the folder is a link.
    """
    with Folder.at(path.parent) as folder:
        return folder.read(path.name)


def write_file(path: Path, data: bytes) -> None:
    """Replace a file of a folder that may come from somebody else, in one step.

    Raises:
        OSError: See `Folder.replace`; or the folder is a link.
    """
    with Folder.at(path.parent) as folder:
        folder.replace(path.name, data)


def copy_files(source: Path, target: Path) -> None:
    """Copy the regular files of a folder and of those in it; links, pipes and devices are left out.

    Args:
        source: The folder.
        target: Where to; made when it is missing, and files in it are replaced.

    Raises:
        OSError: Something cannot be read or written.
    """
    with (
        Folder.at(source) as old,
        Folder.at(target.parent) as parent,
        parent.inside(target.name, make=True) as new,
    ):
        _copy(old, new)


def _copy(old: Folder, new: Folder) -> None:
    for entry in os.scandir(old.handle):
        if entry.is_dir(follow_symlinks=False):
            with old.inside(entry.name) as old_inside, new.inside(entry.name, make=True) as new_inside:
                _copy(old_inside, new_inside)
        elif entry.is_file(follow_symlinks=False):
            new.replace(entry.name, old.read(entry.name))


def _open_folder(path: Path, above: int | None = None) -> int:
    name = path if above is None else path.name
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | _SAFELY, dir_fd=above)
    except OSError as error:
        raise _explained(error, path, above) from None


def _explained(error: OSError, path: Path, above: int | None) -> OSError:
    """The error of an open, or what is wrong with what is there."""
    try:
        name = path if above is None else path.name
        mode = os.stat(name, dir_fd=above, follow_symlinks=False).st_mode
    except OSError:
        mode = stat.S_IFREG
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return OSError(error.errno, error.strerror, str(path))
    return _not_a_file(path, mode)


def _not_a_file(path: Path, mode: int) -> OSError:
    if stat.S_ISDIR(mode):
        return IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    kind = stat.S_IFMT(mode)
    what = _(_KINDS[kind], name=path.name) if kind in _KINDS else _("{name} is not a file", name=path.name)
    return UnsafeFileError(
        errno.ELOOP, what, path, _("Replace {path} with what belongs there, or remove it.", path=path)
    )
