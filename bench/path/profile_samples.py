"""What `perf script` prints, as shares: each sample of a processor's time goes into one category by the functions on its stack.

A kernel sample is where its innermost telling function says: `_copy_from_iter` is copying wherever it was called, the wake-up of a
reader is a wake-up though it runs in the softirq, and everything else below net_rx_action is the receiver's side, which on loopback
runs on the sender's processor. A path that tells nothing (system call entry, page faults, timers) is `other kernel`.
"""
import collections
import re

COPY, SOFTIRQ, WAKE, SEND, RECEIVE, URING, KERNEL, OWN = CATEGORIES = (
    "copying", "receiver's softirq", "epoll, wake-ups, scheduler", "TCP send path", "TCP receive call", "io_uring", "other kernel",
    "the program's own functions")

WHAT = {
    COPY: "bytes into and out of socket buffers (`copy_from_iter`, `copy_to_iter`), and memcpy of the program",
    SOFTIRQ: "everything below `net_rx_action` but copying and wake-ups: on loopback the receiver's TCP runs where the sender sends",
    WAKE: "`sock_def_readable` and what it wakes, `epoll_wait`, `schedule`, being asked to reschedule, futexes, eventfds, sleeping and its timers",
    SEND: "`tcp_sendmsg` down to the loopback device: buffers, segments, routing, queueing; also ACKs that a reader sends",
    RECEIVE: "`tcp_recvmsg` and freeing what was read",
    URING: "submission, completion and polls of the ring itself",
    KERNEL: "system call entry, page faults, memory, timers and other interrupts",
    OWN: "the program with its libraries, but for memcpy",
}

COPYING = re.compile(r"_?_?copy_(?:to|from|page)\w*_(?:iter|user)\w*$|_copy_(?:to|from)_iter$|rep_movs_alternative$|copy_user_\w+$"
                     r"|__?memcpy\w*$|memcpy\w*$|memmove$|csum_and_copy\w*$|skb_copy_bits$|copyin$|copyout$")
PROGRAM_COPYING = re.compile(r"_*mem(?:cpy|move)\w*$")
NET_RX = re.compile(r"net_rx_action$|__napi_poll$|process_backlog$|tcp_v[46]_rcv$|ip_rcv$|__netif_receive_skb\w*$")
WAKING = re.compile(r"sock_def_readable$|sock_def_write_space\w*$|sk_stream_write_space$|__wake_up\w*$|try_to_wake_up$|wake_up_\w+$"
                    r"|ep_\w+$|do_epoll_\w+$|__x64_sys_epoll_\w+$|__?schedule(?:_\w+)?$|preempt_schedule\w*$|finish_task_switch$"
                    r"|futex_\w+$|do_futex$|__x64_sys_futex$|eventfd_\w+$|do_(?:sys_)?poll$|__x64_sys_p?poll$|do_nanosleep$"
                    r"|hrtimer_nanosleep$|__x64_sys_clock_nanosleep$|ttwu_\w+$|sched_yield$|__x64_sys_sched_yield$|io_poll_wake$"
                    r"|io_req_\w*work_add\w*$|(?:asm_)?sysvec_reschedule_ipi$|__io_req_task_work_add$|io_cqring_schedule_timeout$")
SENDING = re.compile(r"tcp_sendmsg\w*$|inet_sendmsg$|inet_send_prepare$|sock_sendmsg$|____sys_sendmsg$|___sys_sendmsg$|__sys_sendto$"
                     r"|__x64_sys_send\w*$|__sys_sendmsg$|sock_write_iter$|tcp_push\w*$|__tcp_push\w*$|tcp_write_xmit$|__tcp_transmit_skb$"
                     r"|tcp_send_\w+$|__tcp_send_ack$|__ip_queue_xmit$|ip_output$|ip_finish_output\w*$|__dev_queue_xmit$|loopback_xmit$")
RECEIVING = re.compile(r"tcp_recvmsg\w*$|inet6?_recvmsg$|sock_recvmsg$|__sys_recv\w+$|___sys_recv\w+$|__x64_sys_recv\w*$|sock_read_iter$"
                       r"|tcp_cleanup_rbuf$|skb_defer_free_flush$|do_sock_read$")
URINGS = re.compile(r"_*io_(?!schedule)\w+$|__do_sys_io_uring_enter$|__x64_sys_io_uring_enter$|tctx_\w+$")
SUFFIX = re.compile(r"(?:\.(?:lto_priv|constprop|isra|part|cold)(?:\.\d+)?)+$")
HEAD = re.compile(r"^(\S.*?)\s+(\d+)/(\d+)\s+(\d+):?\s*$")
FRAME = re.compile(r"^\s+([0-9a-f]+) (.*) \((.*)\)\s*$")


class Sample:
    """comm, pid, tid, ns of processor, frames: (symbol, object) from the innermost out."""

    def __init__(self, comm, pid, tid, ns):
        self.comm, self.pid, self.tid, self.ns, self.frames = comm, pid, tid, ns, []


def parse(lines):
    """Samples of `perf script -F comm,pid,tid,period,ip,sym,dso`, one after the other."""
    sample = None
    for line in lines:
        head = HEAD.match(line)
        if head:
            if sample is not None and sample.frames:
                yield sample
            sample = Sample(head.group(1), int(head.group(2)), int(head.group(3)), int(head.group(4)))
            continue
        frame = FRAME.match(line)
        if frame and sample is not None:
            sample.frames.append((SUFFIX.sub("", frame.group(2)), frame.group(3)))
    if sample is not None and sample.frames:
        yield sample


def in_kernel(frame):
    return frame[1].startswith("[kernel") or frame[1].endswith(".ko") or re.match(r"\[(?!vdso|unknown)\w+\]$", frame[1]) is not None


def category(sample):
    if not in_kernel(sample.frames[0]):
        return COPY if PROGRAM_COPYING.match(sample.frames[0][0]) else OWN
    names = [name for name, dso in sample.frames if in_kernel((name, dso))]
    for name in names:
        for pattern, found in ((COPYING, COPY), (WAKING, WAKE), (NET_RX, SOFTIRQ)):
            if pattern.match(name):
                return found
    for name in names:
        for pattern, found in ((SENDING, SEND), (RECEIVING, RECEIVE), (URINGS, URING)):
            if pattern.match(name):
                return found
    return KERNEL


def own_name(sample):
    """The innermost function of the program; code without a name by the file it is in."""
    name, dso = sample.frames[0]
    where = dso.rsplit("/", 1)[-1]
    if name != "[unknown]":
        return name if not re.match(r"lib|ld-|\[", where) else f"{name} ({where})"
    if where.startswith(("perf-", "//anon", "[", "anon")) or "anon" in where:
        return "code made at run time"
    return f"{where}, no name"


class Shares:
    """Counts of samples of one part (a server, a load) by category, own function and thread."""

    def __init__(self):
        self.count, self.by = 0, collections.Counter()
        self.own, self.threads = collections.Counter(), collections.Counter()

    def add(self, sample):
        kind = category(sample)
        self.count += 1
        self.by[kind] += 1
        self.threads[re.sub(r"[^\w .:+-]", "", sample.comm)] += 1
        if kind == OWN:
            self.own[own_name(sample)] += 1

    def merge(self, other):
        self.count += other.count
        for mine, theirs in ((self.by, other.by), (self.own, other.own), (self.threads, other.threads)):
            mine.update(theirs)

    def share(self, kind):
        return self.by[kind] / max(self.count, 1)
