"""The commands of a side as they are run, for whoever wants to run them by hand: pinned, with every option, ports as letters."""
import os
import shlex

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NOT_KEPT = "what it ran was not kept with it"


def shown(words):
    """A command for a shell in the project's folder."""
    return " ".join(shlex.quote(plain(word)) for word in words)


def plain(word):
    """Without the folder that this machine has it in."""
    if word.startswith(ROOT + os.sep):
        return os.path.relpath(word, ROOT)
    return os.path.basename(word) if os.path.isabs(word) and os.path.isfile(word) else word


def again(name, run):
    """What measures a row as it was measured."""
    return f"make bench-table ROWS={name} SECONDS={run['seconds']:g} ROUNDS={run['rounds']} N={run['n']}"


def of_rows(rows, s):
    """{row: {side: [server, load]}}, kept with the figures: a page that is made later shows these."""
    return {row.name: {side.label: list(side.say(s)) for side in row.sides} for row in rows}


def section(name, run):
    """What a row ran, for the page."""
    text = f"### {name}\n\n`{again(name, run)}`"
    sides = run.get("commands", {}).get(name)
    if not sides:
        return text + f"; {NOT_KEPT}\n"
    text += "; its commands were not kept, these are today's\n\n" if run.get("commands_of") == "today" else "\n\n"
    return text + "".join(f"- {label}: `{server}`; load: `{load}`\n" for label, (server, load) in sides.items())
