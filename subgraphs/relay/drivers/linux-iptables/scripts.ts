// The shell scripts that run on the firewall: constants, for any POSIX shell, with their input on standard input (script-input.ts). The last
// line that a script prints is its verdict, `iptables …`, with the id of the call.
//
// in:   lines of a keyword and its text: `version` 4 or 6, `chain`, `match` an extended regular expression for rules of the name,
//       `meant` one for the wanted rule among them, `native` its whole line, `rule` the change, as a line for iptables-restore
// does: shows the chain's rules as `iptables -S` does, or changes the table filter by iptables-restore, which takes all of its input or nothing

import type { ExecCall } from '../driver.ts';
import { type Call, scriptCall, scriptHead } from '../script-input.ts';

const prelude = `${scriptHead('iptables', ['version', 'chain', 'match', 'meant', 'native', 'rule'])}
tool=iptables
[ "$version" = 4 ] || tool=ip6tables
pattern=$(printf '%s' "$chain" | sed 's/[.]/[.]/g')
command -v "$tool-restore" >/dev/null 2>&1 || finish 'refused NO_IPTABLES'
look() {
  rules=$("$tool" --wait 5 -S 2>&1) || { printf '%s\\n' "$rules" | sed 's/^/said /'; finish 'refused UNREADABLE'; }
  # Of a chain that is not there, each variant says something else.
  printf '%s\\n' "$rules" | grep -Eq -e "^-[PN] $pattern( |$)" || finish 'refused NO_CHAIN'
  rules=$(printf '%s\\n' "$rules" | grep -E -e "^-A $pattern( |$)")
}
named() { printf '%s\\n' "$rules" | grep -E -e "$match"; }
meant() {
  case $meant$native in
    '') named ;;
    "$native") named | grep -Fx -e "$native" ;;
    *) named | grep -E -e "$meant" ;;
  esac
}
change() {
  said=$(printf '*filter\\n%s\\nCOMMIT\\n' "$1" | "$tool-restore" --noflush --wait 5 2>&1)
  code=$?
  printf '%s\\n' "$said" | sed 's/^/said /'
  finish "exit $code"
}`;

const scripts = {
  read: `${prelude}
look
printf '%s\\n' "$rules" | sed 's/^/rule /'
finish done`,
  create: `${prelude}
look
[ -z "$(named)" ] || finish 'refused ALREADY_EXISTS'
change "$rule"`,
  delete: `${prelude}
look
[ -n "$(named)" ] || finish 'refused NOT_FOUND'
line=$(meant) || finish 'refused CHANGED'
[ "$(printf '%s\\n' "$line" | wc -l)" -eq 1 ] || finish 'refused SEVERAL'
change "-D\${line#-A}"`,
} as const;

interface ScriptInput {
  readonly version: 4 | 6;
  readonly chain: string;
  readonly match?: string;
  readonly meant?: string;
  readonly native?: string;
  readonly rule?: string;
}

/** One unit: at most one change of the table. `call`: absent for a script run that is not a call, for example a read. */
export function run(script: keyof typeof scripts, input: ScriptInput, call?: Call): ExecCall {
  return scriptCall(scripts[script], Object.entries({ ...input }), call);
}
