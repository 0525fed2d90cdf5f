"""Start, health, drain, end."""
import ctypes, errno, json, os, signal, socket, subprocess
import pytest
from rig import TICKCAST, Closed, Server, ticks_of


def closed_with(c):
    with pytest.raises(Closed) as e:
        c.until(lambda m: False)
    return e.value.code


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_exits_0(io, sig):
    with Server("--drain-seconds", "0.5", io=io) as s:
        assert s.http("GET", "/readyz")[0] == 200
        clients = [s.client("/v1/ws?symbols=*") for _ in range(20)]
        s.process.send_signal(sig)
        for c in clients:
            notice = c.until_type("drain")
            assert 0 <= notice["reconnect_after_ms"] <= 2000
            assert closed_with(c) == 1012
            c.close()
        assert s.process.wait(10) == 0


def allowed(process):
    """The processors of each thread, by its name, as /proc writes them."""
    lists = {}
    for task in os.listdir(f"/proc/{process.pid}/task"):
        with open(f"/proc/{process.pid}/task/{task}/status", encoding="ascii") as status:
            fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
        lists.setdefault(fields["Name"], []).append(fields["Cpus_allowed_list"])
    return lists


def test_threads_run_where_cpus_says(io):
    """The feed thread on the first where there is one more than workers; else all in turn. Nobody else is pinned."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        pytest.skip("one processor: nothing to tell apart")
    a, b = cpus[:2]
    with Server("--workers", "1", io=io) as s:
        everywhere = allowed(s.process)["tickcast"][0]
    assert everywhere not in (str(a), str(b))
    for workers, words, feeds, each in ((1, f"{a},{b}", a, [b]), (1, f"{b},{a}", b, [a]), (1, f"{b}", b, [b]), (2, f"{b},{a}", b, [b, a])):
        with Server("--workers", str(workers), "--cpus", words, io=io) as s:
            lists = allowed(s.process)
            assert lists.pop("feeds") == [str(feeds)], (words, lists)
            for number, cpu in enumerate(each):
                assert lists.pop(f"worker {number}") == [str(cpu)], (words, lists)
            assert set(lists.pop("tickcast")) == {everywhere}  # main: signals
            assert all(own == [everywhere] for own in lists.values()), lists


def test_a_processor_that_is_not_there_is_said(io):
    here = max(os.sched_getaffinity(0))
    for cpus in ("1023", f"{here},1023"):  # the feed thread's; a worker's
        done = subprocess.run([TICKCAST, "serve", "--listen", "127.0.0.1:0", "--workers", "1", "--io", io, "--cpus", cpus],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        assert done.returncode == 2 and "pinned to processor 1023" in done.stderr, (cpus, done.stderr)


def test_no_drain_time_closes_with_1001(io):
    with Server("--drain-seconds", "0", io=io) as s:
        c = s.client("/v1/ws?symbols=*")
        s.process.send_signal(signal.SIGTERM)
        assert closed_with(c) == 1001
        c.send_frame(8, b"\x03\xe9")
        assert s.process.wait(10) == 0


def test_a_second_signal_ends_at_once(io):
    with Server("--drain-seconds", "60", io=io) as s:
        held = [s.client("/v1/ws?symbols=*") for _ in range(4)]
        s.process.send_signal(signal.SIGTERM)
        s.wait_log("event=draining")
        s.process.send_signal(signal.SIGTERM)
        assert s.process.wait(20) == 0 and held


def test_a_restart_has_a_new_epoch(io):
    with Server(io=io) as s:
        c = s.client()
        c.next()
        first = c.epoch
        s.stop(signal.SIGKILL)
    with Server(io=io) as s:
        c = s.client(f"/v1/ws?symbols=*&resume={first}-5")
        assert c.next()["epoch"] != first
        assert c.until_type("gap")["epoch"] == first


def test_a_new_epoch_is_told_before_its_first_tick(tmp_path, io):
    """Decision 12 while the new log is empty: the gap is told, not left out for being of no length."""
    path = tmp_path / "one.csv"
    path.write_text("symbol,price,size,ts\nAAPL,1.5,100,1700000000000000000\n")
    with Server("--wait", "2", io=io, command="replay", files=[path]) as s:
        c = s.client("/v1/ws?symbols=*&resume=0123456789abcdef-5")
        assert c.until_type("subscribed")["seq"] == 0
        gap = c.next()
        assert gap == {"type": "gap", "from": 0, "to": 0, "reason": "resume", "epoch": "0123456789abcdef", "seq": 5}
        assert c.next() == {"type": "snapshot", "seq": 0, "ticks": []}
        other = s.client("/v1/ws?symbols=*")
        other.until_type("subscribed")
        assert any(t["type"] == "trade" for t in ticks_of(c.until(lambda m: any(t["type"] == "trade" for t in ticks_of([m])))))


@pytest.mark.parametrize("args,word", [
    (["--workers", "-1"], "workers"), (["--log-capacity", "1000"], "log-capacity"), (["--no-such", "1"], "no-such"),
    (["--feed", "sim:?rat=5"], "rat"), (["--feed", "nothing:x"], "nothing"), (["--io", "select"], "io"),
])
def test_a_wrong_call_is_one_line_and_2(args, word):
    done = subprocess.run([TICKCAST, "serve", "--listen", "127.0.0.1:0", *args], capture_output=True, text=True, timeout=10)
    assert done.returncode == 2 and word in done.stderr
    told = [l for l in done.stderr.splitlines() if "level=info" not in l and "level=warn" not in l]
    assert len(told) == 1, done.stderr


def test_a_port_in_use_is_told_with_its_remedy():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        port = s.getsockname()[1]
        done = subprocess.run([TICKCAST, "serve", "--listen", f"127.0.0.1:{port}"], capture_output=True, text=True, timeout=10)
        assert done.returncode == 1 and str(port) in done.stderr and "--listen" in done.stderr


def test_json_log_lines():
    done = subprocess.Popen([TICKCAST, "serve", "--listen", "127.0.0.1:0", "--log-format", "json"], stderr=subprocess.PIPE, text=True)
    try:
        events = [json.loads(done.stderr.readline()) for _ in range(4)]
        assert events[-1]["event"] == "listening"
    finally:
        done.terminate()
        done.communicate(timeout=10)


# ---- Where io_uring is forbidden, as in many containers. ----

URING_CALLS = (425, 426, 427)  # io_uring_setup, _enter, _register, the same on all architectures
SCMP_ACT_ALLOW, SCMP_ACT_ERRNO = 0x7FFF0000, 0x00050000


def io_uring_forbidden(err):
    """For preexec_fn: a filter under which these calls end with err."""
    try:
        seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    except OSError as e:
        pytest.skip(f"no libseccomp: {e}")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    seccomp.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    seccomp.seccomp_load.argtypes = [ctypes.c_void_p]

    def forbid():
        filters = seccomp.seccomp_init(SCMP_ACT_ALLOW)
        done = [seccomp.seccomp_rule_add(filters, SCMP_ACT_ERRNO | err, call, 0) for call in URING_CALLS]
        if any(done) or seccomp.seccomp_load(filters) != 0:
            raise OSError("the filter was refused")
    return forbid


@pytest.mark.parametrize("err", [errno.EPERM, errno.ENOSYS])
def test_where_io_uring_is_forbidden_auto_takes_epoll_and_says_why(err):
    with Server(io="auto", preexec_fn=io_uring_forbidden(err)) as s:
        why = s.wait_log(r'event=io backend=epoll why="([^"]*)"')
        assert "--io epoll" in why and ("seccomp" in why if err == errno.EPERM else "kernel or sandbox" in why), why
        c = s.client("/v1/ws?symbols=*")
        c.until_type("ticks")
        c.close()


@pytest.mark.parametrize("err", [errno.EPERM, errno.ENOSYS])
def test_where_io_uring_is_forbidden_asking_for_it_fails_with_the_remedy(err):
    done = subprocess.run([TICKCAST, "serve", "--listen", "127.0.0.1:0", "--io", "uring"], capture_output=True, text=True,
                          timeout=10, preexec_fn=io_uring_forbidden(err))
    assert done.returncode == 1, done.stderr
    assert "--io uring: " in done.stderr and "use --io epoll" in done.stderr, done.stderr
    assert "event=listening" not in done.stderr


def no_huge_pages():
    if ctypes.CDLL(None, use_errno=True).prctl(41, 1, 0, 0, 0) != 0:  # PR_SET_THP_DISABLE
        raise OSError(ctypes.get_errno(), "PR_SET_THP_DISABLE")


def test_the_start_up_line_says_what_became_of_huge_pages():
    def said(*args, **popen):
        with Server(*args, **popen) as s:
            return s.wait_log(r"event=memory .* huge_pages=(\w+)")
    assert said("--no-huge-pages") == "off"
    assert said(preexec_fn=no_huge_pages) == "refused"
    try:
        with open("/sys/kernel/mm/transparent_hugepage/enabled", encoding="ascii") as f:
            expected = "refused" if "[never]" in f.read() else "granted"
    except FileNotFoundError:
        pytest.skip("the kernel does not say whether it has huge pages")
    assert said() == expected
