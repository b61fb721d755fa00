"""What a run's answers are held against, from its own copy of the template."""

from spotui.template import parse_template
from spotui.view.answers import Standard
from spotui.workspace.projects import Project
from spotui.workspace.snapshot import read_snapshot


def read_standard(project: Project) -> Standard:
    """Requirements and reference answers; nothing of either where SPO's reference made the project.

    Raises:
        SpotuiError: The copy is damaged.
    """
    if not project.is_ours:
        return Standard()
    snapshot = read_snapshot(project.snapshot)
    template = parse_template(snapshot.template, snapshot.template_name)
    answers = tuple(template.qa[index].answer.strip() for index in snapshot.questions)
    return Standard(template.requirements.strip(), answers)
