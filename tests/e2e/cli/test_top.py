"""tickcast top: once, as JSON, a kick, and the live table on a terminal of its own."""
import fcntl, json, os, pty, re, select, signal, struct, subprocess, termios, time
import pytest
from cli import run
from rig import TICKCAST, Closed, Server, wait_for

ONE = ("--workers", "1")  # so that the first connection is 0-0-1 on any machine
NOWHERE = {"PATH": os.environ.get("PATH", ""), "RUNTIME_DIRECTORY": "/nonexistent"}


def env(s):
    return {**os.environ, "RUNTIME_DIRECTORY": s.folder, "XDG_RUNTIME_DIR": s.folder}


def subscribed(s, query):
    c = s.client("/v1/ws?" + query)
    c.until_type("subscribed")
    return c


class Terminal:
    """A pseudo-terminal that the program takes for a real one; screen() is all that it has written."""

    def __init__(self, *words, env):
        self.main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 160, 0, 0))
        self.before = termios.tcgetattr(child)
        self.child = child
        self.process = subprocess.Popen([TICKCAST, *words], stdin=child, stdout=child, stderr=child, env=env)
        self.text = ""

    def until(self, pattern, seconds=20):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.text):
            assert time.monotonic() < end, f"not on the screen: {pattern}\n{self.text!r}"
            if select.select([self.main], [], [], 0.2)[0]:
                self.text += os.read(self.main, 65536).decode()
        found = re.search(pattern, self.text)
        self.text = self.text[found.end():]
        return found

    def keys(self, text):
        os.write(self.main, text.encode())

    def end(self):
        """The exit status, and whether the terminal is as it was."""
        status = self.process.wait(timeout=20)
        same = termios.tcgetattr(self.child) == self.before
        os.close(self.main)
        os.close(self.child)
        return status, same


def test_once_and_json_find_the_server_by_themselves():
    with Server(*ONE, io="epoll") as s:
        c = subscribed(s, "symbols=AAPL,B*&policy=complete&rate=5&frame=tick")
        name = "127.0.0.1:%d" % c.socket.getsockname()[1]
        done = run("top", env=env(s))
        assert done.returncode == 0 and done.stderr == ""
        lines = done.stdout.splitlines()
        assert "connections 1" in lines[0] and lines[2].startswith("ID ")
        assert re.search(rf"0-0-1 +{re.escape(name)} +subscribed complete tick/json +5 ", lines[3]) and "AAPL,B*" in lines[3]
        assert run("top", "--once", "--sort", "age", "--url", f"unix:{s.folder}/admin-{s.port}.sock").returncode == 0
        answer = json.loads(run("top", "--json", "--rows", "1", env=env(s)).stdout)
        assert answer["connections"][0]["peer"] == name and answer["sort"] == "lag"


def test_kick_and_what_is_said_when_there_is_nobody(tmp_path):
    with Server(*ONE, io="epoll") as s:
        c = subscribed(s, "symbols=*")
        done = run("top", "--kick", "0-0-1", "--code", "4007", "--reason", "go & rest, 5 min", env=env(s))
        assert (done.returncode, done.stdout) == (0, "kicked 0-0-1\n")
        with pytest.raises(Closed) as e:
            c.until(lambda m: False)
        assert (e.value.code, e.value.reason) == (4007, "go & rest, 5 min")
        c.close()
        done = run("top", "--kick", "0-0-99", env=env(s))
        assert done.returncode == 1 and "404 Not Found: the connection with this id is gone" in done.stderr
        done = run("top", "--kick", "rm -rf", env=env(s))
        assert done.returncode == 2 and "is no id; they look like 0-17-3" in done.stderr
        done = run("top", "--once", "--url", f"127.0.0.1:{s.port}")
        assert done.returncode == 1 and "start it with --admin-token FILE" in done.stderr and done.stderr.count("\n") == 1
    done = run("top", env={**NOWHERE, "XDG_RUNTIME_DIR": str(tmp_path)})
    if "unix:" not in done.stderr:  # others may run on this machine; one of them is named where there are two, or where it just ended
        assert done.returncode in (0, 1) and (done.returncode == 0 or "start one with `tickcast serve`" in done.stderr)
    done = run("top", "--once", "--url", f"unix:{tmp_path}/none.sock")
    assert done.returncode == 1 and "is the server running?" in done.stderr and done.stderr.count("\n") == 1


def test_the_token_opens_a_url(tmp_path):
    token = tmp_path / "token"
    token.write_text("0123456789abcdef\n")
    token.chmod(0o600)
    with Server("--admin-token", str(token), io="epoll") as s:
        done = run("top", "--once", "--url", f"http://127.0.0.1:{s.port}")
        assert done.returncode == 1 and "give --token FILE" in done.stderr
        def totals():
            done = run("top", "--json", "--url", f"http://127.0.0.1:{s.port}", "--token", str(token))
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)["totals"]
        wait_for(lambda: totals()["connections"] == 0)  # a connection that was handed over or refused leaves a turn later


def test_two_servers_are_named_and_not_guessed():
    with Server(io="epoll") as a, Server(io="epoll", env={**os.environ}) as b:
        both = {**os.environ, "RUNTIME_DIRECTORY": a.folder, "XDG_RUNTIME_DIR": a.folder}
        os.symlink(f"{b.folder}/admin-{b.port}.sock", f"{a.folder}/admin-{b.port}.sock")
        done = run("top", "--once", env=both)
        assert done.returncode == 2 and "servers answer here; choose one: --url unix:" in done.stderr


def test_live_choose_sort_kick_and_the_terminal_is_given_back():
    with Server(*ONE, io="epoll") as s:
        c = subscribed(s, "symbols=*")
        t = Terminal("top", env=env(s))
        t.until(r"\x1b\[\?1049h")
        t.until(r"connections 1 ")
        t.until(r"0-0-1 ")
        t.keys("k")
        t.until("choose one first")
        t.keys("b")
        t.until("by bytes")
        t.keys("\x1b[B")
        t.until(r"\x1b\[7m0-0-1 ")
        t.keys("k")
        t.until(r"kick 0-0-1\? y/n")
        t.keys("n")
        t.until(r"by bytes")
        t.keys("ky")
        t.until("kicked 0-0-1")
        with pytest.raises(Closed) as e:
            c.until(lambda m: False)
        assert (e.value.code, e.value.reason) == (1008, "kicked")
        t.keys("q")
        t.until(r"\x1b\[\?1049l")
        assert t.end() == (0, True)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM])
def test_live_ends_on_a_signal_and_survives_its_server(sig):
    with Server(io="epoll") as s:
        t = Terminal("top", env=env(s))
        t.until(r"connections 0 ")
        s.stop(signal.SIGKILL)
        t.until("is the server running")
        t.process.send_signal(sig)
        t.until(r"\x1b\[\?1049l")
        assert t.end() == (0, True)
