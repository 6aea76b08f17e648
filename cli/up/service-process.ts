// `up` as root: hands the data folder over to the service account, starts another `up` as that account, which listens and runs MariaDB and Redis, and
// keeps the lab for it. It does not listen itself, except for the lines of some devices of the lab, which forward bytes (docs/security.md lists
// them). It ends with the process that keeps the lab; if it ends alone, after it has served, it is started again.
import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathExists } from '../../embedded/find-program.ts';
import { handOverDataFolder } from '../../embedded/hand-over.ts';
import { SetupError } from '../../embedded/setup-error.ts';
import { runsAsRoot } from '../../lab/devices.ts';
import { labFolder, plainLabFolder } from '../../lab/folders.ts';
import { LabServer } from '../../lab/lab-server.ts';
import { LabHere } from '../../lab/lab-source.ts';
import { CommandFailure, SilentFailure } from '../failures.ts';
import type { Surroundings } from '../verb.ts';
import { accountCompileCache, checkout, wayToAccount } from './account.ts';
import type { UpOrder } from './up-order.ts';

/** The first descriptor after standard input, output and error. */
const serverDescriptor = 3;
/** Failed starts in a row, after one that served. */
const mostFailures = 5;
const [firstPauseMs, longestPauseMs] = [1_000, 30_000];
/** A process that served for this long is started again after the first pause. */
const steadyMs = 60_000;

export interface ServiceProcessOptions extends Surroundings, UpOrder {}

/** Resolves when it has ended normally. Otherwise throws CommandFailure or SilentFailure. */
export async function startServiceProcess(options: ServiceProcessOptions): Promise<void> {
  try {
    const folder = await handOverDataFolder(options.dataPath, labFolder);
    try {
      const { file, env } = options;
      const enter = await wayToAccount(folder.path, file ?? env.TIDEGATE_CONFIG);
      await runUntilEnded(options, folder.path, enter, await accountCompileCache());
    } finally {
      await folder.removeUnused();
    }
  } catch (error) {
    throw error instanceof SetupError ? new CommandFailure(error.message) : error;
  }
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

async function runUntilEnded(
  options: ServiceProcessOptions,
  dataPath: string,
  enter: readonly string[],
  cache: string,
): Promise<void> {
  const { signal, stderr } = options;
  // Exists while the process serves. A stopped process removes it.
  const servingFile = join(dataPath, 'url');
  let hasServed = false;
  for (let failures = 0, pauseMs = firstPauseMs; ; failures += 1) {
    signal.throwIfAborted();
    await rm(servingFile, { force: true });
    const startedMs = performance.now();
    const ended = await runOnce(options, dataPath, enter, cache);
    if (signal.aborted || (ended.signal === null && ended.code === 0)) {
      if (ended.signal === null && ended.code !== 0) throw new SilentFailure(ended.code ?? 1);
      return;
    }
    const how = ended.signal === null ? `with ${ended.code}` : `by ${ended.signal}`;
    const wasServing = await pathExists(servingFile);
    hasServed ||= wasServing;
    if (wasServing) failures = 0;
    if (!hasServed || failures >= mostFailures) {
      if (ended.signal === null) throw new SilentFailure(ended.code ?? 1);
      throw new CommandFailure(`the process that served requests was ended ${how}`);
    }
    if (performance.now() - startedMs > steadyMs) pauseMs = firstPauseMs;
    stderr.write(`tidegate: the process that served requests was ended ${how}: it is started again\n`);
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** Resolves when the process and its lab have ended. */
async function runOnce(
  options: ServiceProcessOptions,
  dataPath: string,
  enter: readonly string[],
  cache: string,
): Promise<Ended> {
  const { signal, env } = options;
  const [command = '', ...rest] = [...enter, process.execPath, join(checkout, 'bin', 'tidegate.ts')];
  // A separate session: this process forwards a Ctrl-C on the terminal, and the child can't write to root's
  // terminal like a keyboard.
  const child = spawn(command, [...rest, ...upArguments(options, dataPath)], {
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
    env: {
      ...{ ...env, HOME: dataPath, XDG_CACHE_HOME: join(dataPath, plainLabFolder, 'cache') },
      ...{ NODE_COMPILE_CACHE: cache, LAB_SERVER_FD: String(serverDescriptor) },
    },
  });
  const server = new LabServer(child.stdio[serverDescriptor] as Duplex, new LabHere(dataPath, signal), (name) =>
    runsAsRoot(name, true),
  );
  const pass = () => child.kill('SIGTERM');
  signal.addEventListener('abort', pass, { once: true });
  try {
    return await endOf(child);
  } finally {
    signal.removeEventListener('abort', pass);
    await server.end();
  }
}

function upArguments({ withLab, labDevices, port, host, file, level, showsLog }: UpOrder, dataPath: string): string[] {
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [`--${name}`, value]);
  return [
    ...['up', '--data', dataPath, ...(withLab ? [] : ['--no-lab'])],
    ...option('lab', labDevices?.join(',')),
    ...option('port', port),
    ...option('host', host),
    ...option('config', file),
    ...option('log-level', level),
    ...(showsLog ? ['--show-log'] : []),
  ];
}

function endOf(child: ChildProcess): Promise<Ended> {
  return new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => done({ code, signal }));
  });
}
