// The completion scripts: each shell's own code around the same table (sh-table.ts). `tidegate complete-names` reads names of objects from the
// server, and gives up silently after half a second.

export const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

/** `table`: the shell function of sh-table.ts. */
export function completionScript(shell: Shell, table: string): string {
  return { bash, zsh, fish }[shell](table);
}

const bash = (table: string) => `# Completion of tidegate for bash: source <(tidegate complete bash)
${table}
_tidegate() {
  local offered kind current noun verb last
  _tidegate_table "\${COMP_WORDS[COMP_CWORD]}" "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
  COMPREPLY=()
  case "$kind" in
    files) [ -n "$offered" ] || { compopt -o default 2>/dev/null; return; } ;;
    none|words) ;;
    *) mapfile -t COMPREPLY < <("\${COMP_WORDS[0]}" complete-names "$kind" --begin="\${current//\\\\/}" --line="\${COMP_WORDS[*]:1}" 2>/dev/null)
      # Bash puts them into the line as they are, and would execute $(…) in a name.
      [ "\${#COMPREPLY[@]}" -eq 0 ] || mapfile -t COMPREPLY < <(printf "%q\\n" "\${COMPREPLY[@]}") ;;
  esac
  [ -z "$offered" ] || mapfile -t COMPREPLY < <(compgen -W "$offered" -- "$current")
}
complete -F _tidegate tidegate
`;

const zsh = (table: string) => `#compdef tidegate
# Completion of tidegate for zsh: source <(tidegate complete zsh), after compinit
${table}
_tidegate() {
  local offered kind current noun verb last
  local -a names
  _tidegate_table "$PREFIX" "\${(@)words[2,CURRENT-1]}"
  case "$kind" in
    files) [ -n "$offered" ] || { _files; return; } ;;
    none|words) ;;
    *) names=("\${(@f)$("\${words[1]}" complete-names "$kind" --begin="$current" --line="\${(j: :)words[2,-1]}" 2>/dev/null)}") ;;
  esac
  [ -z "$offered" ] || names=(\${=offered})
  compadd -- $names
}
compdef _tidegate tidegate
`;

const fish = (table: string) => `# Completion of tidegate for fish: tidegate complete fish | source
set -g __tidegate_table '${table.replaceAll('\\', '\\\\')}
_tidegate_table "$@"
printf "%s\\\\n%s\\\\n" "$kind" "$offered"'
function __tidegate_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l program $before[1]
  set -e before[1]
  set -l answer (sh -c $__tidegate_table sh "$current" $before)
  if test -n "$answer[2]"
    string split " " -- $answer[2]
    return
  end
  switch "$answer[1]"
    case none words
    case files
      __fish_complete_path "$current"
    case "*"
      $program complete-names $answer[1] --begin="$current" --line="$before" 2>/dev/null
  end
end
complete -c tidegate -f -a "(__tidegate_complete)"
`;
