"""Every path that spotui uses, and which variable moves it."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from spotui.domain.errors import SpotuiError
from spotui.lang import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import FileIO


SOCKET_PATH_BYTES: Final = 104
"""The longest Unix socket path that every system takes (macOS: 104 bytes, Linux: 108)."""

SOCKET_NAME_BYTES: Final = 28
"""The part of it that is kept free for a file name inside `runtime_dir`."""

VARIABLES: Final = (
    "SPOTUI_CONFIG",
    "SPOTUI_CONFIG_DIR",
    "SPOTUI_DATA_DIR",
    "SPOTUI_WORKSPACE",
    "SPOTUI_TEMPLATES_DIR",
    "SPOTUI_MODELS_DIR",
    "SPOTUI_LOG_DIR",
    "SPOTUI_RUNTIME_DIR",
)
"""The environment variables that move a path."""


class Location(NamedTuple):
    """One place, for `spotui locate`."""

    name: str
    path: Path
    why: str


def config_dir() -> Path:
    """The folder of the config file, the user's keys, themes and meta-prompts."""
    return _chosen("SPOTUI_CONFIG_DIR") or _platform_dir("user_config_dir")


def config_file() -> Path:
    """The user's settings."""
    return _chosen("SPOTUI_CONFIG") or config_dir() / "config.yaml"


def keys_file() -> Path:
    """The user's own keys."""
    return config_dir() / "keys.yaml"


def trusted_file() -> Path:
    """The files that the user has said yes to: custom metrics, and data outside of a template's folder."""
    return config_dir() / "trusted.json"


def addresses_file() -> Path:
    """The endpoints that the user's runs have sent a key to."""
    return config_dir() / "addresses.json"


def variables_file() -> Path:
    """The variables that the user's runs have sent the values of, and where to."""
    return config_dir() / "variables.json"


def themes_dir() -> Path:
    """The user's own themes, one YAML file each."""
    return config_dir() / "themes"


def meta_prompts_dir() -> Path:
    """The user's own meta-prompts, which stand in for the shipped ones of the same name."""
    return config_dir() / "prompts"


def data_dir() -> Path:
    """The folder of what spotui makes and keeps."""
    return _chosen("SPOTUI_DATA_DIR") or _platform_dir("user_data_dir")


def workspace_dir() -> Path:
    """The folder of all projects."""
    return _chosen("SPOTUI_WORKSPACE") or data_dir() / "workspace"


def templates_dir() -> Path:
    """The folder of the user's own templates, one YAML file each."""
    return _chosen("SPOTUI_TEMPLATES_DIR") or data_dir() / "templates"


def models_dir() -> Path:
    """The folder of the embedded models' weights, gigabytes each."""
    return _chosen("SPOTUI_MODELS_DIR") or data_dir() / "models"


def judge_checks_dir() -> Path:
    """The folder of what judge-checks have asked and found."""
    return data_dir() / "judge-checks"


def log_dir() -> Path:
    """The folder of log files."""
    return _chosen("SPOTUI_LOG_DIR") or _platform_dir("user_log_dir")


