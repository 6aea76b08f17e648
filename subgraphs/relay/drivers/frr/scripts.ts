// The shell scripts that run on the router: constants, for any POSIX shell, with their input on standard input (script-input.ts). The last line
// that a script prints is its verdict, `frr …`, with the id of the call.
//
// in:   lines of a keyword and its text: `daemon` whose configuration is read (default: all), `need` a line that it must have, `text`
//       of the lines to read back (`deep yes`: also the lines inside them), `line` one of the configuration, or a command
// does: hands the lines to vtysh as one file, then reads the configuration back: vtysh's exit code proves nothing, because
//       FRR 8.4 refuses some lines with 0, and takes others without doing anything

import type { ExecCall } from '../driver.ts';
import { type Call, scriptCall, scriptHead } from '../script-input.ts';

const prelude = `${scriptHead('frr', ['daemon', 'need', 'text', 'deep'], 'line')}
export VTYSH_PAGER=cat VTYSH_HISTFILE=/dev/null
umask 077
command -v vtysh >/dev/null 2>&1 || finish 'refused NO_VTYSH'
export text deep
config() { vtysh -c "show running-config $daemon no-header" 2>/dev/null; }
# A configuration that is complete ends with this line.
read_config() {
  have=$(config)
  case $nl$have in *"\${nl}end") ;; *) finish "$1" ;; esac
}
show_config() {
  printf '%s\\n' "$have" | awk '
    /^ / { if (index($0, ENVIRON["text"]) || (ENVIRON["deep"] != "" && index(head, ENVIRON["text"]))) print "have " head "\\t" $0; next }
    { head = $0; if (index($0, ENVIRON["text"])) print "have \\t" $0 }'
}
said() { "$@" 2>&1 | sed 's/^/said /'; }`;

const change = `${prelude}
if [ -n "$need" ]; then
  read_config 'refused NOT_RUNNING'
  printf '%s\\n' "$have" | grep -Fxq -e "$need" || finish 'refused MISSING'
fi
printf '%s' "$lines" | said vtysh -f /dev/stdin
read_config unread
show_config
finish done`;

const check = `${prelude}
printf '%s' "$lines" | said vtysh -C -f /dev/stdin
finish done`;

const read = `${prelude}
read_config 'refused NOT_RUNNING'
show_config
finish done`;

/** One command, which shows something or saves the configuration. */
const show = `${prelude}
vtysh -c "\${lines%$nl}" 2>&1
finish done`;

const scripts = { change, check, read, show } as const;

interface Input {
  /** The daemon whose configuration is changed or read. Default: all. */
  readonly daemon?: 'staticd' | 'bgpd';
  /** A line that the configuration must have. */
  readonly need?: string;
  /** Selects the lines to read back: lines with this text. */
  readonly text?: string;
  /** Also reads the lines inside these lines. */
  readonly deep?: boolean;
  readonly lines?: readonly string[];
}

/** `call`: absent for a script run that is not a call, for example a read. */
export function run(script: keyof typeof scripts, input: Input, call?: Call): ExecCall {
  const { daemon, need, text, deep, lines = [] } = input;
  return scriptCall(
    scripts[script],
    [
      ...Object.entries({ daemon, need, text, deep: deep === true ? 'yes' : undefined }),
      ...lines.map((line) => ['line', line] as const),
    ],
    call,
  );
}
