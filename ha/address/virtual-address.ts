// The virtual IP of a pair of hosts. The agent sets the time until which this host may hold it. keepalived, which outlives the
// agent, adds the address to the host and announces it on the network.
// needs: keepalived

import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProgram } from '../../embedded/find-program.ts';
import { isAlive, type ProcessMark, processMark } from '../../embedded/process-mark.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { monotonicMs } from '../agent/clock.ts';
import type { Announcer } from '../announcer.ts';
import { markIn } from '../mark-file.ts';
import {
  type KeepalivedOptions,
  keepalivedConfiguration,
  leaseFile,
  leavingTable,
  refusedFile,
  script,
  stateFile,
} from './keepalived.ts';

interface VirtualAddressOptions extends Omit<KeepalivedOptions, 'areScriptsSafe'> {
  readonly log: SetupLog;
}

const lookEveryMs = 500;
const endTimeoutMs = 5_000;
const programTimeoutMs = 500;
const markFile = 'holder.json';

export class VirtualAddress implements Announcer {
  readonly #options: VirtualAddressOptions;
  readonly #bootId: string;
  /** The last value to write, and the write in progress. */
  #wanted: { readonly fenceAtMs: number | undefined } | undefined;
  #writing: Promise<void> | undefined;
  #looking: NodeJS.Timeout | undefined;
  #starting: Promise<void> = Promise.resolve();
  #isHeld: boolean | undefined;
  /** Whether keepalived was last told that this host may hold the address. */
  #isWritten = false;

  private constructor(options: VirtualAddressOptions, bootId: string) {
    this.#options = options;
    this.#bootId = bootId;
  }

  /**
   * Adopts a running keepalived if its configuration is the same. A keepalived that has the address keeps its former peers, because the
   * lead decides, not the peers. `folder`: only root can write there.
   */
  static async open(options: VirtualAddressOptions): Promise<VirtualAddress> {
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    const made = new VirtualAddress(options, bootId);
    const before = await readFile(made.#configuration, 'utf8').catch(() => '');
    const areScriptsSafe = await belongsToRoot(script('lease-lasts'));
    if (!areScriptsSafe)
      options.log.warn(`keepalived runs scripts as root that others can change: ${dirname(script('lease-lasts'))}`);
    const text = keepalivedConfiguration({ ...options, areScriptsSafe });
    const isSame = before === text || (withoutPeers(before) === withoutPeers(text) && (await made.#hasAddress()));
    if (!isSame || (await made.#holder()) === undefined) {
      await made.#end();
      await made.#write(undefined);
      await writeWhole(made.#configuration, text);
    }
    await made.#look();
    made.#looking = setInterval(() => {
      made.#starting = made.#starting
        .then(() => made.#look())
        .catch((error: unknown) => options.log.warn(`keepalived: ${String(error)}`));
    }, lookEveryMs);
    return made;
  }

  held(fenceAtMs: number): void {
    this.#say(fenceAtMs);
  }

  lost(): void {
    if (this.#isHeld !== false) this.#say(undefined);
  }

  /** keepalived continues until the lease ends. */
  close(): void {
    clearInterval(this.#looking);
  }

  /** Gives up the address. */
  async end(): Promise<void> {
    this.close();
    await this.#starting;
    await this.#end();
  }

  /** A write that waits for a frozen disk must not delay the agent. Only the last of several waiting writes counts. */
  #say(fenceAtMs: number | undefined): void {
    this.#isHeld = fenceAtMs !== undefined;
    this.#wanted = { fenceAtMs };
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#wanted !== undefined) {
      const { fenceAtMs } = this.#wanted;
      this.#wanted = undefined;
      await this.#write(fenceAtMs).catch((error: unknown) => {
        this.#isHeld = undefined;
        this.#options.log.warn(
          `keepalived could not be updated on whether the virtual address is held: ${String(error)}`,
        );
      });
    }
  }

  async #write(fenceAtMs: number | undefined): Promise<void> {
    const { folder, address } = this.#options;
    if (fenceAtMs === undefined) {
      this.#isWritten = false;
      await this.#program(script('end-connections'), [address]);
      return writeWhole(join(folder, refusedFile), '1\n');
    }
    // The uptime is read first, so that a pause between the two reads only shortens the result.
    const uptime = Number((await readFile('/proc/uptime', 'utf8')).split(' ')[0]);
    const end = Math.floor(uptime * 100 + (fenceAtMs - monotonicMs()) / 10);
    if (!this.#isWritten) await this.#program('nft', ['delete', 'table', 'inet', leavingTable]);
    this.#isWritten = true;
    await writeWhole(join(folder, leaseFile), `${this.#bootId} ${end}\n`);
    await writeWhole(join(folder, refusedFile), '0\n');
  }

  /** Its failure changes nothing about who may have the address. */
  async #program(command: string, given: readonly string[]): Promise<void> {
    await runProgram(command, given, { timeoutMs: programTimeoutMs }).catch(() => undefined);
  }

