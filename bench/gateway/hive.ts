// Hive Gateway, installed at first use from its own lock file, and started like by its own command line.
import { type ChildProcess, spawn } from 'node:child_process';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { endingWithParent } from '../../embedded/ends-with-parent.ts';
import type { OperationLimits } from '../../gateway/access/limits.ts';
import { endProcess } from '../support/child.ts';
import type { SubgraphPlace } from './subgraphs-process.ts';

const folder = join(import.meta.dirname, 'hive');
const installDeadlineMs = 300_000;
const startDeadlineMs = 60_000;

/** Installs the packages of the lock file, unless that was done since its last change. */
export async function installHive(signal: AbortSignal): Promise<void> {
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

interface HiveOptions {
  readonly supergraphSdl: string;
  readonly places: readonly SubgraphPlace[];
  readonly jwtKey: Buffer;
  readonly limits: OperationLimits;
  /** For the supergraph's file. */
  readonly workFolder: string;
  readonly signal: AbortSignal;
}

interface Hive {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startHive(options: HiveOptions): Promise<Hive> {
  const { limits, workFolder, signal } = options;
  const supergraphFile = join(workFolder, 'supergraph.graphql');
  await writeFile(supergraphFile, placed(options.supergraphSdl, options.places));
  const port = await freePort();
  const program = join(folder, 'node_modules/@graphql-hive/gateway/dist/bin.js');
  const flags = ['supergraph', '--config-path', 'gateway.config.mjs', '--host', '127.0.0.1', '--port', String(port)];
  // It ends with this process in any case.
  const child = spawn(...endingWithParent(process.execPath, [program, ...flags]), {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    env: {
      ...process.env,
      NODE_ENV: 'production',
      BENCH_SUPERGRAPH: supergraphFile,
      BENCH_JWT_KEY: options.jwtKey.toString('base64'),
      BENCH_MAX_ALIASES: String(limits.maxAliases),
      BENCH_MAX_DEPTH: String(limits.maxDepth),
      BENCH_MAX_TOKENS: String(limits.maxTokens),
    },
  });
  try {
    const origin = `http://127.0.0.1:${port}`;
    await untilHealthy(child, origin, signal);
    return { url: `${origin}/graphql`, pid: child.pid ?? 0, stop: () => endProcess(child) };
  } catch (error) {
    await endProcess(child);
    throw error;
  }
}

/** The composed graph names its subgraphs http://NAME. */
function placed(supergraphSdl: string, places: readonly SubgraphPlace[]): string {
  let sdl = supergraphSdl;
  for (const { name, plainUrl } of places) {
    const named = `url: "http://${name}"`;
    if (!sdl.includes(named)) throw new Error(`the supergraph has no ${named}`);
    sdl = sdl.replace(named, `url: "${plainUrl}/graphql"`);
  }
  return sdl;
}

/** Free at this moment: Hive does not report its port when told to choose any. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no free port was found');
  return address.port;
}

async function untilHealthy(child: ChildProcess, origin: string, signal: AbortSignal): Promise<void> {
  const deadlineMs = performance.now() + startDeadlineMs;
  while (performance.now() < deadlineMs) {
    signal.throwIfAborted();
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('Hive Gateway ended at its start');
    const answer = await request(`${origin}/readiness`, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
    await answer?.body.dump();
    if (answer?.statusCode === 200) return;
    await sleep(100, undefined, { signal });
  }
  throw new Error(`Hive Gateway was not ready within ${startDeadlineMs} ms`);
}
