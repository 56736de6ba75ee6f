"""A dialogue on the screen, answered as assistive technology does (AT-SPI), on X and on Wayland alike: dialogue.py choose NAME: the row of a list
with that cell; write TEXT: into the entry, and OK; read: prints the message, and OK. Each waits for such a dialogue."""
import sys
import time
import warnings

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib

warnings.simplefilter("ignore", DeprecationWarning)  # of names: the registry of today has the old ones alone
PATIENCE = 60
Atspi.set_timeout(PATIENCE * 1000, PATIENCE * 1000)


def parts(at):
    yield at
    for i in range(at.get_child_count()):
        child = at.get_child_at_index(i)
        if child:
            yield from parts(child)


def here(role, name=None):
    """What is to be seen of that role in the dialogue that is open."""
    try:
        for part in parts(Atspi.get_desktop(0)):
            if part.get_role_name() == role and (name is None or part.get_name() == name) and \
                    part.get_state_set().contains(Atspi.StateType.SHOWING):
                return part
    except GLib.Error:  # a window went while it was looked at
        pass
    return None


def wait_for(role, name=None):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        part = here(role, name)
        if part:
            return part
        time.sleep(0.1)
    sys.exit("no %s %r on the screen" % (role, name))


def act(part, action):
    names = [Atspi.Action.get_action_name(part, i) for i in range(Atspi.Action.get_n_actions(part))]
    try:
        Atspi.Action.do_action(part, names.index(action))
    except GLib.Error:  # it closed before it could answer
        pass


def main(what, text=None):
    if what == "choose":
        cell = wait_for("table cell", text)
        table = cell.get_parent()
        Atspi.Table.add_row_selection(table, Atspi.Table.get_row_at_index(table, cell.get_index_in_parent()))
        act(wait_for("push button", "OK"), "click")
    elif what == "write":
        Atspi.EditableText.set_text_contents(wait_for("text"), text)
        act(wait_for("push button", "OK"), "click")
    elif what == "read":
        print(wait_for("icon").get_parent().get_child_at_index(1).get_name())
        act(wait_for("push button", "OK"), "click")


main(*sys.argv[1:])
