# Completion of ng's words in bash: ng itself knows what can stand there, live nodes and hooks included.

_ng() {
    local line=${COMP_LINE:0:COMP_POINT} current about candidate
    local -a words
    # bash splits words at colons, which paths have; ng does not.
    read -ra words <<<"$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    current=${words[-1]}
    # What bash takes for finished words already is not to be repeated.
    local finished=${current%"${COMP_WORDS[COMP_CWORD]}"}
    [[ ${COMP_WORDS[COMP_CWORD]} == : ]] && finished=$current
    COMPREPLY=()
    compopt -o nospace
    while IFS=$'\t' read -r candidate about; do
        if [[ $candidate == :files ]]; then
            compopt -o default +o nospace
        else
            COMPREPLY+=("${candidate#"$finished"}")
        fi
    done < <(command ng __complete -- "${words[@]:1}" 2>/dev/null)
}

complete -F _ng ng
