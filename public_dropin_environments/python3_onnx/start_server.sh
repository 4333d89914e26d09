#!/usr/bin/env bash
# Serve the model in CODE_DIR. Settings come from the environment; arguments are passed on and win over it.
set -euo pipefail

say() {
    echo "start_server.sh: $*" >&2
}

# A log is read by many: only settings that cannot hold a secret show their value, all others just their name.
dump_environment() {
    local name
    compgen -e | sort | while read -r name; do
        case $name in
        ADDRESS | CLASS_LABELS | CLASS_LABELS_FILE | CODE_DIR | LANG | MAX_WORKERS | NEGATIVE_CLASS_LABEL | PATH | \
            POSITIVE_CLASS_LABEL | PYTHONPATH | PYTHONUNBUFFERED | SHOW_STACKTRACE | TARGET_NAME | TARGET_TYPE | \
            URL_PREFIX | WITH_ERROR_SERVER)
            say "  $name=${!name}"
            ;;
        *)
            say "  $name (value not shown)"
            ;;
        esac
    done
}

say "starting the model server for ${CODE_DIR:-the folder that --code-dir names}"
if [[ ${ENABLE_CUSTOM_MODEL_RUNTIME_ENV_DUMP:-0} == 1 ]]; then
    say "environment:"
    dump_environment
fi

# The arguments are counted and not shown, for the same reason.
say "exec drum server ($# arguments)"
# The server takes this process's place: the container's signals reach it and its exit code is the container's.
exec drum server "$@"
