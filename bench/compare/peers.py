"""The servers that are compared. Each knows how to be started on free ports of loopback, and what a subscriber says.

A peer that cannot run here says why (absent()), and the report repeats it. Everything a peer writes is in its own
temporary folder; it is ended by its process id.
"""
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from local_server import START_SECONDS, end_process, free_port, pinned, wait_answers  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("COMPARE_BUILD", os.path.join(ROOT, "build", "compare"))


class Failed(Exception):
    pass


class Peer:
    name = ""
    what = ""
    path = "/"
    subprotocol = None
    hellos = ()  # bytes of each message that subscribes
    hello_binary = False
    publish = "lines"

    def __init__(self, cpu):
        self.cpu, self.process, self.folder, self.port, self.ingest = cpu, None, None, None, None
        self.detail = ""

    def absent(self):
        """Why it cannot run here, or None."""
        return None

    def version(self):
        return ""

    def command(self, load):
        raise NotImplementedError

    def start(self, load):
        self.folder = tempfile.TemporaryDirectory(prefix=f"tickcast-compare-{self.name.split()[0]}-")
        log = open(os.path.join(self.folder.name, "log"), "wb")
        command = pinned(self.cpu) + self.command(load)
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                                            cwd=self.folder.name)
            self.wait_until_ready()
        finally:
            log.close()

    def wait_until_ready(self):
        for port in {self.port, self.ingest} - {None}:
            if not wait_answers(self.process, port):
                raise Failed(f"did not start: {self.tail()}")

    def tail(self):
        with open(os.path.join(self.folder.name, "log"), encoding="utf-8", errors="replace") as file:
            return " / ".join(file.read().strip().splitlines()[-3:])[-300:] or "nothing on standard error"

    def stop(self):
        if self.process is not None:
            end_process(self.process, 5)
            self.process.stdout.close()
            self.process = None
        if self.folder is not None:
            self.folder.cleanup()
            self.folder = None

    def pids(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [pid] + [int(child) for child in file.read().split()]

    def client_arguments(self):
        out = ["-p", str(self.port), "-u", self.path]
        if self.subprotocol:
            out += ["-s", self.subprotocol]
        for hello in self.hellos:
            out += ["-h", hello.hex()]
        if self.hello_binary:
            out.append("-b")
        if self.publish != "none":
            out += ["-w", self.publish, "-P", str(self.ingest)]
        return out


class Tickcast(Peer):
    name = "tickcast"
    what = "frame=tick: one message a tick, as everyone else"
    frame = "tick"
    program = os.environ.get("TICKCAST_LINES", os.path.join(ROOT, "build", "release", "bench", "tickcast_lines"))

    def absent(self):
        return None if os.path.exists(self.program) else "not built: tools/build.sh release tickcast_lines"

    def version(self):
        return first_line([self.program, "--version"]).split()[-1]

    def command(self, load):
        self.port, self.ingest = free_port(), free_port()
        self.path = f"/v1/ws?symbols=*&snapshot=0&policy=conflate&frame={self.frame}"
        return [self.program, "serve", "--listen", f"127.0.0.1:{self.port}", "--feed", f"lines:?port={self.ingest}",
                "--workers", "1", "--quiet", "--ping-interval", "3600", "--max-connections", "20000"]


class TickcastBatch(Tickcast):
    name = "tickcast batch"
    what = "frame=batch, its default: the ticks of a visit in one message"
    frame = "batch"


class Announced(Peer):
    """A server of ours that prints its ports as a line of JSON."""

    def wait_until_ready(self):
        readable, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if readable else b""
        if not line:
            raise Failed(f"did not start: {self.tail()}")
        said = json.loads(line)
        self.port, self.ingest, self.detail = said["port"], said["ingest"], said["version"]

    def version(self):
        return self.detail


class Node(Announced):
    script = ""

    def absent(self):
        if shutil.which("node") is None:
            return "node is not installed"
        package = os.path.join(HERE, "node_modules", self.script.replace("socketio", "socket.io"))
        return None if os.path.isdir(package) else "npm ci in bench/compare failed or was not run"

    def version(self):
        return f"{self.detail} on Node {first_line(['node', '--version'])}"

    def command(self, load):
        return ["node", os.path.join(HERE, "servers", f"{self.script}.mjs")]


class Ws(Node):
    name = "ws"
    what = "npm, client.send(tick) for each client"
    script = "ws"


class SocketIo(Node):
    name = "Socket.IO"
    what = "npm, io.emit('tick', tick), WebSocket alone"
    script = "socketio"
    path = "/socket.io/?EIO=4&transport=websocket"
    hellos = (b"40",)


class Bun(Announced):
    name = "Bun"
    what = "npm, server.publish(tick): its WebSockets are uWebSockets"
    program = os.path.join(HERE, "node_modules", "@oven", "bun-linux-x64", "bin", "bun")

    def absent(self):
        if os.path.exists(self.program):
            return None
        return "npm ci in bench/compare failed, was not run, or has no Bun for this machine"

    def command(self, load):
        command = [self.program, os.path.join(HERE, "servers", "bun.mjs")]
        if load["kind"] == "self":
            command = ["env", f"SELF={load['burst']}", f"CLIENTS={load['connections']}", *command]
        return command


class BunBatch(Bun):
    name = "Bun batch"
    what = "what was read at once in one message"

    def command(self, load):
        return ["env", "BATCH=1", *super().command(load)]


class Lws(Announced):
    name = "libwebsockets"
    what = "a server of ours in C, one lws_write a tick and client"

    def absent(self):
        if os.path.exists(os.path.join(BUILD, "lws")):
            return None
        return "libwebsockets-dev is not installed"

    def command(self, load):
        return [os.path.join(BUILD, "lws")]


class Nats(Peer):
    name = "nats-server"
    what = "its WebSocket listener, one subject; several messages may share a frame"
    publish = "nats"
    hellos = (b'CONNECT {"verbose":false,"pedantic":false,"protocol":1}\r\nSUB t 1\r\n',)
    hello_binary = True

    def absent(self):
        return None if shutil.which("nats-server") else "nats-server is not installed"

    def version(self):
        return first_line(["nats-server", "--version"]).split()[-1]

    def command(self, load):
        self.port, self.ingest = free_port(), free_port()
        config = self.write("nats.conf", f'listen: "127.0.0.1:{self.ingest}"\nping_interval: "1h"\nmax_connections: 65536\n'
                            f'websocket {{ listen: "127.0.0.1:{self.port}", no_tls: true, compression: false }}\n')
        return ["nats-server", "-c", config]

    def write(self, name, text):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path


class Mosquitto(Nats):
    name = "Mosquitto"
    what = "MQTT 3.1.1 over WebSocket, QoS 0, one topic"
    publish = "mqtt"
    path = "/mqtt"
    subprotocol = "mqtt"
    # CONNECT (clean session, no keep-alive, no client id), SUBSCRIBE to "t" with QoS 0
    hellos = (bytes.fromhex("100c00044d5154540402000000") + b"\0", bytes.fromhex("8206000100017400"))

    def absent(self):
        return None if shutil.which("mosquitto") else "mosquitto is not installed"

    def version(self):
        said = subprocess.run(["mosquitto", "-h"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        return re.search(r"version (\S+)", said.stdout).group(1)

    def command(self, load):
        self.port, self.ingest = free_port(), free_port()
        config = self.write("mosquitto.conf", "allow_anonymous true\npersistence false\nlog_type error\nmax_queued_messages 0\n"
                            f"set_tcp_nodelay true\nlistener {self.ingest} 127.0.0.1\n"
                            f"listener {self.port} 127.0.0.1\nprotocol websockets\n")
        return ["mosquitto", "-c", config]


class Nchan(Nats):
    name = "nginx + Nchan"
    what = "one worker, published by POST on one connection"
    publish = "http"
    path = "/sub"
    hellos = ()
    module = "/usr/lib/nginx/modules/ngx_nchan_module.so"

    def absent(self):
        if shutil.which("nginx") is None:
            return "nginx is not installed"
        return None if os.path.exists(self.module) else "libnginx-mod-nchan is not installed"

    def version(self):
        said = subprocess.run(["nginx", "-v"], stderr=subprocess.PIPE, text=True, check=False).stderr.split("/")[-1].strip()
        package = subprocess.run(["dpkg-query", "-W", "-f=${Version}", "libnginx-mod-nchan"], stdout=subprocess.PIPE,
                                 text=True, check=False).stdout
        return f"{package} in nginx {said}"

    def wait_until_ready(self):
        super().wait_until_ready()
        end = time.monotonic() + START_SECONDS
        while len(self.pids()) < 2:  # the master listens before its worker is there
            if time.monotonic() > end:
                raise Failed(f"no worker process: {self.tail()}")
            time.sleep(0.02)

    def command(self, load):
        self.port = self.ingest = free_port()
        temporary = "".join(f"  {kind}_temp_path {self.folder.name}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = self.write("nginx.conf", f"""load_module {self.module};
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {self.folder.name}/nginx.pid;
error_log stderr error;
events {{ worker_connections 20000; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
{temporary}  nchan_shared_memory_size 256m;
  server {{
    listen 127.0.0.1:{self.port} backlog=4096;
    location = /pub {{ nchan_publisher http; nchan_channel_id t; nchan_message_buffer_length 1000; }}
    location = /sub {{ nchan_subscriber websocket; nchan_channel_id t; nchan_subscriber_first_message newest; }}
  }}
}}
""")
        return ["nginx", "-p", self.folder.name, "-c", config, "-e", "stderr"]


ALL = (Tickcast, TickcastBatch, Bun, BunBatch, Nchan, Ws, Nats, Mosquitto, Lws, SocketIo)


def first_line(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return (done.stdout.splitlines() or [""])[0]
