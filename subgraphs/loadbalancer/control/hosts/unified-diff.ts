// Compares two texts line by line, as a unified diff with three lines of context. Uses the longest common subsequence if that is
// affordable.

const context = 3;
/** Limit for the product of the numbers of differing lines. Beyond it all of them are replaced. */
const mostCells = 4_000_000;

interface Line {
  readonly sign: ' ' | '-' | '+';
  readonly text: string;
}

/** Empty if they are the same. */
export function unifiedDiff(before: string, after: string): string {
  const lines = diffLines(before.split('\n'), after.split('\n'));
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - context), at + context + 1).some(({ sign }) => sign !== ' '),
  );
  const shown: string[] = [];
  let [old, now] = [1, 1];
  for (const [at, { sign, text }] of lines.entries()) {
    if (near[at] === true) {
      if (near[at - 1] !== true) shown.push(`@@ -${old} +${now} @@`);
      shown.push(`${sign}${text}`);
    }
    if (sign !== '+') old += 1;
    if (sign !== '-') now += 1;
  }
  return shown.join('\n');
}

function diffLines(before: readonly string[], after: readonly string[]): Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const rest = Math.min(before.length, after.length) - head;
  while (tail < rest && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const same = (lines: readonly string[]) => lines.map((text): Line => ({ sign: ' ', text }));
  return [
    ...same(before.slice(0, head)),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...same(tail === 0 ? [] : before.slice(-tail)),
  ];
}

function middle(before: readonly string[], after: readonly string[]): Line[] {
  const removed = (texts: readonly string[]) => texts.map((text): Line => ({ sign: '-', text }));
  const added = (texts: readonly string[]) => texts.map((text): Line => ({ sign: '+', text }));
  const width = after.length + 1;
  if (before.length * after.length > mostCells) return [...removed(before), ...added(after)];
  // lengths[i * width + j]: length of the longest common subsequence of the lines from i and from j on.
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i -= 1)
    for (let j = after.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < before.length && j < after.length) {
    if (before[i] === after[j]) {
      lines.push({ sign: ' ', text: before[i] ?? '' });
      [i, j] = [i + 1, j + 1];
    } else if (at(i + 1, j) >= at(i, j + 1)) lines.push(...removed([before[i++] ?? '']));
    else lines.push(...added([after[j++] ?? '']));
  }
  return [...lines, ...removed(before.slice(i)), ...added(after.slice(j))];
}
