"""Of which items somebody is shown nothing that was said, nor what a head predicts, until they said something themselves."""

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.access import Person, Role
from fastlabel_gradio.server.project import Project

OWN_FIRST = "is for an opinion of your own first, in one of your batches or where people disagree (Progress)"


def hidden_from(project: Project, labeler: Labeler, person: Person) -> frozenset[str]:
    """Items that they hold for a second opinion; of an annotator also those that may come to them for one.

    A reviewer sees what others label, and so these too before they hold them; from one who decides blind what people
    disagree on is hidden.
    """
    held = labeler.second_opinions.held_by(person.name)
    if person.role is Role.ANNOTATOR:
        return held | labeler.second_opinions.may_come_to(person.name)
    if person.role.covers(Role.REVIEWER) and project.config.adjudication_blind:
        return held | labeler.disputes.undecided_by(person.name)
    return held
