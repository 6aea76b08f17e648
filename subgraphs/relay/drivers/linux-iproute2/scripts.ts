// The shell scripts that run on the router: constants, for any POSIX shell, with their input on standard input (script-input.ts). The last line
// that a script prints is its verdict, `iproute2 …`, with the id of the call; ip's own words are on standard error.
//
// in:   lines of a keyword and its text: `versions` of IP to read, `show` a command of `ip -batch` that shows routes, `dev` an
//       interface that must exist, `own` an extended regular expression for the whole line of the route that may be changed, `route` the
//       changed route in the words of ip
// does: shows routes as JSON, or reads the routes in the place of a route, compares what is there, and then changes it by one command
//
// Each batch is one command, so ip has nothing to continue with after an error, and `-force` is not used. The kernel has no lock for routes.
// It refuses to add a route where one is, and to delete one that has another target. A replacement alone has a moment, between the
// read and the change, in which it may take the route of another program.

import type { ExecCall } from '../driver.ts';
import { type Call, scriptCall, scriptHead } from '../script-input.ts';

const reading = `${scriptHead('iproute2', ['versions', 'show', 'dev', 'own', 'route'])}
command -v ip >/dev/null 2>&1 || finish 'refused NO_IP'`;

/** Shows the routes in the place of the route: \`ours\` and \`others\` count the routes of protocol static and of all others, \`meant\` the meant ones. */
const changing = `${reading}
routes=$(printf '%s\\n' "$show" | ip "-$versions" -oneline -details -batch - 2>&1) || case $routes in
  *'FIB table does not exist'*) routes= ;;
  *) printf '%s\\n' "$routes" >&2; finish 'refused UNREADABLE' ;;
esac
ours=$(printf '%s\\n' "$routes" | grep -c ' proto static ')
others=$(printf '%s\\n' "$routes" | grep -c -v -e ' proto static ' -e '^$')
meant=$(printf '%s\\n' "$routes" | grep -c -E -x -e "$own")
change() {
  printf 'route %s %s\\n' "$1" "$route" | ip "-$versions" -batch - >&2
  finish "exit $?"
}
[ "$ours" -le 1 ] || finish 'refused SEVERAL'`;

const scripts = {
  read: `${reading}
for version in $versions; do
  printf '%s\\n' "$show" | ip "-$version" -json -details -batch -
  printf '\\nexit %s\\n' "$?"
done
finish done`,
  // ip takes \`if7\` for the interface of number 7, and other names of an interface (altname): only its own name is shown.
  create: `${changing}
[ "$others" -eq 0 ] && [ "$ours" -eq "$meant" ] || finish 'refused ALREADY_EXISTS'
if [ -n "$dev" ]; then
  case $(printf 'link show dev %s\\n' "$dev" | ip -oneline -batch -) in
    [0-9]*": $dev: "* | [0-9]*": $dev@"*) ;;
    *) finish 'refused NO_INTERFACE' ;;
  esac
fi
[ "$ours" -eq 1 ] || change add
change replace`,
  delete: `${changing}
[ "$ours" -eq 1 ] || finish 'refused NOT_FOUND'
[ "$meant" -eq 1 ] || finish 'refused CHANGED'
change del`,
  system: `${scriptHead('iproute2', [])}
command -v ip >/dev/null 2>&1 || finish 'refused NO_IP'
first() { line=; IFS= read -r line <"$2"; printf '%s %s\\n' "$1" "$line"; }
printf 'version %s\\n' "$(ip -Version 2>&1)"
{
  first kernel /proc/sys/kernel/osrelease
  first forwarding4 /proc/sys/net/ipv4/ip_forward
  first forwarding6 /proc/sys/net/ipv6/conf/all/forwarding
  first machine /etc/machine-id
} 2>/dev/null
finish done`,
} as const;

interface ScriptInput {
  readonly versions: '4' | '6' | '4 6';
  readonly show: string;
  readonly dev?: string;
  readonly own?: string;
  readonly route?: string;
}

/** One unit: at most one change of one route. `call`: absent for a script run that is not a call, for example a read. */
export function run(script: Exclude<keyof typeof scripts, 'system'>, input: ScriptInput, call?: Call): ExecCall {
  return scriptCall(scripts[script], Object.entries(input), call);
}

export function readSystem(call?: Call): ExecCall {
  return scriptCall(scripts.system, [], call);
}