  async #look(): Promise<void> {
    if ((await this.#holder()) !== undefined) return;
    const { folder, address, device } = this.#options;
    const program = await findProgram('keepalived', ['/usr/sbin/keepalived', '/usr/local/sbin/keepalived']);
    const output = openSync(join(folder, 'keepalived.log'), 'w', 0o600);
    const child = spawn(
      'sh',
      [
        ...[script('hold'), folder, address, device, program, '--dont-fork', '--dont-respawn', '--vrrp'],
        ...['--log-console', '--no-syslog', '--use-file', this.#configuration],
        ...['--pid', join(folder, 'keepalived.pid'), '--vrrp_pid', join(folder, 'keepalived-vrrp.pid')],
      ],
      { detached: true, stdio: ['ignore', output, output], cwd: folder },
    );
    child.once('error', () => undefined);
    child.unref();
    const mark = child.pid === undefined ? undefined : processMark(child.pid);
    if (mark === undefined) throw new Error(`keepalived did not start: read ${join(folder, 'keepalived.log')}`);
    await writeWhole(this.#markFile, JSON.stringify(mark));
  }

  async #hasAddress(): Promise<boolean> {
    return (await addressState(this.#options.folder))?.state === 'MASTER';
  }

  /** The shell process whose end also ends keepalived. */
  #holder(): Promise<ProcessMark | undefined> {
    return holderIn(this.#options.folder);
  }

  #end(): Promise<void> {
    return endAddress(this.#options.folder);
  }

  get #configuration(): string {
    return join(this.#options.folder, 'keepalived.conf');
  }

  get #markFile(): string {
    return join(this.#options.folder, markFile);
  }
}

/** Ends the keepalived of the host with this folder, which releases the address. */
export async function endAddress(folder: string): Promise<void> {
  const endsAtMs = monotonicMs() + endTimeoutMs;
  for (let mark = await holderIn(folder); mark !== undefined; mark = await holderIn(folder)) {
    killQuietly(mark.pid, monotonicMs() < endsAtMs ? 'SIGTERM' : 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function holderIn(folder: string): Promise<ProcessMark | undefined> {
  const mark = await markIn(join(folder, markFile));
  return mark !== undefined && isAlive(mark) ? mark : undefined;
}

/** Last state of keepalived, and its time: MASTER holds the address. Undefined if keepalived has not reported. */
export async function addressState(
  folder: string,
): Promise<{ readonly state: string; readonly at: string } | undefined> {
  const [state, at] = (await readFile(join(folder, stateFile), 'utf8').catch(() => '')).trim().split(' ');
  return state === undefined || at === undefined ? undefined : { state, at };
}

/** Whether only root can change that file, which is what keepalived checks. */
async function belongsToRoot(path: string): Promise<boolean> {
  const { uid, gid, mode } = await stat(path);
  const isWritable = (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && gid !== 0);
  // Others may not replace what is not theirs in a folder with the sticky bit.
  if (uid !== 0 || (isWritable && (mode & 0o1000) === 0)) return false;
  return path === '/' || belongsToRoot(dirname(path));
}

function withoutPeers(configuration: string): string {
  return configuration.replace(/unicast_peer \{[^}]*\}/, '');
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
