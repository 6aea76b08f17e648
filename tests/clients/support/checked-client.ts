// Runs `tidegate check-client` beside a client, and returns its verdicts.
import { failureTable } from '../../../clients/failure-table/table.ts';
import { startCommand } from '../../cli/commands/run-command.ts';
import { waitFor } from '../../support/temporary-folder.ts';

interface Verdict {
  readonly row: string;
  readonly isPassed: boolean;
  readonly faults: readonly string[];
}

/** `client`: carries out the tasks at an address, until there are no more. */
export async function verdictsOn(
  client: (origin: string) => Promise<void>,
  rows: readonly string[] = [],
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

/** What a correct client gets. */
export const allPassed: readonly Verdict[] = failureTable.map(({ name }) => ({
  row: name,
  isPassed: true,
  faults: [],
}));
