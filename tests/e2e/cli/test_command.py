"""The command line itself: version, help, completion, and what a wrong call is told."""
import os, shutil, subprocess
import pytest
from cli import run

COMMANDS = ["serve", "replay", "tail", "bench", "top", "completion", "help"]


def test_version():
    done = run("--version")
    assert done.returncode == 0 and done.stdout.startswith("tickcast ")


def test_no_command_is_a_wrong_call():
    done = run()
    assert done.returncode == 2 and done.stdout == "" and "usage: tickcast COMMAND" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    done = run("help", command)
    assert done.returncode == 0 and f"usage: tickcast {command}" in done.stdout and "Examples:" in done.stdout
    assert run(command, "--help").stdout == done.stdout
    assert all(len(line) <= 110 for line in done.stdout.splitlines())


def test_help_has_every_setting():
    text = run("help", "serve").stdout
    for option in ("--listen", "--log-capacity", "--heartbeat", "--max-rules", "--io auto|uring|epoll"):
        assert option in text


@pytest.mark.parametrize("words, expected", [
    (["sevre"], 'no command "sevre"; did you mean `tickcast serve`?'),
    (["help", "tial"], 'did you mean tail'),
    (["tail", "--kindz", "trade"], "--kindz: no such option; did you mean --kinds?"),
    (["bench", "--connections", "many"], '--connections: "many" is not a whole number'),
    (["bench", "--connections=0"], "--connections: there is nobody to measure"),
    (["bench", "--url", "wss://h"], "--url: \"wss://h\" asks for TLS"),
    (["bench", "--cpus", "0-"], "--cpus"),
    (["bench", "extra"], '"extra" is not expected'),
    (["bench", "--header", "X: 1", "--header", "Bearer"], "--header: number 2 is no field; write --header 'NAME: VALUE'"),
    (["bench", "--header"], "--header: a value is missing; write --header 'NAME: VALUE'"),
    (["bench", "--header", "X: 1\r\nY: 2"], "--header: the value of X has a line break"),
    (["bench", "--header=Upgrade: h2c"], "--header: Upgrade belongs to the request itself; leave it out"),
    (["bench", "--header", "X: " + "x" * 4096], "--header: all together are longer than 4095 bytes"),
    (["bench", *["--header", "X: 1"] * 65], "--header: given more than 64 times"),
    (["bench", "--self-test", "--header", "X: 1"], "--self-test: its own server needs no more fields"),
    (["serve", "--log-capacity", "1000000"], "--log-capacity: 1000000 is not a power of two; use 1048576"),
    (["serve", "--listen", "nowhere"], "--listen: \"nowhere\" is not an address and a port"),
    (["serve", "--config", "/nonexistent"], "--config /nonexistent: No such file"),
    (["serve", "--io", "kqueue"], '--io: "kqueue" is none of the choices; use auto|uring|epoll'),
    (["completion", "tcsh"], "use bash, zsh or fish"),
    (["replay"], "FILE... is missing"),
])
def test_a_wrong_call_is_one_line_and_2(words, expected):
    done = run(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert expected in done.stderr and done.stderr.count("\n") == 1


def test_a_configuration_file_is_told_with_its_line(tmp_path):
    path = tmp_path / "t.conf"
    path.write_text("# mine\nworkers = 1\nheartbaet = 3\n")
    done = run("serve", "--config", str(path))
    assert done.returncode == 2 and f'{path}:3: no setting "heartbaet"; did you mean heartbeat?' in done.stderr


def test_a_wrong_value_of_a_configuration_file_is_found_in_the_check(tmp_path):
    """Every line can be read, one value is no use: one line, 2, and the file's memory is given back (the address sanitizer looks)."""
    path = tmp_path / "t.conf"
    path.write_text("workers = 1\nlisten = nowhere\n")
    for command in (["serve"], ["replay", "--at-end", "stay", "x.csv"]):
        done = run(*command, "--config", str(path))
        assert done.returncode == 2 and done.stderr.count("\n") == 1, done.stderr
        assert '"nowhere" is not an address and a port' in done.stderr


def complete(words, current):
    script = ('source <("$1" completion bash); shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tickcast;'
              ' printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", os.environ.get("TICKCAST", "build/release/tickcast"), *words, current],
                          capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completion_completes():
    assert complete(["tickcast"], "se") == ["serve"]
    assert complete(["tickcast", "serve"], "--max-c") == ["--max-connections", "--max-connections-per-ip", "--max-commands"]
    assert complete(["tickcast", "serve", "--io"], "") == ["auto", "uring", "epoll"]
    assert complete(["tickcast", "bench"], "--hea") == ["--header"]
    assert complete(["tickcast", "bench", "--policy"], "c") == ["conflate", "complete", "close"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_scripts_of_other_shells_parse(shell):
    text = run("completion", shell).stdout
    assert "--log-capacity" in text or "log-capacity" in text
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed; its script was made but not parsed")
    done = subprocess.run([shell, "-n"], input=text, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
