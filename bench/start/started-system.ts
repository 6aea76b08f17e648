// One run of `npm start`: the real script, from its first line until every part reports that it is ready.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOfTree } from '../../measure/process-tree.ts';
import { within } from '../../platform/work/within.ts';

interface StartedSystem {
  readonly pid: number;
  readonly readyAfterMs: number;
  /** CPU time of all its processes so far, including ended ones. */
  readonly cpuMs: number;
  readonly hasLab: boolean;
  /** Like Ctrl-C. Throws if it does not end, or ends with an error. */
  stop(): Promise<void>;
}

interface StartOptions {
  /** The folder of the checkout. */
  readonly product: string;
  readonly dataPath: string;
  readonly withLab: boolean;
  readonly signal: AbortSignal;
}

const readyTimeoutMs = 120_000;
const stopTimeoutMs = 60_000;
const mostOutput = 64 * 1024;

/** It installs nothing, because a benchmark must not change the machine. */
export async function startSystem({ product, dataPath, withLab, signal }: StartOptions): Promise<StartedSystem> {
  signal.throwIfAborted();
  const startedMs = performance.now();
  const flags = ['--no-install', '--data', dataPath, '--port', '0', '--log-level', 'warn'];
  const child = spawn('sh', [join(product, 'bin/start'), ...flags, ...(withLab ? [] : ['--no-lab'])], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}` },
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', (code) => resolve(code));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGINT');
    const cut = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    const code = await exited;
    clearTimeout(cut);
    if (code !== 0) throw new Error(`the system ended with ${code ?? 'a signal'} after Ctrl-C`);
  };
  let output = '';
  const told = Promise.withResolvers<string>();
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output = (output + text).slice(-mostOutput);
    const health = /^ +Health +(\S+)$/m.exec(output)?.[1];
    if (health !== undefined && output.includes('Ctrl-C stops everything.')) told.resolve(health);
  });
  void exited.then((code) => told.reject(new Error(`the system ended with ${code} before it was ready:\n${output}`)));
  const healthy = async (late: AbortSignal) => untilHealthy(await told.promise, late);
  try {
    await within(readyTimeoutMs, 'the system was not ready', healthy, signal);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  const readyAfterMs = performance.now() - startedMs;
  const cpuMs = await cpuMsOfTree(child.pid ?? -1);
  return { pid: child.pid ?? -1, readyAfterMs, cpuMs, hasLab: output.includes('backend "lab-firewall"'), stop };
}

async function untilHealthy(url: string, signal: AbortSignal): Promise<void> {
  while ((await fetch(url, { signal })).status !== 200) await sleep(10, undefined, { signal });
}
