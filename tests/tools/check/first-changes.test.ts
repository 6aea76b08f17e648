// Refused rows in the table of good first changes.
import { expect, test } from '@jest/globals';
import { findFirstChangeFaults } from '../../../tools/check/first-changes.ts';

const textOf = async (path: string) => (path === 'a.ts' ? 'const shells = [];\n' : undefined);
const faultsOf = (...rows: string[]) =>
  findFirstChangeFaults(
    `# Page\n\n## Good first changes\n\n| change | file | line |\n|---|---|---|\n${rows.join('\n')}\n\n## Next\n\n| x | \`no.ts\` | \`y\` |\n`,
    textOf,
  );

test.each([
  ['| a shell | `a.ts` | `const shells = [` |', []],
  ['| a shell | `a.ts` | `const colours` |', ['CONTRIBUTING.md: a.ts has no const colours: take the row away']],
  ['| a shell | `b.ts` | `const shells` |', ['CONTRIBUTING.md: there is no b.ts']],
  ['| a shell | a.ts | |', ['CONTRIBUTING.md: this row names no file and line: | a shell | a.ts | |']],
])('%s', async (row, faults) => {
  expect(await faultsOf(row)).toEqual(faults);
});

test('a page without the table is refused', async () => {
  expect(await findFirstChangeFaults('# Page\n', textOf)).toHaveLength(1);
});
