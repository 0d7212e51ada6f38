"""What each shell evaluates to complete the words after `genlab`. A candidate that ends in `=`, `.`, `/` goes on."""

BASH = r"""
_genlab() {
    local candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <("$1" completion line "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)
    [[ "${COMPREPLY[0]}" == *[=./] ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _genlab genlab
"""
ZSH = r"""
#compdef genlab
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
_genlab() {
    local -a candidates
    candidates=("${(@f)$("${words[1]}" completion words "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    compadd -U -S '' -- ${(M)candidates:#*[=./]}
    compadd -U -- ${candidates:#(*[=./]|)}
}
compdef _genlab genlab
"""
FISH = r"""
function __genlab_candidates
    set -l before (commandline -opc)
    set -l last (commandline -ct | string unescape)
    test (count $last) -gt 0; or set last ''
    $before[1] completion words $before[2..-1] $last 2>/dev/null
end
complete -c genlab -f -a '(__genlab_candidates)'
"""
SCRIPTS = {"bash": BASH.lstrip(), "zsh": ZSH.lstrip(), "fish": FISH.lstrip()}
