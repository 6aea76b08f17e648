// Draws a recording as a terminal in an SVG that CSS animates: no script, no font or image from elsewhere. The recording is in it, so that a test
// can draw it again. Waits are shortened, and the real times are shown.
import type { RecordedStep } from './recording.ts';

const columns = 104;
const rows = 24;
const [lineHeight, charWidth, padding] = [18, 8.4, 16];
const width = Math.round(columns * charWidth + 2 * padding);
const height = rows * lineHeight + 2 * padding;
/** Times in the picture. */
const [mostWaitMs, beforeMs, betweenMs, lineMs, atEndMs] = [1_200, 900, 1_400, 40, 6_000];
const shownTimeMs = 2_000;

type Kind = 'command' | 'output' | 'time';
interface Line {
  readonly kind: Kind;
  readonly text: string;
  readonly atMs: number;
}

const colours: Readonly<Record<Kind, string>> = { command: '#7ee787', output: '#e6edf3', time: '#8b949e' };

/** `title`: for people who can't see the picture. */
export function renderPicture(steps: readonly RecordedStep[], title: string): string {
  const { lines, endMs } = timeline(steps);
  const percent = (ms: number) => ((ms / endMs) * 100).toFixed(3);
  const styles = lines.map(
    ({ atMs }, index) => `@keyframes l${index}{0%,${percent(atMs)}%{opacity:0}${percent(atMs + 1)}%,100%{opacity:1}}`,
  );
  // Only the last of several simultaneous lines counts.
  const offsets = new Map(lines.map(({ atMs }, index) => [percent(atMs), Math.max(0, index - rows + 1) * lineHeight]));
  const scroll = [...offsets].map(([at, offset]) => `${at}%{transform:translateY(-${offset}px)}`);
  const texts = lines.map(
    ({ kind, text }, index) =>
      `<text x="${padding}" y="${padding + (index + 0.75) * lineHeight}" fill="${colours[kind]}" style="animation-name:l${index}">${escaped(text)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${escaped(title)}</title>
<metadata>${escaped(JSON.stringify(steps))}</metadata>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre;animation-duration:${endMs}ms;animation-iteration-count:infinite;animation-timing-function:step-end}
.scroll{animation:scroll ${endMs}ms step-end infinite}
@keyframes scroll{0%{transform:none}${scroll.join('')}}
${styles.join('\n')}
@media (prefers-reduced-motion:reduce){text,.scroll{animation-play-state:paused;animation-delay:-${endMs - 1}ms}}
</style>
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<svg x="0" y="${padding}" width="${width}" height="${rows * lineHeight}" viewBox="0 ${padding} ${width} ${rows * lineHeight}">
<g class="scroll">
${texts.join('\n')}
</g>
</svg>
</svg>
`;
}

/** The recording in a picture. Throws when there is none. */
export function recordingIn(svg: string): readonly RecordedStep[] {
  const text = /<metadata>(.*)<\/metadata>/.exec(svg)?.[1];
  if (text === undefined) throw new Error('the picture has no recording');
  return JSON.parse(unescaped(text)) as readonly RecordedStep[];
}

/** The command as it is typed. */
export function commandOf({ words }: Pick<RecordedStep, 'words'>): string {
  return ['bin/tidegate', ...words.map((word) => (/^[\w$./:@=,-]+$/.test(word) ? word : `'${word}'`))].join(' ');
}

function timeline(steps: readonly RecordedStep[]) {
  const lines: Line[] = [];
  let atMs = 300;
  for (const step of steps) {
    for (const text of wrapped(`$ ${commandOf(step)}`)) lines.push({ kind: 'command', text, atMs });
    atMs += beforeMs;
    let before = 0;
    for (const line of step.lines) {
      atMs += Math.min(Math.max(line.atMs - before, lineMs), mostWaitMs);
      before = line.atMs;
      lines.push({ kind: 'output', text: cut(line.text), atMs });
    }
    if (step.tookMs >= shownTimeMs) lines.push({ kind: 'time', text: `(${(step.tookMs / 1_000).toFixed(1)} s)`, atMs });
    atMs += betweenMs;
  }
  return { lines, endMs: atMs + atEndMs };
}

/** A long command continues on the next line, like in a shell. */
function wrapped(command: string): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of command.split(/ (?!.*'[^']*$)/)) {
    if (line !== '' && line.length + word.length > columns - 3) {
      lines.push(`${line} \\`);
      line = `    ${word}`;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function cut(text: string): string {
  return text.length <= columns ? text : `${text.slice(0, columns - 1)}…`;
}

const entities: readonly (readonly [string, string])[] = [
  ['&', '&amp;'],
  ['<', '&lt;'],
  ['>', '&gt;'],
];

function escaped(text: string): string {
  return entities.reduce((shown, [plain, entity]) => shown.replaceAll(plain, entity), text);
}

function unescaped(text: string): string {
  return entities.toReversed().reduce((plain, [sign, entity]) => plain.replaceAll(entity, sign), text);
}
