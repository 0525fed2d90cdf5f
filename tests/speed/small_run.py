"""A small run of a bench script: as short as it can be. Where so short a time had nothing in it, for others had the processor just then,
for longer: what is asserted is that every side has its figures, not how soon. Any other failure is one at once."""

TOO_SHORT = ("no message came", "no tick came", "sent no tick", "nothing was delivered", "nothing was sent", "did not get going",
             "perf saw nothing", "directory: '/proc/", " 0.0 k/s")  # of /proc: what was looked at had ended


def small_run(run, *seconds, whole=lambda done: done.returncode == 0):
    """run: of the script, for so many seconds a side. What the first of them that was long enough gave, or the last."""
    for each in seconds:
        done = run(each)
        said = done.stdout + (done.stderr or "")
        if whole(done) or not any(words in said for words in TOO_SHORT):
            break
    return done
