// A private Redis on a unix socket in the data folder, with an append-only file. It carries work and wakes readers; the database
// remains the truth, so one fsync a second is enough.
// needs: redis-tools, util-linux

import { access, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import type { DataFolder } from './data-folder.ts';
import { findProgram } from './find-program.ts';
import { type EmbeddedServer, endLeftOver, ServerProcess } from './server-process.ts';
import { SetupError } from './setup-error.ts';
import type { SetupLog } from './setup-log.ts';

export interface EmbeddedRedis extends EmbeddedServer {
  /** Path of the unix socket; ioredis and BullMQ take `{ path }`. */
  readonly path: string;
}

interface RedisOptions {
  readonly folder: DataFolder;
  readonly log: SetupLog;
  /** Defaults to `redis.sock` in the data folder's socket folder. */
  readonly socketPath?: string;
  readonly extraArguments?: readonly string[];
  readonly signal?: AbortSignal;
}

const READY_TIMEOUT_MS = 30_000;

/**
 * Starts it. Files with which it does not start are put aside: Redis' data may be lost at any time. Throws SetupError. The
 * caller's lock on the folder keeps a second Redis away from these files.
 */
export async function startRedis(options: RedisOptions): Promise<EmbeddedRedis> {
  const { folder, log, signal } = options;
  signal?.throwIfAborted();
  const home = await folder.subfolder('redis', { forService: true });
  await endLeftOver({
    pidFile: join(home, pidFileName),
    workingFolder: home,
    programs: ['redis-server', 'redis-check-rdb'],
    log,
  });
  try {
    return await startServer(home, options);
  } catch (error) {
    const isRefusal = error instanceof SetupError && error.code === 'SERVER_START_FAILED';
    if (!isRefusal || signal?.aborted === true || !(await putAside(home))) throw error;
    log.warn(`Redis does not start with its files: they are put aside in ${join(home, asideName)}. ${error.message}`);
    return startServer(home, options);
  }
}

const pidFileName = 'redis.pid';
const asideName = 'damaged';

/** False when there were none. Files put aside earlier are removed: this is not a backup. */
async function putAside(home: string): Promise<boolean> {
  const files = (await readdir(home)).filter((name) => name.startsWith('appendonly'));
  if (files.length === 0) return false;
  const aside = join(home, asideName);
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { mode: 0o700 });
  for (const name of files) await rename(join(home, name), join(aside, name));
  return true;
}

async function startServer(home: string, options: RedisOptions): Promise<EmbeddedRedis> {
  const { folder, log, signal } = options;
  const path = options.socketPath ?? folder.socketPath('redis.sock');
  await rm(path, { force: true });
  const server = new ServerProcess({
    name: 'Redis',
    command: await redisProgram(home),
    args: [
      ...['--port', '0'],
      ...['--unixsocket', path],
      ...['--unixsocketperm', '700'],
      ...['--dir', home],
      ...['--pidfile', join(home, pidFileName)],
      ...['--daemonize', 'no'],
      ...['--appendonly', 'yes'],
      ...['--appendfsync', 'everysec'],
      ...['--save', ''],
      ...['--maxmemory', '256mb'],
      ...['--maxmemory-policy', 'noeviction'],
      ...(options.extraArguments ?? []),
    ],
    cwd: home,
    runAs: folder.serviceUser,
    log,
  });
  await server.waitUntilReady(() => ping(path), READY_TIMEOUT_MS, signal);
  return Object.assign(server, { path });
}

/**
 * Debian's redis-tools has the whole server in `redis-check-rdb`, which checks its own name: a link named redis-server makes it
 * the server, without the package that would also start a service.
 */
async function redisProgram(home: string): Promise<string> {
  const program = await findProgram('redis-server', [
    '/usr/bin/redis-check-rdb',
    '/usr/bin/redis-server',
    '/usr/local/bin/redis-server',
  ]);
  const link = join(home, 'redis-server');
  await rm(link, { force: true });
  await symlink(program, link);
  await access(link);
  return link;
}

/** An inline PING of the Redis protocol (RESP): `+PONG` comes only when the append-only file has been loaded. */
function ping(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path, timeout: 2_000 });
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.once('error', fail);
    socket.once('timeout', () => fail(new Error('no answer to PING within 2 s')));
    socket.once('close', () => reject(new Error('closed before it answered')));
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', (reply: Buffer) => {
      if (!reply.toString('latin1').startsWith('+PONG')) return fail(new Error(reply.toString('latin1').trim()));
      resolve();
      socket.destroy();
    });
  });
}
