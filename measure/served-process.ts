// One `tidegate serve` as a real process, which can be killed and started again: it ends with this process, and its
// log is a file.
// needs: system, mariadb-server-core, mariadb-client-core, redis-tools, util-linux
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { endingWithParent } from '../embedded/ends-with-parent.ts';
import type { EmbeddedServer, ServerExit } from '../embedded/server-process.ts';
import { within } from '../platform/work/within.ts';

interface ServedProcess extends EmbeddedServer {
  /** UUID of this incarnation, used by journal and leases. */
  readonly owner: string | undefined;
  /** The public endpoint. Undefined without the role gateway. */
  readonly url: string | undefined;
}

interface ServeOptions {
  readonly name: string;
  readonly configFile: string;
  /** Every incarnation appends to it. */
  readonly logFile: string;
  /** Of the program. Default: this one. */
  readonly folder?: string | undefined;
  /** In addition to PATH. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

interface ReadyLine {
  readonly msg?: string;
  readonly owner?: string;
  readonly url?: string;
}

const thisFolder = fileURLToPath(new URL('..', import.meta.url));
const readyTimeoutMs = 60_000;

/** Resolves when it reports that it is ready. Throws if it ends before that, or is late. */
export async function serve(options: ServeOptions): Promise<ServedProcess> {
  options.signal?.throwIfAborted();
  const program = join(options.folder ?? thisFolder, 'bin/tidegate.ts');
  const child = spawn(
    ...endingWithParent(process.execPath, [program, 'serve', '--as-root', '--config', options.configFile]),
    // A separate session: this process handles a Ctrl-C on the terminal.
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH ?? '', NODE_ENV: 'production', ...options.environment },
    },
  );
  const log = createWriteStream(options.logFile, { flags: 'a', mode: 0o600 });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const exited = new Promise<ServerExit>((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('close', (code, signal) => {
      log.end();
      resolve({ code, signal });
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };

  const ready = Promise.withResolvers<ReadyLine>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = line.includes('"msg":"ready"') ? (JSON.parse(line) as ReadyLine) : undefined;
    if (entry?.msg === 'ready') ready.resolve(entry);
  });
  void exited.then(({ code, signal }) => {
    ready.reject(new Error(`${options.name} ended (${signal ?? code}) before it was ready: see ${options.logFile}`));
  });
  try {
    const { owner, url } = await within(
      readyTimeoutMs,
      `${options.name} was not ready`,
      () => ready.promise,
      options.signal,
    );
    return { pid: child.pid ?? -1, exited, stop, owner, url };
  } catch (error) {
    await stop();
    throw error;
  }
}
