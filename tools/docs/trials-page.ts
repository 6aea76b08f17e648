// docs/trials.md: what each trial proves, how to read its failure, and how to repeat it.
import { type TrialRow, trials } from '../../trials/tables.ts';

/** Throws where a trial lacks a sentence. */
export function trialsPage(rows: Readonly<Record<string, TrialRow>> = trials): string {
  return `# Trials

Made from [trials/tables.ts](../trials/tables.ts) by \`npm run generate:docs\`.

A trial injects faults into the real product under load, and judges the result from outside: by the logs of devices and clients, by disks, or by an
independent model. It fails when one of its figures that must be 0 is not 0, or when it has findings.

- \`npm run trials -- NAME\` runs one, within 15 minutes. \`--full\` runs the counts that its claim rests on.
- Standard error has the seed first and each finding as it occurs. The last line of standard output is JSON with all figures.
- A failed trial ends with exit code 1, its faults, and the command that repeats it: the same options, with \`--seed N\`.
- \`--help\` shows the options of a trial, and its three sentences from this page.
- Faults are drawn from the seed. Where real processes run, their exact moments differ from run to run: repeat such a failure a few times
  before you take it for mended.

${Object.entries(rows)
  .map(
    ([name, { proves, failure, repeat }]) => `## ${name}

- **It proves:** ${sentenceOf(name, proves)}
- **A failure:** ${sentenceOf(name, failure)}
- **To repeat it:** ${sentenceOf(name, repeat)}
`,
  )
  .join('\n')}`;
}

function sentenceOf(name: string, text: string): string {
  if (text.length < 20 || !text.endsWith('.')) throw new Error(`trial ${name} has no sentence where it has "${text}"`);
  return text;
}
