#!/usr/bin/env bash
# Installs the release archive on a bare Debian, as docs/deployment.md says, boots that with its own systemd,
# and looks at what becomes of it: start, health, backups and how many are kept, kill, stop, a configuration
# that cannot be used, restore.
#
# usage: bare_install.sh CITYBRAIN [CACHE]
#
# Needs root, Debian's packages (debootstrap fetches them) and systemd-nspawn. CACHE keeps the bare system
# for the next time (default: target/deploy).
set -euo pipefail
here=$(realpath "$(dirname "$0")/../..")
program=$(realpath "${1:?usage: bare_install.sh CITYBRAIN [CACHE]}")
cache=${2:-$here/target/deploy}

skip() { echo "SKIPPED bare install: $*"; exit 0; }
[[ $(id -u) == 0 ]] || skip "needs root"
for tool in debootstrap systemd-nspawn; do
    command -v "$tool" >/dev/null || skip "$tool is missing (Debian: debootstrap, systemd-container)"
done

mkdir -p "$cache"
bare=$cache/bookworm.tar
if [[ ! -f $bare ]]; then
    work=$(mktemp -d)
    debootstrap --variant=minbase --include=systemd,systemd-sysv bookworm "$work/root" >"$cache/debootstrap.log" ||
        { tail -5 "$cache/debootstrap.log"; skip "no Debian packages can be fetched"; }
    tar --create --file "$bare.new" --directory "$work/root" .
    mv "$bare.new" "$bare"
    rm -rf "$work"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$root"
tar --extract --file "$bare" --directory "$root"
cp "$("$here/deploy/package.sh" "$program" "$work")" "$root/root/citybrain.tar.gz"

# The steps of docs/deployment.md.
cat >"$root/root/install.sh" <<'STEPS'
set -eu
cd /root && tar xzf citybrain.tar.gz && cd citybrain-*-linux
install -m 755 citybrain /usr/local/bin/
cd deploy/systemd
install -D -m 644 citybrain.sysusers.conf /etc/sysusers.d/citybrain.conf
systemd-sysusers
install -D -m 644 citybrain.tmpfiles.conf /etc/tmpfiles.d/citybrain.conf
systemd-tmpfiles --create /etc/tmpfiles.d/citybrain.conf
citybrain config example >/root/citybrain.toml
install -m 640 -g citybrain /root/citybrain.toml /etc/citybrain/
citybrain config check /etc/citybrain/citybrain.toml
install -d -m 700 /etc/citybrain-secrets
echo a-token >/etc/citybrain-secrets/desk-token
printf '%s\n' '[[receiver]]' 'id = "desk"' 'type = "webhook"' '[receiver.options]' \
    'url = "http://127.0.0.1:9/alerts"' 'token_file = "/run/credentials/citybrain.service/desk-token"' \
    >>/etc/citybrain/citybrain.toml
install -D -m 644 /dev/stdin /etc/systemd/system/citybrain.service.d/secrets.conf <<'DROPIN'
[Service]
LoadCredential=desk-token:/etc/citybrain-secrets/desk-token
DROPIN
install -m 644 citybrain.service citybrain-backup.service citybrain-backup.timer /etc/systemd/system/
systemctl enable citybrain citybrain-backup.timer
STEPS

cat >"$root/root/journey.sh" <<'JOURNEY'
set -eu
ok() { echo "ok $*"; }
not() { echo "not ok $*"; journalctl -u citybrain -u citybrain-backup --no-pager -o cat | tail -30; exit 1; }
ready() {
    for _ in $(seq 100); do
        # A subshell, because a refused connection ends a script.
        if (exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.0\r\n\r\n' >&3 &&
            grep -q '"status":"ready"' <&3) 2>/dev/null; then return 0; fi
        sleep 0.2
    done
    return 1
}
is() { [[ $(systemctl show -P "$2" "$1") == "$3" ]] || not "$1: $2 is $(systemctl show -P "$2" "$1"), not $3"; }

ready || not "it does not become ready"
ok "it starts with the system, as its own user, with a secret that only root can read, and is ready"
process=$(systemctl show -P MainPID citybrain)
grep -q "^Uid:.$(id -u citybrain)" "/proc/$process/status" || not "it runs as another user"
grep -q '^CapEff:.0*$' "/proc/$process/status" || not "it has capabilities"
grep -q '^Seccomp:.2' "/proc/$process/status" || not "its system calls are not filtered"
ok "it has no capability, and its system calls are filtered"

mkdir -p /etc/systemd/system/citybrain-backup.service.d
printf '[Service]\nEnvironment=CITYBRAIN_BACKUPS=2\n' >/etc/systemd/system/citybrain-backup.service.d/keep.conf
systemctl daemon-reload
touch /var/backups/citybrain/notes.txt /var/backups/citybrain/20250101T000000Z.tar.gz
for _ in 1 2 3; do
    systemctl start citybrain-backup || not "no backup can be taken"
    sleep 1.1
done
[[ $(ls /var/backups/citybrain/*.tar.gz | wc -l) == 2 ]] || not "not two backups: $(ls /var/backups/citybrain)"
[[ -e /var/backups/citybrain/notes.txt ]] || not "a file that is no backup was deleted"
for backup in /var/backups/citybrain/*.tar.gz; do
    citybrain backup verify "$backup" >/dev/null || not "$backup is damaged"
done
ok "backups are taken while it runs, are whole, and so many are kept as was said"

systemctl reload citybrain || not "it does not reload"
systemctl kill --signal=KILL citybrain
for _ in $(seq 50); do [[ $(systemctl show -P NRestarts citybrain) == 1 ]] && break; sleep 0.2; done
is citybrain NRestarts 1
ready || not "it does not come back after a kill"
ok "it comes back after a kill"

systemctl stop citybrain
is citybrain Result success
newest=$(ls /var/backups/citybrain/*.tar.gz | tail -1)
citybrain restore "$newest" --data-dir /var/lib/citybrain --replace >/dev/null || not "no restore"
chown -R citybrain: /var/lib/citybrain
systemctl start citybrain
ready || not "what was restored does not start"
ok "a backup comes back in the place of what was there"

systemctl stop citybrain
echo 'nonsense = 1' >>/etc/citybrain/citybrain.toml
systemctl start citybrain
for _ in $(seq 50); do [[ $(systemctl show -P ActiveState citybrain) == failed ]] && break; sleep 0.2; done
is citybrain ExecMainStatus 2
is citybrain NRestarts 0
ok "it is not started again and again with a configuration that cannot be used"
echo done
JOURNEY

cat >"$root/etc/systemd/system/journey.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /root/journey.sh
StandardOutput=append:/root/journey.log
StandardError=inherit
ExecStopPost=/bin/sh -c 'systemctl poweroff --no-block 2>/dev/null'
TimeoutStartSec=120
[Install]
WantedBy=default.target
UNIT

inside() { systemd-nspawn --quiet --directory "$root" --register=no --keep-unit "$@"; }
inside /bin/sh /root/install.sh >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
inside systemctl enable journey.service >"$work/install.log" 2>&1
timeout 180 systemd-nspawn --quiet --boot --directory "$root" --register=no --keep-unit --console=pipe \
    </dev/null >"$work/boot.log" 2>&1 || { tail -20 "$work/boot.log"; exit 1; }
cat "$root/root/journey.log"
[[ $(tail -1 "$root/root/journey.log") == done ]] || exit 1
