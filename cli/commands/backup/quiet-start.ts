// Starts a process in quiet mode on the restored copy of a backup, and asks its graph: what the tables of a copy can't show is whether a version works
// with them.
import { fault } from '../../../backup/faults.ts';
import { missingFiles } from '../../../compose/missing-files.ts';
import { startProcess } from '../../../compose/process.ts';
import { quietSettings } from '../../../compose/quiet.ts';
import type { DatabaseLocation } from '../../../platform/database/database.ts';
import { dataOf } from '../../../platform/graph/ask-graph.ts';
import { serviceIdentity } from '../../../platform/graph/service-identity.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { type Config, readConfig } from '../../../platform/process/config.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';

const lists = ['projects', 'users', 'backends', 'loadBalancers', 'gslbs', 'objectClusters'] as const;
const query = `{ ${lists.map((name) => `${name} { totalCount }`).join(' ')} }`;
const noProject = '00000000-0000-0000-0000-000000000000';
const answerMs = 60_000;

type QuietStart =
  /** What the graph counts, by list. Null for more than 10,000. */
  | { readonly counts: Readonly<Record<string, number | null>> }
  /** Why there was no start, which is no fault of the backup. */
  | { readonly skipped: string };

interface QuietStartOptions {
  readonly copy: DatabaseLocation;
  readonly keysFolder: string;
  /** Migrations of this version that the copy lacks. */
  readonly pending: readonly string[];
  readonly signal: AbortSignal;
}

/** Throws BackupFaults if the process does not start, or does not answer. */
export async function startQuietly({ copy, keysFolder, pending, signal }: QuietStartOptions): Promise<QuietStart> {
  if (pending.length > 0)
    return { skipped: `the copy lacks ${pending.length} migrations of this version ("tidegate migrate" adds them)` };
  const config = quietSettings(readConfig({ flags: flagsFor(copy, keysFolder) }, subgraphRows), subgraphRows);
  const missing = missingFiles(config, subgraphRows);
  if (missing.length > 0) {
    const wrong = missing.map((each) => each.wrong).join('; ');
    return { skipped: `${keysFolder}: ${wrong}: give the folder of all key files` };
  }
  try {
    return { counts: await countsOf(config, signal) };
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    return fault(`no process works on the copy in quiet mode: ${reason}`);
  }
}

function flagsFor({ socketPath = '', user, password, database }: DatabaseLocation, keysFolder: string) {
  return {
    ...{ roles: ['gateway', ...subgraphRows.map(({ name }) => name)].join(','), 'serve.quiet': 'true' },
    ...{ 'listen.host': '127.0.0.1', 'listen.port': '0', 'keys.folder': keysFolder },
    ...{ 'database.socketPath': socketPath, 'database.name': database },
    ...{ 'database.user': user, 'database.password': password },
  };
}

async function countsOf(config: Config, signal: AbortSignal) {
  const running = await startProcess(config, createLogger({ level: 'silent', pretty: false, name: 'verify' }));
  try {
    if (running.questions === undefined) throw new Error('it has no graph');
    // It reads everything, as whoever has the backup and the keys can.
    const identity = { ...serviceIdentity({ subgraph: 'verify', projectId: noProject }), admin: true };
    const until = AbortSignal.any([signal, AbortSignal.timeout(answerMs)]);
    const data = dataOf(await running.questions.ask({ identity, query, variables: {}, signal: until }));
    return Object.fromEntries(lists.map((name) => [name, (data[name] as { totalCount: number | null }).totalCount]));
  } finally {
    await running.stop();
  }
}

/** For people. */
export function quietStartLine(start: QuietStart): string {
  if ('skipped' in start) return `quiet start skipped: ${start.skipped}`;
  const counts = Object.entries(start.counts).map(([name, count]) => `${name} ${count ?? 'over 10000'}`);
  return `quiet start: the graph answers (${counts.join(', ')})`;
}