def run_log(name: str) -> Path:
    """The log of a project or a race: what it writes in the background, and tracebacks."""
    return log_dir() / f"{name.replace('/', '-')}.log"


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for this user alone, whatever the umask.

    Raises:
        OSError: It cannot be made, or something else has its name.
    """
    if folder.is_dir():
        return
    if folder.parent != folder:
        make_private(folder.parent)
    try:
        folder.mkdir(mode=0o700)
        folder.chmod(0o700)  # a umask may take away even what the owner needs
    except FileExistsError:
        if not folder.is_dir():  # otherwise another process was quicker
            raise


def open_log(path: Path, mode: Literal["ab", "wb"]) -> "FileIO":
    """Open a log for this user alone, and its folder; a link in its place is not followed.

    Args:
        path: The log; missing folders above it are made.
        mode: Whether to add to an existing log or to replace it.

    Raises:
        OSError: It cannot be written, or is a link.
    """

    def privately(name: str, flags: int) -> int:
        handle = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        with suppress(OSError):  # it was made before logs were private, or by another user
            os.fchmod(handle, 0o600)
        return handle

    make_private(path.parent)
    return open(path, mode, buffering=0, opener=privately)


def runtime_dir() -> Path:
    """The folder of sockets, short enough for a socket in it; it need not exist yet.

    It is not XDG_RUNTIME_DIR: a run outlives its login session, and that folder does not. Where the usual
    folder is too long for a socket's path, or cannot be made, this is a folder of the temporary directory
    whose name holds a hash of the usual one, so that every process of the user agrees on it.
    """
    usual = _usual_runtime_dir()
    if _fits(usual) and _can_be_made(usual):
        return usual
    import hashlib
    import tempfile

    name = f"spotui-{os.getuid()}-{hashlib.sha256(os.fsencode(usual)).hexdigest()[:8]}"
    short = Path(tempfile.gettempdir()) / name
    return short if _fits(short) else Path("/tmp") / name  # noqa: S108 - ensure_runtime_dir checks the owner


def ensure_runtime_dir() -> Path:
    """Make `runtime_dir` when it is missing, and check that only this user can reach into it.

    Returns:
        The folder, owned by this user, with mode 0700.

    Raises:
        SpotuiError: It cannot be made, is not a folder, or is open to somebody else.
    """
    path = runtime_dir()
    hint = _("Remove it, or set SPOTUI_RUNTIME_DIR to a folder that only you can open.")
    try:
        make_private(path)
        found = path.lstat()
    except OSError as error:
        raise SpotuiError(
            _(
                "{path}: cannot make this folder for sockets ({strerror}).",
                path=path,
                strerror=error.strerror,
            ),
            hint,
        ) from error
    import stat

    if not stat.S_ISDIR(found.st_mode):
        raise SpotuiError(
            _("{path}: this should be a folder for sockets, but it is a link.", path=path), hint
        )
    if found.st_uid != os.geteuid():
        raise SpotuiError(_("{path}: this folder for sockets belongs to another user.", path=path), hint)
    if found.st_mode & 0o077:
        raise SpotuiError(
            _("{path}: other users can open this folder for sockets.", path=path),
            _("Close it with 'chmod 700 {path}', or set SPOTUI_RUNTIME_DIR to another folder.", path=path),
        )
    return path


def socket_path(project: Path) -> Path:
    """Where the run of a project listens; the name is a hash, so any project name fits.

    Args:
        project: The project's folder.
    """
    import hashlib

    name = hashlib.sha256(os.fsencode(project.resolve())).hexdigest()[:20]
    return runtime_dir() / f"{name}.sock"


def all_locations() -> list[Location]:
    """Every place with its path and the reason for it, in the order a person asks for them."""
    rows: tuple[tuple[str, Callable[[], Path], tuple[str, ...]], ...] = (
        (_("config file"), config_file, ("SPOTUI_CONFIG", "SPOTUI_CONFIG_DIR")),
        (_("keys"), keys_file, ("SPOTUI_CONFIG_DIR",)),
        (_("trusted files"), trusted_file, ("SPOTUI_CONFIG_DIR",)),
        (_("trusted addresses"), addresses_file, ("SPOTUI_CONFIG_DIR",)),
        (_("variables that were sent"), variables_file, ("SPOTUI_CONFIG_DIR",)),
        (_("themes"), themes_dir, ("SPOTUI_CONFIG_DIR",)),
        (_("meta-prompts"), meta_prompts_dir, ("SPOTUI_CONFIG_DIR",)),
        (_("data"), data_dir, ("SPOTUI_DATA_DIR",)),
        (_("workspace"), workspace_dir, ("SPOTUI_WORKSPACE", "SPOTUI_DATA_DIR")),
        (_("templates"), templates_dir, ("SPOTUI_TEMPLATES_DIR", "SPOTUI_DATA_DIR")),
        (_("models"), models_dir, ("SPOTUI_MODELS_DIR", "SPOTUI_DATA_DIR")),
        (_("judge-checks"), judge_checks_dir, ("SPOTUI_DATA_DIR",)),
        (_("logs"), log_dir, ("SPOTUI_LOG_DIR",)),
        (_("sockets"), runtime_dir, ("SPOTUI_RUNTIME_DIR",)),
    )
    found = [Location(name, where(), _why(variables)) for name, where, variables in rows]
    usual, sockets = _usual_runtime_dir(), found[-1]
    if sockets.path != usual:
        found[-1] = sockets._replace(
            why=_("{why}, but no socket can be made in {usual}", why=sockets.why, usual=usual)
        )
    return found


def _why(variables: tuple[str, ...]) -> str:
    for variable in variables:
        if os.environ.get(variable):
            return _("{variable} is set", variable=variable)
    return _("default; {variable} moves it", variable=variables[0])


def expanded(written: str | Path) -> Path:
    """A path with `~` and `~name` as folders; of a user who does not exist, it stays as it is written."""
    return Path(os.path.expanduser(written))  # noqa: PTH111 - Path's own raises an error there


def _chosen(variable: str) -> Path | None:
    """The absolute path that a variable holds; an empty variable is one that is not set."""
    value = os.environ.get(variable)
    if not value:
        return None
    try:
        return Path(value).expanduser().absolute()
    except (RuntimeError, OSError) as error:
        raise SpotuiError(
            _(
                "{variable} is {value}, and that folder cannot be found ({error}).",
                variable=variable,
                value=value,
                error=error,
            ),
            _("Give {variable} a full path.", variable=variable),
        ) from error


def _platform_dir(which: str) -> Path:
    import platformdirs

    place = platformdirs.PlatformDirs("spotui", appauthor=False)
    return Path(getattr(place, which)).absolute()


def _usual_runtime_dir() -> Path:
    return _chosen("SPOTUI_RUNTIME_DIR") or _platform_dir("user_state_dir") / "run"


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder)) + 1 + SOCKET_NAME_BYTES < SOCKET_PATH_BYTES


def _can_be_made(folder: Path) -> bool:
    if folder.exists():
        return True  # whether it may be used is for ensure_runtime_dir to say
    there = next(parent for parent in folder.parents if parent.exists())
    return os.access(there, os.W_OK | os.X_OK)


def shown(path: Path) -> str:
    """A path as a person writes it, with `~` for home."""
    try:
        return f"~/{path.relative_to(Path.home()).as_posix()}"
    except (ValueError, RuntimeError):
        return str(path)
