# bash completion of chatgptt(1): put it where bash-completion looks (share/bash-completion/completions/chatgptt), or source it.

_chatgptt() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} i
    COMPREPLY=()
    # --option=value comes as three words
    if [[ $word == = ]]; then word=
    elif [[ $before == = && COMP_CWORD -gt 1 ]]; then before=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || return 0
    done
    case $before in
        --dialect) COMPREPLY=($(compgen -W 'auto wpaicg aipkit' -- "$word")) ;;
        -m | --model) COMPREPLY=($(compgen -W 'gpt-4o gpt-4 gpt-4o-mini' -- "$word")) ;;
        --ca | --state | --chat) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
        -u | --url | --endpoint | -b | --bot | --system | -p | --proxy | --timeout) ;;
        *)
            [[ $word != -* ]] || COMPREPLY=($(compgen -W '-u --url --endpoint -b --bot --dialect -m --model --system
                -p --proxy --ca -k --insecure --timeout --state --chat --doctor -j --json --stats -v --verbose
                -h --help -V --version --' -- "$word"))
            ;;
    esac
}
complete -F _chatgptt chatgptt
