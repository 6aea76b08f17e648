// How shell scripts of drivers get user data: as lines of a keyword and its text on standard input, the last of which is `end`. Nothing of it
// is part of a command or of its arguments, which other accounts of the device could see.
import type { ExecCall } from './driver.ts';

/**
 * The beginning of a script, for any POSIX shell: reads the text of each keyword into a variable of that name, and of `list`, which may come
 * several times, into `lines`, each with a line feed (`$nl`). `finish VERDICT` ends the script with `PROGRAM VERDICT` as its last line.
 * Must hold: input that arrived in part is not used; a connection that breaks does not stop a script half-way (HUP and PIPE are ignored).
 */
export function scriptHead(program: string, keywords: readonly string[], list?: string): string {
  const cases = [
    ...keywords.map((word) => `    '${word} '*) ${word}=\${line#${word} } ;;`),
    ...(list === undefined ? [] : [`    '${list} '*) lines=$lines\${line#${list} }$nl ;;`]),
  ];
  return `${scriptEnd(program)}
nl='
'
${[...keywords, 'lines', 'end'].map((word) => `${word}=`).join(' ')}
while IFS= read -r line; do
  case $line in
${cases.join('\n')}
    end) end=yes; break ;;
    *) finish 'refused BAD_INPUT' ;;
  esac
done
[ "$end" = yes ] || finish 'refused CUT_SHORT'`;
}

/** Of a script without input. */
export function scriptEnd(program: string): string {
  return `export LC_ALL=C
trap '' HUP PIPE
finish() { printf '${program} %s\\n' "$1"; exit 0; }`;
}

/** One unit: a script with its input. What is undefined is left out. */
export function scriptCall(
  command: string,
  input: readonly (readonly [keyword: string, text: string | number | undefined])[],
): ExecCall {
  const lines = input.flatMap(([word, text]) => (text === undefined ? [] : [`${word} ${text}\n`]));
  return { kind: 'exec', command, stdin: `${lines.join('')}end\n` };
}
