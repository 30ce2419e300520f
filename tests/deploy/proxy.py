"""Runs citybrain behind nginx with the files of deploy/nginx, and uses it as browsers, devices and
programs do: live events, MQTT over WebSocket and over TLS, uploads, logins, the audit log.

usage: proxy.py CITYBRAIN

Needs nginx with its stream module, mosquitto_pub, curl and openssl, and paho-mqtt
(requirements.txt beside this file). Listens on loopback only; the client comes from 127.0.0.2, so that
its address differs from the proxy's.
"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import paho.mqtt.client as mqtt

ROOT = pathlib.Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "deploy/nginx"
CLIENT = "127.0.0.2"
NAME = "brain.city.example"
STREAM_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")
PATIENCE = 20

CITY = """
data_dir = "data"
[city]
name = "Proxied"
time_zone = "UTC"
devices = "devices.json"
kinds = [{ id = "gauge", name = "Gauge" }]
departments = [{ id = "water", name = "Water" }]
[[source]]
id = "levels"
topic = "city/{device}/up"
format = "json"
[source.options]
time = "ts"
[source.options.values]
level = { metric = "water_level", unit = "m" }
"""


def free_ports(count):
    """Ports that nobody listens at."""
    with contextlib.ExitStack() as open_ones:
        sockets = [open_ones.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def eventually(what, ask, within=PATIENCE):
    """Asks until the answer is true; gives it."""
    until, last = time.monotonic() + within, None
    while time.monotonic() < until:
        try:
            answer = ask()
            if answer:
                return answer
        except (OSError, http.client.HTTPException, AssertionError) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {within} s ({last})")


def swap(text, pairs):
    """Puts each second in the place of each first, which must be there."""
    for old, new in pairs:
        assert old in text, f"the shipped file no longer says `{old}`; adapt this test"
        text = text.replace(old, new)
    return text


class Setup:
    """The folder, the ports and the two programs."""

    def __init__(self, citybrain, folder):
        self.citybrain, self.folder = citybrain, folder
        names = ["brain", "mqtt", "websocket", "plain", "tls", "mqtts"]
        self.ports = dict(zip(names, free_ports(len(names))))
        self.programs = {}
        self.certificates()
        self.configure_citybrain()
        self.configure_nginx()

    def certificates(self):
        run = lambda *words: subprocess.run(words, cwd=self.folder, check=True, capture_output=True)
        new = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-days", "2", "-subj", f"/CN={NAME}"]
        run(*new, "-keyout", "key.pem", "-out", "cert.pem", "-addext",
            f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1")
        self.trust = ssl.create_default_context(cafile=self.folder / "cert.pem")

    def configure_citybrain(self):
        ports = self.ports
        behind = swap((SHIPPED / "citybrain.toml").read_text(), [
            ("127.0.0.1:8080", f"127.0.0.1:{ports['brain']}"),
            ("127.0.0.1:1883", f"127.0.0.1:{ports['mqtt']}"),
            ("127.0.0.1:8084", f"127.0.0.1:{ports['websocket']}"),
        ])
        # What belongs to no table comes first.
        (self.folder / "citybrain.toml").write_text(CITY + behind)
        devices = [{"id": f"gauge-{n}", "kind": "gauge", "department": "water"} for n in (1, 2)]
        (self.folder / "devices.json").write_text(json.dumps(devices))

    def configure_nginx(self):
        ports, folder = self.ports, self.folder
        files = [("/etc/nginx/citybrain/", f"{folder}/"), ("/var/log/nginx/", f"{folder}/")]
        web = swap((SHIPPED / "citybrain.conf").read_text(), files + [
            ("127.0.0.1:8080", f"127.0.0.1:{ports['brain']}"),
            ("127.0.0.1:8084", f"127.0.0.1:{ports['websocket']}"),
            ("listen 80;", f"listen 127.0.0.1:{ports['plain']};"),
            ("listen [::]:80;", ""),
            ("listen 443 ssl", f"listen 127.0.0.1:{ports['tls']} ssl"),
            ("listen [::]:443 ssl http2;", ""),
        ])
        devices = swap((SHIPPED / "citybrain-mqtt.conf").read_text(), files + [
            ("127.0.0.1:1883", f"127.0.0.1:{ports['mqtt']}"),
            ("listen 8883", f"listen 127.0.0.1:{ports['mqtts']}"),
            ("listen [::]:8883 ssl so_keepalive=on;", ""),
        ])
        temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in
                             ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        # Where the module is part of the program, there is no file of it.
        load = f"load_module {STREAM_MODULE};\n" if STREAM_MODULE.exists() else ""
        (folder / "web.conf").write_text(web)
        (folder / "mqtt.conf").write_text(devices)
        (folder / "nginx.conf").write_text(
            f"{load}worker_processes 2;\ndaemon off;\npid {folder}/nginx.pid;\n"
            f"error_log {folder}/nginx-error.log warn;\nevents {{ worker_connections 512; }}\n"
            f"http {{\n{temporary}\ninclude {folder}/web.conf;\n}}\ninclude {folder}/mqtt.conf;\n")
        # Its workers, which are another user's if it is started by root, read and write here.
        folder.chmod(0o755)

    def start_citybrain(self):
        environment = {**os.environ, "CITYBRAIN_READY_LINE": "1", "CITYBRAIN_LOG": "warn"}
        program = subprocess.Popen(
            [self.citybrain, "serve", "--config", self.folder / "citybrain.toml"],
            env=environment, stdout=subprocess.PIPE, text=True)
        self.programs["citybrain"] = program
        for line in program.stdout:
            if line.startswith("READY "):
                self.ready = json.loads(line.removeprefix("READY "))
                break
        else:
            raise AssertionError("citybrain does not start")
        # What else it prints is not looked at, but must not fill the pipe.
        threading.Thread(target=program.stdout.read, daemon=True).start()

    def start_nginx(self):
        command = ["nginx", "-c", self.folder / "nginx.conf", "-p", self.folder]
        checked = subprocess.run([*command, "-t", "-q"], capture_output=True, text=True)
        said = [line for line in checked.stderr.splitlines() if "could not open error log" not in line]
        assert checked.returncode == 0 and not any("[warn]" in line for line in said), said
        self.programs["nginx"] = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        eventually("nginx listens", lambda: socket.create_connection(
            ("127.0.0.1", self.ports["tls"]), 1).close() or True)

    def stop(self, name):
        program = self.programs.pop(name, None)
        if program:
            program.send_signal(signal.SIGTERM)
            try:
                program.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()

    def command(self, *words, said=None):
        """Runs a command of citybrain; gives what it prints."""
        done = subprocess.run([self.citybrain, *words, "--data-dir", self.folder / "data"], input=said,
                              capture_output=True, text=True)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def connect(self, timeout=PATIENCE):
        """A connection over TLS to the proxy, from the client's address."""
        raw = socket.create_connection(("127.0.0.1", self.ports["tls"]), timeout, (CLIENT, 0))
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secured = self.trust.wrap_socket(raw, server_hostname=NAME)
        connection = http.client.HTTPConnection(NAME)
        connection.sock = secured
        return connection

    def host(self):
        return f"{NAME}:{self.ports['tls']}"

    def ask(self, method, path, body=None, headers=None, token=True):
        """A request through the proxy: status, headers, text."""
        connection = self.connect()
        sent = {"Host": self.host(), **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {self.ready['token']}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            sent["Content-Type"] = "application/json"
        connection.request(method, path, body=body, headers=sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text

    def publish(self, *more, topic="city/gauge-1/up", payload="{}"):
        """mosquitto_pub over TLS; whether it succeeded."""
        done = subprocess.run(
            ["mosquitto_pub", "-h", "localhost", "-p", str(self.ports["mqtts"]), "--cafile",
             self.folder / "cert.pem", "-q", "1", "-t", topic, "-m", payload, *more],
            capture_output=True, timeout=PATIENCE)
        return done.returncode == 0

    def newest(self, device):
        """The newest value of a device."""
        _, _, text = self.ask("GET", f"/api/v1/last-values?device={device}")
        return text


def level(value):
    return json.dumps({"level": value})


def plain_http_is_sent_to_tls(setup):
    plain = http.client.HTTPConnection("127.0.0.1", setup.ports["plain"], timeout=PATIENCE)
    plain.request("GET", "/alerts?x=1", headers={"Host": "evil.example"})
    answer = plain.getresponse()
    assert answer.status == 308, answer.status
    assert answer.headers["location"] == f"https://{NAME}/alerts?x=1", answer.headers["location"]


def pages_come_by_http_2_with_the_headers_of_both(setup):
    curl = ["curl", "--silent", "--show-error", "--http2", "--cacert", setup.folder / "cert.pem",
            "--resolve", f"{setup.host()}:127.0.0.1", "--max-time", "5"]
    page = [*curl, "--dump-header", "-", "--output", os.devnull, "--write-out", "%{http_version}",
            f"https://{setup.host()}/"]
    said = subprocess.run(page, capture_output=True, text=True, check=True).stdout.lower()
    assert said.startswith("http/2 200") and said.endswith("2"), said
    for header in ["strict-transport-security", "content-security-policy", "x-frame-options"]:
        assert said.count(f"\n{header}:") == 1, (header, said)
    # Browsers follow the stream by HTTP/2, too: the first event comes long before there is a second.
    follow = [*curl, "--no-buffer", "--header", f"Authorization: Bearer {setup.ready['token']}",
              f"https://{setup.host()}/api/v1/stream?events=alert"]
    with subprocess.Popen(follow, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as program:
        asked = time.monotonic()
        lines = [program.stdout.readline() for _ in range(2)]
        took = time.monotonic() - asked
        program.terminate()
    assert b"event: hello\n" in lines and took < 2, (lines, took)


def live_events_arrive_at_once(setup, token):
    connection = setup.connect()
    connection.request("GET", "/api/v1/stream?values=true&events=values", headers={
        "Host": setup.host(), "Authorization": f"Bearer {setup.ready['token']}"})
    asked = time.monotonic()
    answer = connection.getresponse()
    assert answer.status == 200 and answer.headers["content-type"] == "text/event-stream"

    def lines():
        while line := answer.readline():
            yield line.decode().rstrip("\n"), time.monotonic()

    stream = lines()
    hello = next(at for line, at in stream if line == "event: hello") - asked
    delays = []
    for number in range(5):
        value = 1.25 + number
        published = time.monotonic()
        assert setup.publish("-u", "gauge-1", "-P", token, payload=level(value)), "acknowledged"
        wanted = f",{value},"
        seen = next(at for line, at in stream if line.startswith("data:") and wanted in line)
        delays.append(seen - published)
    # Something that is collected on the way would come with the next heartbeat, ten seconds later.
    assert hello < 1 and max(delays) < 2, (hello, delays)
    quiet = time.monotonic()
    beat = next(at for line, at in stream if line.startswith(":")) - quiet
    assert beat < 11, beat
    connection.close()
    return f"first event {hello * 1000:.1f} ms, values {sorted(delays)[2] * 1000:.0f} ms (median, with " \
           f"the start of mosquitto_pub), heartbeat {beat:.1f} s"


def devices_speak_mqtt_over_websocket(setup, token):
    acknowledged, connected = threading.Event(), threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "gauge-2", transport="websockets",
                         protocol=mqtt.MQTTv5)
    client.username_pw_set("gauge-2", token)
    client.tls_set(ca_certs=str(setup.folder / "cert.pem"))
    client.ws_set_options(path="/mqtt")
    client.on_connect = lambda *words: connected.set() if not words[3].is_failure else None
    client.on_publish = lambda *words: acknowledged.set()
    client.connect("localhost", setup.ports["tls"], keepalive=5)
    client.loop_start()
    assert connected.wait(PATIENCE), "no CONNACK"
    client.publish("city/gauge-2/up", level(7.5), qos=1)
    assert acknowledged.wait(PATIENCE), "no PUBACK"
    # Longer than its keep-alive: pings go both ways.
    time.sleep(8)
    assert client.is_connected(), "it was cut off while it was quiet"
    client.disconnect()
    client.loop_stop()
    eventually("the reading is there", lambda: "7.5" in setup.newest("gauge-2"))


def only_own_pages_open_a_websocket(setup):
    for origin, expected in [(f"https://{setup.host()}", 101), ("https://evil.example", 403)]:
        status, _, _ = setup.ask("GET", "/mqtt", token=False, headers={
            "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Protocol": "mqtt", "Origin": origin,
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode()})
        assert status == expected, (origin, status)


def devices_speak_mqtt_over_tls(setup, token):
    assert not setup.publish(payload=level(1)), "without credentials nobody is let in"
    # More than are allowed from one address in a minute: behind the proxy all have one.
    for _ in range(25):
        assert not setup.publish("-u", "gauge-1", "-P", "guess", payload=level(1))
    assert setup.publish("-u", "gauge-1", "-P", token, payload=level(9.5)), "others are locked out"
    eventually("the reading is there", lambda: "9.5" in setup.newest("gauge-1"))


def large_uploads_are_refused_clearly(setup):
    # By citybrain, with its own limit of that route.
    status, headers, text = setup.ask("POST", "/api/v1/silences", "x" * (300 << 10), {
        "Content-Type": "application/json"})
    problem = json.loads(text)
    assert status == 413 and problem["code"] == "body_too_large", (status, text)
    assert "KiB" in problem["detail"] and headers["x-request-id"], problem
    # By the proxy, before anything is sent on.
    connection = setup.connect()
    connection.putrequest("POST", "/api/v1/devices/import")
    connection.putheader("Content-Length", str(65 << 20))
    connection.endheaders()
    connection.send(b"[")
    answer = connection.getresponse()
    problem = json.loads(answer.read())
    assert answer.status == 413 and problem["code"] == "body_too_large", problem
    assert answer.headers["content-type"] == "application/problem+json", answer.headers
    connection.close()


def people_log_in_with_a_secure_cookie(setup):
    password = "a walk along the quiet river"
    setup.command("user", "add", "ada", "--grant", "admin", said=f"{password}\n{password}\n")
    login = {"user": "ada", "password": password}
    evil = {"Origin": "https://evil.example"}
    status, _, text = setup.ask("POST", "/api/v1/session", login, evil, token=False)
    assert status == 403 and json.loads(text)["code"] == "cross_origin", (status, text)
    own = {"Origin": f"https://{setup.host()}"}
    status, headers, text = setup.ask("POST", "/api/v1/session", login, own, token=False)
    assert status == 204, (status, text)
    cookies = headers.get_all("set-cookie")
    assert any(c.startswith("__Host-citybrain_session=") and "Secure" in c for c in cookies), cookies


def the_audit_log_has_the_real_address(setup):
    forged = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    department = {"name": {"en": "Parks", "zh": "公园"}}
    status, _, text = setup.ask("PUT", "/api/v1/departments/parks", department, forged)
    assert status in (200, 201), (status, text)
    _, _, text = setup.ask("GET", "/api/v1/audit-log?limit=100")
    addresses = {entry["address"] for entry in json.loads(text)["items"]
                 if entry["target"] == "parks" or "login" in entry["action"] or entry["user"] == "ada"}
    assert CLIENT in addresses, text
    assert addresses <= {CLIENT, None}, addresses


def figures_are_for_this_machine_only(setup):
    assert setup.ask("GET", "/metrics", token=False)[0] == 403
    near = socket.create_connection(("127.0.0.1", setup.ports["tls"]), PATIENCE)
    connection = http.client.HTTPConnection(NAME)
    connection.sock = setup.trust.wrap_socket(near, server_hostname=NAME)
    connection.request("GET", "/metrics")
    answer = connection.getresponse()
    assert answer.status == 200 and b"citybrain_" in answer.read()
    connection.close()


def a_restart_is_told_and_survived(setup):
    setup.stop("citybrain")
    status, headers, text = setup.ask("GET", "/api/v1/system")
    assert status == 502 and json.loads(text)["status"] == 502, (status, text)
    assert headers["content-type"] == "application/problem+json"
    setup.start_citybrain()
    eventually("it answers", lambda: setup.ask("GET", "/api/v1/system")[0] == 200)


def main(citybrain):
    with tempfile.TemporaryDirectory() as name:
        setup = Setup(pathlib.Path(citybrain).resolve(), pathlib.Path(name))
        try:
            setup.start_citybrain()
            setup.start_nginx()
            said = setup.command("credentials", "token", "gauge-1", "gauge-2")
            tokens = dict(line.strip().split(",", 1) for line in said.splitlines() if "," in line)
            journeys = [
                (plain_http_is_sent_to_tls,),
                (pages_come_by_http_2_with_the_headers_of_both,),
                (live_events_arrive_at_once, tokens["gauge-1"]),
                (devices_speak_mqtt_over_websocket, tokens["gauge-2"]),
                (only_own_pages_open_a_websocket,),
                (devices_speak_mqtt_over_tls, tokens["gauge-1"]),
                (large_uploads_are_refused_clearly,),
                (people_log_in_with_a_secure_cookie,),
                (the_audit_log_has_the_real_address,),
                (figures_are_for_this_machine_only,),
                (a_restart_is_told_and_survived,),
            ]
            for journey, *arguments in journeys:
                told = journey(setup, *arguments)
                print(f"ok {journey.__name__}" + (f": {told}" if told else ""), flush=True)
        except BaseException:
            for log in ["nginx-error.log", "citybrain.log"]:
                if (setup.folder / log).exists():
                    print(f"{log}:\n" + (setup.folder / log).read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            for program in list(setup.programs):
                setup.stop(program)
    print(f"{len(journeys)} passed, 0 failed")


main(*sys.argv[1:])
