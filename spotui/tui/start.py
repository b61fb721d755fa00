"""Starting the app, and leaving the terminal as it was whatever happens."""

import gc
import os


def start() -> int:
    """Run the app on the usual workspace until the user leaves it.

    Returns:
        The exit code.
    """
    gc.disable()  # nothing that is loaded now becomes garbage; the app turns it on once it is painted
    from spotui import locations
    from spotui.tui.app import SpotuiApp
    from spotui.tui.preferences import read_preferences
    from spotui.workspace.projects import Workspace

    for stale in ("COLUMNS", "LINES"):
        os.environ.pop(stale, None)  # exported once, they would hide every later size of the window
    app = SpotuiApp(Workspace(locations.workspace_dir()), read_preferences())
    app.run()
    return app.return_code or 0
