// How shell scripts of drivers get user data: as lines on standard input. Each line has a keyword and its text, and the last line
// is `end`. User data is never part of a command or of its arguments, which other accounts of the device could see.
import { invariant } from '../../../platform/errors/errors.ts';
import type { ExecCall, ExecReply, RenderContext } from './driver.ts';

/** A call, by its id. */
export type Call = Pick<RenderContext, 'operationId'>;

/**
 * The beginning of a script, for any POSIX shell: reads the text of each keyword into a variable of that name, and of each of `lists`, which may
 * come several times, into a variable such as `lines` for `line`, each text with a line feed (`$nl`). `finish VERDICT` ends the script with
 * `PROGRAM VERDICT CALL` as its last line, with the id of the call if the input has one (`verdictOf` compares it).
 * Must hold: input that arrived in part is not used; a connection that breaks does not stop a script half-way (HUP and PIPE are ignored).
 */
export function scriptHead(program: string, keywords: readonly string[], lists: readonly string[] = []): string {
  const cases = [
    ...['call', ...keywords].map((word) => `    '${word} '*) ${word}=\${line#${word} } ;;`),
    ...lists.map((word) => `    '${word} '*) ${word}s=$${word}s\${line#${word} }$nl ;;`),
  ];
  return `export LC_ALL=C
trap '' HUP PIPE
call=
finish() { printf '${program} %s%s\\n' "$1" "\${call:+ $call}"; exit 0; }
nl='
'
${[...keywords, ...lists.map((word) => `${word}s`), 'end'].map((word) => `${word}=`).join(' ')}
while IFS= read -r line; do
  case $line in
${cases.join('\n')}
    end) end=yes; break ;;
    *) finish 'refused BAD_INPUT' ;;
  esac
done
[ "$end" = yes ] || finish 'refused CUT_SHORT'`;
}

/**
 * One unit: a script with its input. Undefined values are left out. `callOf`: the call whose id the verdict repeats. If absent, the
 * verdict has no id. Must hold: a text is one line, as its schema says, or it could become lines with keywords of their own.
 */
export function scriptCall(
  command: string,
  input: readonly (readonly [keyword: string, text: string | number | undefined])[],
  callOf?: Call,
): ExecCall {
  const all = [['call', callOf?.operationId] as const, ...input];
  const lines = all.flatMap(([word, text]) => {
    if (text === undefined) return [];
    invariant(!/[\n\0]/.test(String(text)), `the text of ${word} is one line`);
    return [`${word} ${text}\n`];
  });
  return { kind: 'exec', command, stdin: `${lines.join('')}end\n` };
}

/**
 * The verdict in the last line of a whole reply, and the lines before it. Undefined if the script did not end, or if the reply
 * belongs to another call. Absent `call`: the verdict must have no id.
 */
export function verdictOf(
  program: string,
  { exitCode, stdout, truncated }: ExecReply,
  call: Call | undefined,
): { readonly verdict: string; readonly before: readonly string[] } | undefined {
  if (exitCode !== 0 || truncated) return undefined;
  const lines = stdout.split('\n');
  const [last = '', end] = lines.splice(-2);
  const [, verdict, id] = last.startsWith(`${program} `)
    ? (/^(\w+(?: \w+)*?)(?: ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?$/.exec(last.slice(program.length + 1)) ??
      [])
    : [];
  if (end !== '' || verdict === undefined || id !== call?.operationId) return undefined;
  return { verdict, before: lines };
}
