"""Finds the files that are shipped with spotui: example templates and themes."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from spotui.domain.errors import SpotuiError, nearest
from spotui.lang import _, current_language, languages
from spotui.settings import locations

_PACKAGE = Path(__file__).resolve().parents[1]
_SUFFIXES = (".yaml", ".yml")
_REFERENCE_FOLDERS: Final = (Path("settings"), Path("metagpt", "ext", "spo", "settings"))
"""Where SPO's reference keeps its templates, seen from where it is started."""


class ResourceError(SpotuiError):
    """A shipped file, or a template asked for by name, that cannot be found."""


def examples_dir() -> Path:
    """The folder of the example templates.

    Raises:
        ResourceError: The installation is not complete.
    """
    return _shipped("examples")


def themes_dir() -> Path:
    """The folder of the themes that come with spotui.

    Raises:
        ResourceError: The installation is not complete.
    """
    return _shipped("themes")


def examples() -> list[Path]:
    """The example templates by name, those in the user's language first.

    Raises:
        ResourceError: The installation is not complete.
    """
    return [*_examples_in(current_language()), *_examples_in()]


def every_example() -> list[Path]:
    """The example templates in all languages; no two have the same name.

    Raises:
        ResourceError: The installation is not complete.
    """
    return [path for language in ("", *languages()) for path in _examples_in(language)]


def _examples_in(language: str = "") -> list[Path]:
    """Those in a language, by name; the ones that are for everybody lie in no folder of a language."""
    folder = examples_dir() / language
    return sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES) if folder.is_dir() else []


def tour_dir() -> Path:
    """The folder of the recorded run that the tour shows; it is a project.

    Raises:
        ResourceError: The installation is not complete.
    """
    return examples_dir() / "tour"


def find_template(name_or_path: str) -> Path:
    """The template that a person means.

    Args:
        name_or_path: The path of a file; the name of a file, with `.yaml`, in the folder `settings`, where
            SPO's reference looks for it; or the name of one of the user's templates or of an example, with
            or without `.yaml`. They win in this order, and the case of an example's name makes no difference.

    Returns:
        The path of a file that exists.

    Raises:
        ResourceError: There is no such file and no such example.
    """
    path = Path(name_or_path)
    if _safely(path.is_file):
        return path
    if (at_home := _at_home(path)) and _safely(at_home.is_file):
        return at_home
    shipped = {each.stem: each for each in every_example()}
    is_name = path.name == name_or_path
    if is_name and path.suffix in _SUFFIXES:
        for folder in _REFERENCE_FOLDERS:
            if _safely((folder / path).is_file):
                return folder / path
    if is_name and (own := _own(_stem(name_or_path))):
        return own
    if is_name and (found := shipped.get(_stem(name_or_path).casefold())):
        return found
    if _safely(path.is_dir):
        raise ResourceError(_("{path} is a folder.", path=path), _("Give the path of a template file in it."))
    if _safely(path.exists) or _safely(path.is_symlink):
        raise ResourceError(
            _("{source} is not an ordinary file.", source=path), _("Give the path of a YAML file.")
        )
    raise ResourceError(
        _("There is no template {name_or_path!r}.", name_or_path=name_or_path),
        _hint(path, list(dict.fromkeys([*_own_names(), *shipped])) if is_name else []),
    )


def _hint(path: Path, names: list[str]) -> str:
    beside: dict[str, Path] = {}
    for folder in (*(_REFERENCE_FOLDERS if path.name == str(path) else ()), path.parent):
        with suppress(OSError, ValueError):
            beside |= {each.stem: each for each in folder.iterdir() if each.suffix in _SUFFIXES}
    if meant := nearest(_stem(path.name), beside):
        return _("Did you mean {beside}?", beside=beside[meant])
    if meant := nearest(_stem(path.name), names):
        return _("Did you mean {meant}?", meant=meant)
    return (
        _("Give the path of a YAML file, or one of these names: {names}.", names=", ".join(names))
        if names
        else _("Check the path.")
    )


def _own_names() -> list[str]:
    """The names of the user's templates."""
    try:
        return sorted(path.stem for path in locations.templates_dir().iterdir() if path.suffix in _SUFFIXES)
    except OSError:
        return []


def _own(name: str) -> Path | None:
    paths = (locations.templates_dir() / f"{name}{suffix}" for suffix in _SUFFIXES)
    return next((path for path in paths if _safely(path.is_file)), None)


def _stem(name: str) -> str:
    return name.rsplit(".", 1)[0] if name.casefold().endswith(_SUFFIXES) else name


def _at_home(path: Path) -> Path | None:
    try:
        return path.expanduser()
    except RuntimeError:
        return None


def _safely(test: Callable[[], bool]) -> bool:
    """A path that may not even be looked at is not there, for us."""
    try:
        return test()
    except OSError:
        return False


def _shipped(folder: str) -> Path:
    """In a wheel the folder is inside the package; in a checkout it stands beside it."""
    installed, checkout = _PACKAGE / "_shipped" / folder, _PACKAGE.parent / folder
    if installed.is_dir():
        return installed
    if checkout.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return checkout
    raise ResourceError(
        _("The {folder} that belong to spotui are missing.", folder=folder), _("Install spotui again.")
    )
