// Runs `tidegate check-client` beside a client, and returns its verdicts.
import { failureTable } from '../../../clients/failure-table/table.ts';
import { startCommand } from '../../cli/commands/run-command.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

interface Verdict {
  readonly row: string;
  readonly isPassed: boolean;
  readonly faults: readonly string[];
}

/** `client`: carries out the tasks at an address until there are none left. `rows`: of the table. */
export async function verdictsOn(
  client: (origin: string) => Promise<void>,
  rows: readonly string[],
): Promise<readonly Verdict[]> {
  const only = rows.flatMap((row) => ['--row', row]);
  const run = startCommand(['check-client', 'http://127.0.0.1:0', '--json', ...only]);
  await waitFor('the address', () => run.stderr().includes('/next'));
  const origin = /http:\/\/[^/\s]+/.exec(run.stderr())?.[0] ?? '';
  try {
    await client(origin);
  } catch (error) {
    run.interrupt();
    await run.exitCode;
    throw error;
  }
  await run.exitCode;
  await new Promise((resolve) => setImmediate(resolve));
  return JSON.parse(run.stdout()) as Verdict[];
}

/** How many checks run at once. Most of their time is pauses. */
const parts = 4;

/** Every failed row with its faults, and the number of rows that passed. */
export async function failuresOf(client: (origin: string) => Promise<void>) {
  const names = failureTable.map(({ name }) => name);
  const each = Array.from({ length: parts }, (_, part) => names.filter((_name, index) => index % parts === part));
  const verdicts = (await Promise.all(each.map((rows) => verdictsOn(client, rows)))).flat();
  const failed = verdicts.filter(({ isPassed }) => !isPassed);
  return { failed, passed: verdicts.length - failed.length };
}

/** The results of a correct client. */
export const allPassed = { failed: [], passed: failureTable.length };
