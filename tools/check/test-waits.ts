// A loop in a test that only sleeps has no deadline of its own, and its failure does not say what it waited for. `waitFor` and `until` of
// tests/support/machine/temporary-folder.ts have both.
import type { SourceFile } from './source-files.ts';

const pause = String.raw`await (?:sleep|pause|new Promise(?:<\w+>)?\(\(\w+\) => setTimeout)\([^;\n]*;`;
const polls = [
  new RegExp(String.raw`\b(?:while|for) \([^\n]*\)\s+${pause}`),
  new RegExp(String.raw`\b(?:while|for) \([^\n]*\) \{\s*${pause}\s*\}`),
  new RegExp(String.raw`\bdo \{\s*${pause}`),
];

export function findPollFaults(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path, text }) => path.startsWith('tests/') && polls.some((poll) => poll.test(text)))
    .map(({ path }) => `${path} sleeps in a loop until something is so: use waitFor or until of tests/support/machine`);
}
