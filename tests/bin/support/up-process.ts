// `tidegate up` as a person runs it: a separate process on its own data folder and port.
// needs: system, dashboard, mariadb-server-core, mariadb-client-core, redis-tools, util-linux
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { madeTablesVariable } from '../../../embedded/mariadb.ts';
import { atMost } from '../../../platform/work/within.ts';
import { patience } from '../../support/machine/patience.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const readyTimeoutMs = 110_000 * patience;

export interface UpProcess {
  readonly child: ChildProcess;
  readonly url: string;
  /** Its output so far. */
  output(): string;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

type Environment = Readonly<Record<string, string | undefined>>;

interface Started {
  readonly child: ChildProcess;
  readonly ended: UpProcess['ended'];
  output(): string;
}

/** The variables of a shell, and variables that speed up starts: compiled modules, and system tables of MariaDB to copy. */
function knownEnvironment(): Environment {
  const names = ['PATH', 'HOME', 'NODE_COMPILE_CACHE', madeTablesVariable];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/** Starts the program of a checkout (default: this one) without waiting. `via`: a program that replaces itself with it, for example setpriv. */
export function startProgram(
  args: readonly string[],
  env: Environment = {},
  checkout = root,
  via: readonly string[] = [],
): Started {
  const [command = '', ...words] = [...via, process.execPath, join(checkout, 'bin', 'tidegate.ts'), ...args];
  const child = spawn(command, words, {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...knownEnvironment(), LANG: 'C.UTF-8', ...env },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  return { child, ended, output: () => text };
}

/** Starts `tidegate up` and waits until it prints its address. Throws with its output if it ends before that. */
export async function startUp(
  dataFolder: string,
  args: readonly string[] = [],
  env: Environment = {},
  via: readonly string[] = [],
): Promise<UpProcess> {
  const usual = [
    ['--port', '0'],
    ['--log-level', 'warn'],
  ].filter(([name = '']) => !args.includes(name));
  const words = ['up', '--data', dataFolder, ...usual.flat(), ...args];
  const started = startProgram(words, env, root, via);
  const giveUpAt = performance.now() + readyTimeoutMs;
  for (;;) {
    const url = /GraphQL\s+(http:\S+)\/graphql/.exec(started.output())?.[1];
    if (url !== undefined && started.output().includes('Ctrl-C stops everything.')) return { ...started, url };
    const over = await atMost(50, started.ended);
    if (over !== undefined || performance.now() > giveUpAt) {
      started.child.kill('SIGKILL');
      throw new Error(`tidegate up did not get ready:\n${started.output()}`);
    }
  }
}

/** Sends a request to the endpoint with a bearer token; throws on top-level errors. */
export async function ask<Data>(
  url: string,
  token: string | undefined,
  query: string,
  variables: object = {},
): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(60_000),
  });
  const answer = (await response.json()) as { data?: Data; errors?: unknown };
  if (answer.data === undefined || answer.data === null || answer.errors !== undefined)
    throw new Error(JSON.stringify(answer));
  return answer.data;
}

/** The operator's API token of the data folder. */
export async function tokenOf(dataFolder: string): Promise<string> {
  return (await readFile(join(dataFolder, 'admin.token'), 'utf8')).trim();
}
