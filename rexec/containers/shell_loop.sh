# shellcheck shell=sh
# Keeps a login shell running in the container's terminal: starts it again when it ends, ever more slowly when it
# ends at once. Run as `sh -c TEXT` under an init; only builtins, so that the smallest image can do it.

# Keys that interrupt are for the shell, never for the loop and what it runs between two shells. A loop in bash would
# end where what it waits for was killed by one, so they are ignored from before the fork.
trap '' INT QUIT TSTP

shell=${REXEC_SHELL:-/bin/sh}
command -v "$shell" >/dev/null 2>&1 || shell=/bin/sh
mode=login
quick=0

# Whole seconds since boot: `date` may be missing.
now() {
    read -r seconds _ </proc/uptime
    seconds=${seconds%%.*}
}

pause() {
    if command -v sleep >/dev/null 2>&1; then
        sleep "$1"
        return
    fi
    now
    until=$((seconds + $1))
    while [ "$seconds" -lt "$until" ]; do now; done
}

become_shell() {
    # What is ignored here would be ignored by every program in the terminal.
    trap - INT QUIT TSTP
    case $mode:${shell##*/} in
        login:*) exec "$shell" -l ;;
        *:bash) exec "$shell" --noprofile --norc ;;
        *:zsh) exec "$shell" -f ;;
        *:fish) exec "$shell" --no-config ;;
        # Without -l no profile is read, and ENV names the file that an interactive sh reads.
        *) unset ENV && exec "$shell" ;;
    esac
}

start_shell() {
    # Job control gives each shell its own process group and takes the terminal back when the shell is killed;
    # otherwise the next one would find itself in the background and stop.
    set -m
    (become_shell)
    code=$?
    # 147 to 150: stopped, not ended (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU); nobody else could continue it.
    while [ "$code" -ge 147 ] && [ "$code" -le 150 ]; do
        # Not 2>&1: bash hands the terminal over through its standard error.
        fg >/dev/null
        code=$?
    done
    # Bash would let Ctrl-Z stop what runs between two shells.
    set +m
}

say() { printf '\r\033[0;2m[%s]\033[0m\r\n' "$1"; }

keep_a_shell() {
    now
    started=$seconds
    start_shell
    now
    # Full-screen programs that were killed leave the terminal without echo.
    command -v stty >/dev/null 2>&1 && stty sane 2>/dev/null
    if [ $((seconds - started)) -ge 5 ]; then
        quick=0
        mode=login
        say 'The shell ended; here is a new one.'
        return
    fi
    quick=$((quick + 1))
    if [ "$quick" -eq 3 ]; then
        mode=bare
        say 'The shell ended at once three times; here is one without your profile files.'
    elif [ "$quick" -eq 6 ]; then
        # The shell itself is broken: try what every image has.
        shell=/bin/sh
        say 'The shell ended at once again; here is /bin/sh.'
    else
        say 'The shell ended; a new one starts.'
    fi
    if [ "$quick" -le 3 ]; then pause 1; elif [ "$quick" -le 10 ]; then pause "$quick"; else pause 10; fi
}

while :; do keep_a_shell; done
