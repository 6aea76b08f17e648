// Another gateway to compare with: installed at first use from its own lock file, then started as a child that ends with this process.
import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import type { OperationLimits } from '../../gateway/access/limits.ts';
import { endProcess } from '../../measure/child.ts';
import type { SubgraphPlace } from './subgraphs-process.ts';
import type { Service } from './workload.ts';

const installDeadlineMs = 300_000;
const startDeadlineMs = 60_000;

export interface PeerOptions {
  readonly services: readonly Service[];
  readonly supergraphSdl: string;
  readonly places: readonly SubgraphPlace[];
  readonly jwtKey: Buffer;
  readonly limits: OperationLimits;
  /** An empty folder for its files. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
}

export interface Peer {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Installs the packages of the folder's lock file, unless it was done since the file's last change. */
export async function installPackages(folder: string, signal: AbortSignal): Promise<void> {
  const changedMs = async (name: string) => (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0;
  if ((await changedMs('node_modules/.package-lock.json')) > (await changedMs('package-lock.json'))) return;
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = spawn('npm', ['ci', ...options], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    signal: AbortSignal.any([signal, AbortSignal.timeout(installDeadlineMs)]),
  });
  const code = await new Promise<number | null>((resolve, reject) => npm.once('error', reject).once('exit', resolve));
  if (code !== 0) throw new Error(`npm ci in ${folder} ended with ${code}`);
}

interface PeerProgram {
  readonly name: string;
  readonly program: string;
  /** Settings for a port on loopback. */
  flags(port: number): readonly string[];
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** Answers 200 as soon as it serves. */
  readonly readyPath: string;
  readonly signal: AbortSignal;
}

/** Returns once it serves /graphql. */
export async function startPeer(options: PeerProgram): Promise<Peer> {
  const port = await freePort();
  const child = spawn(...endingWithParent(options.program, [...options.flags(port)]), {
    cwd: options.folder,
    stdio: ['ignore', 2, 2],
    // Without the memory limit of bin/node24 for short-lived objects, because each gateway has its own defaults.
    env: { ...process.env, NODE_OPTIONS: undefined, NODE_ENV: 'production', ...options.env },
  });
  try {
    const origin = `http://127.0.0.1:${port}`;
    await untilReady(child, `${origin}${options.readyPath}`, options);
    return { url: `${origin}/graphql`, pid: child.pid ?? 0, stop: () => endProcess(child) };
  } catch (error) {
    await endProcess(child);
    throw error;
  }
}

/** The port is free at this moment. Not every gateway reports its port if it may choose one. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no free port was found');
  return address.port;
}

async function untilReady(child: ChildProcess, url: string, { name, signal }: PeerProgram): Promise<void> {
  const deadlineMs = performance.now() + startDeadlineMs;
  while (performance.now() < deadlineMs) {
    signal.throwIfAborted();
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${name} ended at its start`);
    const answer = await request(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.body.dump();
    if (answer?.statusCode === 200) return;
    await sleep(100, undefined, { signal });
  }
  throw new Error(`${name} was not ready within ${startDeadlineMs} ms`);
}
