// The shell scripts that run on the router: constants, for any POSIX shell, with their input on standard input (script-input.ts). The last line
// that a script prints is its verdict, `frr …`, with the id of the call.
//
// in:   lines of a keyword and its text: `daemon` whose configuration is read (default: all), `need` a line that it must have, `text`
//       of the lines to read back (`deep yes`: also the lines inside them), `line` one of the configuration, or a command
//       Of the object that is changed: `verb`, `create` or `delete`; `at`, an extended regular expression for its lines, each as
//       `HEAD<tab>LINE` with the first line of its block; `mark`, an expression for a line that proves that it is the meant one;
//       `own`, all of its lines, each followed by `|`
// does: compares the object that is there with the meant one; hands the lines to vtysh as one file, then reads the configuration back:
//       vtysh's exit code proves nothing, because FRR 8.4 refuses some lines with 0, and takes others without doing anything.
//       FRR has no lock for this, so a person at vtysh may act between the comparison and the change

import type { ExecCall } from '../driver.ts';
import { type Call, scriptCall, scriptHead } from '../script-input.ts';

const prelude = `${scriptHead('frr', ['daemon', 'need', 'text', 'deep', 'verb', 'at'], [...['line', 'mark', 'own']])}
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

/**
 * Whether there is an object, and whether it is the meant one. Marks are left out of descriptions for the comparison of all lines. `any` is another
 * spelling of the block of everything. A password is not compared: what is known of it is a hash.
 */
const comparison = `
export at marks owns
there=$(printf '%s\\n' "$have" | awk '
  BEGIN { forms = split(ENVIRON["owns"], form, "\\n"); calls = split(ENVIRON["marks"], mark, "\\n") }
  /^ / { line = head "\\t" $0 }
  /^[^ ]/ { head = $0; line = "\\t" $0 }
  line !~ ENVIRON["at"] { next }
  {
    there = 1
    for (i = 1; i <= calls; i++) if (mark[i] != "" && line ~ mark[i]) meant = 1
    if (line ~ /\\t neighbor [^ ]+ password / || line ~ / description tg:[0-9a-f-]+$/) next
    sub(/ description tg:[0-9a-f-]+ /, " description ", line)
    if (line ~ /^\\tip prefix-list .* any$/) sub(/ any$/, " 0.0.0.0/0 le 32", line)
    if (line ~ /^\\tipv6 prefix-list .* any$/) sub(/ any$/, " ::/0 le 128", line)
    if (!(line in lines)) { lines[line] = 1; count++ }
  }
  END {
    for (i = 1; i <= forms; i++) {
      parts = split(form[i], part, "|") - 1
      is = parts > 0 && parts == count
      for (j = 1; j <= parts; j++) if (!(part[j] in lines)) is = 0
      if (is) meant = 1
    }
    print meant ? "meant" : there ? "another" : "nothing"
  }')
case $verb/$there in
  */meant | create/nothing) ;;
  create/another) finish 'refused EXISTS' ;;
  delete/nothing) finish 'refused ABSENT' ;;
  delete/another) finish 'refused CHANGED' ;;
  *) finish 'refused NOT_COMPARED' ;;
esac`;

const change = `${prelude}
read_config 'refused NOT_RUNNING'
if [ -n "$need" ]; then
  printf '%s\\n' "$have" | grep -Fxq -e "$need" || finish 'refused MISSING'
fi
[ -z "$verb" ] || {${comparison}
}
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

/** See `in` at the head of this file. */
export interface Meant {
  readonly verb: 'create' | 'delete';
  readonly at: string;
  readonly marks?: readonly string[];
  /** All lines, of each form in which the object is the meant one. */
  readonly own?: readonly (readonly string[])[];
}

/** A text in an extended regular expression. */
export function quoted(text: string): string {
  return text.replaceAll(/[.*+?()[\]{}|^$\\]/g, (letter) =>
    letter === '^' || letter === '\\' ? `\\${letter}` : `[${letter}]`,
  );
}

interface Input {
  /** The daemon whose configuration is changed or read. Default: all. */
  readonly daemon?: 'staticd' | 'bgpd';
  /** A line that the configuration must have. */
  readonly need?: string;
  /** Selects the lines to read back: lines with this text. */
  readonly text?: string;
  /** Also reads the lines inside these lines. */
  readonly deep?: boolean;
  /** The object that is changed, and how the meant one is recognised. */
  readonly object?: Meant;
  readonly lines?: readonly string[];
}

/** `call`: absent for a script run that is not a call, for example a read. */
export function run(script: keyof typeof scripts, input: Input, call?: Call): ExecCall {
  const { daemon, need, text, deep, object, lines = [] } = input;
  return scriptCall(
    scripts[script],
    [
      ...Object.entries({ daemon, need, text, deep: deep === true ? 'yes' : undefined }),
      ...Object.entries({ verb: object?.verb, at: object?.at }),
      ...(object?.marks ?? []).map((mark) => ['mark', mark] as const),
      ...(object?.own ?? []).map((own) => ['own', own.map((line) => `${line}|`).join('')] as const),
      ...lines.map((line) => ['line', line] as const),
    ],
    call,
  );
}
