#!/usr/bin/env bash
# What the tests need from outside of Python: a browser, a PostgreSQL server, poppler to draw PDFs, and Azurite (the emulator of Azure's Blob
# Storage, an npm package) in .venv/azurite. Debian and Ubuntu.
# Says what it does, does nothing that is done already, and needs root or sudo only where something is absent.
set -euo pipefail

# The newest that runs on the Node.js of Debian 12; 3.36 and later ask for 21 and more.
azurite=3.35.0
home="$(cd "$(dirname "$0")/.." && pwd)/.venv/azurite"

install_azurite() {
    if grep -qs "\"version\": \"$azurite\"" "$home/node_modules/azurite/package.json"; then
        echo "tests/setup.sh: azurite $azurite is here already"
        return
    fi
    echo "tests/setup.sh: installing azurite $azurite"
    mkdir -p "$home"
    npm install --prefix "$home" --no-save --no-package-lock --no-fund --no-audit --silent "azurite@$azurite"
}

missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing+=(chromium fonts-dejavu-core)
compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || missing+=(postgresql)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v pdftoppm >/dev/null || missing+=(poppler-utils)

if [ ${#missing[@]} -eq 0 ]; then
    echo "tests/setup.sh: chromium, postgresql, npm and poppler are here already"
    install_azurite
    exit 0
fi

if ! command -v apt-get >/dev/null; then
    echo "tests/setup.sh: install ${missing[*]} with this system's package manager; apt-get is not here" >&2
    exit 1
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "tests/setup.sh: run as root, or install sudo, to install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi

# A package of a server starts it on installation; the tests start their own.
if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    echo "create_main_cluster = false" | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
fi

echo "tests/setup.sh: updating the package lists"
"${as_root[@]}" apt-get update -qq
echo "tests/setup.sh: installing ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
install_azurite
echo "tests/setup.sh: done"
