// The number of statements that read the database for some work, without those of other requests and of workers in the
// process.
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { reads } from '../../../platform/database/reads.ts';

const statements = new AsyncLocalStorage<string[]>();

subscribe(reads.name, (sql) => void statements.getStore()?.push(String(sql)));

/** The statements of everything that `work` awaits, with its result. */
export async function statementsOf<Result>(work: () => Promise<Result>): Promise<readonly [readonly string[], Result]> {
  const own: string[] = [];
  return [own, await statements.run(own, work)];
}
