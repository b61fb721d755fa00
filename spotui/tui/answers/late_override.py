"""Another verdict for a run that has finished."""

from textual.widget import Widget

from spotui.commands import Override, encode_command
from spotui.events import HeldOutFinished, RunStopped, VerdictOverridden, decode_event
from spotui.own_process import RUN_ENDED
from spotui.tui.child import listen
from spotui.tui.run.client import RunClient
from spotui.workspace.projects import Project


async def override(widget: Widget, project: Project, client: RunClient, command: Override) -> None:
    """Take a finished run up, tell it the verdict, and let it finish again.

    What is in its journal costs nothing; only a duel on held-out questions for another best prompt is bought.

    Args:
        widget: On whose behalf; it is told what goes wrong.
        project: The project.
        client: What is known of its run.
        command: The verdict.
    """
    is_taken = False

    def take(line: bytes) -> None:
        nonlocal is_taken
        event = decode_event(line)
        is_taken = is_taken or (
            isinstance(event, VerdictOverridden)
            and (event.round, event.outcome) == (command.round, command.outcome)
        )
        if is_taken and isinstance(event, VerdictOverridden | HeldOutFinished | RunStopped):
            client.take(event)

    root = project.folder.parents[project.name.count("/")]
    words = ["resume", project.name, "--workspace", str(root), "--json"]
    told = await listen(words, take, encode_command(command))
    if told.code not in RUN_ENDED:
        widget.notify(told.fault, severity="error", markup=False)
    elif not is_taken:
        widget.notify(f"{project.name} has ended before it heard of it. Try it again.", severity="warning")
