#!/bin/sh
# Install hostagent from this checkout, or take it away again: docs/install.md.
set -eu

usage() {
    cat <<'TEXT'
usage: deploy/install.sh install [--files] | uninstall

  install     the program with what it needs from PyPI in PREFIX, /usr/bin/hostagent, units, users, man pages, completions
  --files     everything but the program, for a package that brings it
  uninstall   all of that again; /etc/hostagent stays

  DESTDIR     put before every path, for packages and images (default: none)
  PREFIX      where the program is (default: /opt/hostagent)
  PYTHON      3.11 or newer (default: python3)
TEXT
}

DESTDIR=${DESTDIR:-}
PREFIX=${PREFIX:-/opt/hostagent}
PYTHON=${PYTHON:-python3}
UNITS="hostagent.service hostagent-socket.service hostagent.socket hostagent-textfile.timer hostagent-textfile.service"
TOP=$(cd "$(dirname "$0")/.." && pwd)

# Debian's zsh does not look where the others' do.
zsh_place() {
    if [ -e "$DESTDIR/etc/debian_version" ]; then echo /usr/share/zsh/vendor-completions; else echo /usr/share/zsh/site-functions; fi
}

# Each file here, and where it goes.
files() {
    for unit in $UNITS; do echo "systemd/$unit /usr/lib/systemd/system/$unit"; done
    for page in "$TOP"/docs/man/*; do
        echo "docs/man/${page##*/} /usr/share/man/man${page##*.}/${page##*/}"
    done
    cat <<TEXT
systemd/sysusers.d/hostagent.conf /usr/lib/sysusers.d/hostagent.conf
systemd/tmpfiles.d/hostagent.conf /usr/lib/tmpfiles.d/hostagent.conf
deploy/completions/hostagent.bash /usr/share/bash-completion/completions/hostagent
deploy/completions/_hostagent $(zsh_place)/_hostagent
deploy/completions/hostagent.fish /usr/share/fish/vendor_completions.d/hostagent.fish
TEXT
}

install_program() {
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { echo "hostagent: $PYTHON is older than Python 3.11; name another one in PYTHON" >&2; exit 1; }
    "$PYTHON" -m venv --clear "$DESTDIR$PREFIX"
    "$DESTDIR$PREFIX/bin/python" -m pip install --quiet --disable-pip-version-check "$TOP"
    # It is run from PREFIX, wherever it was put together.
    sed -i "1s|.*|#!$PREFIX/bin/python|" "$DESTDIR$PREFIX/bin/hostagent"
    mkdir -p "$DESTDIR/usr/bin"
    ln -sfn "$PREFIX/bin/hostagent" "$DESTDIR/usr/bin/hostagent"
}

# Only a running system has anything to tell.
running() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }

install_all() {
    files | while read -r source target; do
        install -D -m 0644 "$TOP/$source" "$DESTDIR$target"
    done
    install -d -m 0755 "$DESTDIR/etc/hostagent"
    [ "$1" = --files ] || install_program
    if running; then
        systemd-sysusers hostagent.conf
        systemd-tmpfiles --create hostagent.conf
        systemctl daemon-reload
        echo "hostagent: installed; start it with: systemctl enable --now hostagent" >&2
    fi
}

uninstall_all() {
    if running; then
        # shellcheck disable=SC2086 # one word each
        systemctl disable --now $UNITS 2>/dev/null || true
    fi
    files | while read -r _ target; do rm -f "$DESTDIR$target"; done
    if [ "$(readlink "$DESTDIR/usr/bin/hostagent" || true)" = "$PREFIX/bin/hostagent" ]; then
        rm -rf "$DESTDIR/usr/bin/hostagent" "$DESTDIR$PREFIX"
    fi
    if running; then systemctl daemon-reload; fi
}

case "${1:-} ${2:-}" in
"install " | "install --files") install_all "${2:-}" ;;
"uninstall ") uninstall_all ;;
*) usage >&2; exit 2 ;;
esac
