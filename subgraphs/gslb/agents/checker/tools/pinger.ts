// One fping process sends echo requests to all ICMP targets in a loop. Only answers are evaluated, because each check has its own
// deadline. fping(8) reads its targets once, so it is restarted when an address is added, without the addresses that are no
// longer needed.
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { reasonOf } from '../../../../../platform/checks/probes/connection.ts';
import type { Logger } from '../../../../../platform/log/log.ts';
import { canonicalAddressBlock } from '../../../../../platform/net/address-block.ts';

interface PingerOptions {
  /** The program. */
  readonly fping: string;
  readonly log: Logger;
  /** Time between two requests to an address. Default 200. */
  readonly periodMs?: number;
  /** An address is dropped after this long without a request. Default ten minutes. */
  readonly unusedMs?: number;
}

interface Address {
  askedMs: number;
  readonly waiting: Set<(latencyMs: number) => void>;
}

/** Limit of requests per second, for all addresses together. */
const mostPerSecond = 10_000;
const mostAddresses = 50_000;
/** Waits this long, so that addresses which arrive together cost one start. */
const gatherMs = 20;
/** An fping that ends by itself is not started again sooner. */
const restMs = 1_000;
/** An answer may come so late. */
const longestWayMs = 10_000;

/** `192.0.2.1 : [3], 64 bytes, 0.330 ms (0.352 avg, 0% loss)`, as fping 5.1 writes it with -l. */
const answerLine = /^(\S+)\s+: \[\d+\], \d+ bytes, ([\d.]+) ms/;

export class Pinger {
  readonly #options: PingerOptions;
  readonly #addresses = new Map<string, Address>();
  #process: ChildProcess | undefined;
  #starting: NodeJS.Timeout | undefined;
  #restsUntilMs = 0;
  /** Reason why there are no answers. Undefined if it runs, or was never needed. */
  #fault: string | undefined;
  #stopped = false;

  constructor(options: PingerOptions) {
    this.#options = options;
  }

  ping(address: string, giveUp: AbortSignal): Promise<number> {
    const key = canonicalAddressBlock(address);
    if (key === undefined || this.#stopped) return Promise.reject(new Error(`${address} can't be pinged`));
    if (this.#fault !== undefined && performance.now() < this.#restsUntilMs)
      return Promise.reject(new Error(this.#fault));
    let known = this.#addresses.get(key);
    if (known === undefined) {
      if (this.#addresses.size >= mostAddresses)
        return Promise.reject(new Error(`more than ${mostAddresses} addresses to ping`));
      known = { askedMs: 0, waiting: new Set() };
      this.#addresses.set(key, known);
      this.#startSoon();
    } else if (this.#process === undefined) this.#startSoon();
    const { waiting } = known;
    known.askedMs = performance.now();
    return new Promise((resolve, reject) => {
      const answered = (latencyMs: number) => {
        waiting.delete(answered);
        giveUp.removeEventListener('abort', late);
        resolve(latencyMs);
      };
      const late = () => {
        waiting.delete(answered);
        reject(new Error('no answer in time'));
      };
      if (giveUp.aborted) return late();
      waiting.add(answered);
      giveUp.addEventListener('abort', late, { once: true });
    });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#starting);
    await this.#end();
  }

  #startSoon(): void {
    if (this.#starting !== undefined || this.#stopped) return;
    this.#starting = setTimeout(
      () => {
        this.#starting = undefined;
        void this.#end().then(() => this.#start());
      },
      Math.max(gatherMs, this.#restsUntilMs - performance.now()),
    );
  }

  /** Ends the running one, because two would double every request. */
  #end(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      running.once('close', () => resolve());
      running.kill('SIGKILL');
    });
  }

  #start(): void {
    if (this.#stopped) return;
    const { fping, log, periodMs = 200, unusedMs = 600_000 } = this.#options;
    const now = performance.now();
    for (const [address, { askedMs, waiting }] of this.#addresses)
      if (waiting.size === 0 && now - askedMs > unusedMs) this.#addresses.delete(address);
    const count = this.#addresses.size;
    if (count === 0) return;
    const spreadMs = Math.ceil((count * 1_000) / mostPerSecond);
    const args = ['-l', '-p', String(Math.max(periodMs, spreadMs)), '-i', '0.1', '-t', String(longestWayMs), '-f', '-'];
    const child = spawn(fping, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { LC_ALL: 'C' } });
    this.#process = child;
    const ended = (reason: string) => {
      if (this.#process !== child) return;
      this.#process = undefined;
      this.#fault = reason;
      this.#restsUntilMs = performance.now() + restMs;
      log.warn({ reason }, 'fping ended: ICMP is not checked until it runs again');
      this.#startSoon();
    };
    child.once('error', (error) => ended(`fping does not run: ${reasonOf(error)}`));
    child.once('close', (code) => ended(`fping ended with ${code}`));
    child.stdin?.on('error', () => undefined).end([...this.#addresses.keys()].join('\n').concat('\n'));
    if (child.stdout !== null) createInterface({ input: child.stdout }).on('line', (line) => this.#take(line));
  }

  #take(line: string): void {
    const [, address = '', latency] = answerLine.exec(line) ?? [];
    if (latency === undefined) return;
    this.#fault = undefined;
    const waiting = this.#addresses.get(address)?.waiting ?? [];
    for (const answered of [...waiting]) answered(Number(latency));
  }
}
