# Where the suite comes from, for the two run scripts; sourced, not run. They stand in the
# repository's root by then.

die() {
    echo "error: $*" >&2
    exit 1
}

# Sets the array `wstest` to the command that runs the suite: a sibling folder that installs it, the
# program on PATH, or else the public image.
find_suite() {
    local sibling=../shared/autobahn
    if [ -x "$sibling/install.sh" ]; then
        export AUTOBAHN_DIR=${AUTOBAHN_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/autobahn}
        "$sibling/install.sh"
        wstest=("$AUTOBAHN_DIR/bin/wstest")
    elif command -v wstest > /dev/null; then
        wstest=(wstest)
    elif docker info > /dev/null 2>&1; then
        wstest=(docker run --user "$(id -u):$(id -g)")
    elif podman info > /dev/null 2>&1; then
        wstest=(podman run) # rootless: root in there is this user out here
    else
        die "the Autobahn suite is not here: put wstest on PATH or start docker or podman (autobahn/README.md)"
    fi
    # The suite's address is this machine's loopback, so a container shares its network.
    [ "${wstest[1]:-}" != run ] || wstest+=(--rm --init --network host --volume "$PWD:$PWD" --workdir "$PWD"
        docker.io/crossbario/autobahn-testsuite wstest)
}

# fresh_reports DIRECTORY: an old report must not pass for a new one.
fresh_reports() {
    rm -rf "$1"
    mkdir -p "$1"
}

# await SECONDS PID CONDITION...: until the condition holds; fails when the process ends before.
await() {
    local tries=$(($1 * 10)) process=$2
    shift 2
    until "$@"; do
        kill -0 "$process" 2> /dev/null && [ $((tries -= 1)) -gt 0 ] || return 1
        sleep 0.1
    done
}
