// Ends connections to the virtual address before a planned move, without a failed request. New connections are dropped, not refused: the client
// repeats its SYN, and reaches the host that has the address by then. needs: iproute2, nftables

import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from '../../embedded/run-program.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import type { ApiState } from '../agent/view.ts';
import { signalServed } from '../served-process.ts';

interface ClientsOptions {
  /** Client-facing address, without a prefix length. */
  readonly address: string;
  /** File where `tidegate serve` records its process (`noteServed`). Undefined if that process is not notified. */
  readonly processFile: string | undefined;
  /** Whether that process answers: one that is silent ends no connection. */
  readonly apiState?: () => ApiState;
  readonly log: SetupLog;
}

const table = 'tidegate_ha';
/** The API ends its connections within a second (Gateway.handOver). */
const waitMs = 1_500;
const lookEveryMs = 50;
const programTimeoutMs = 2_000;

export class Clients {
  readonly #options: ClientsOptions;
  /** Serialises changes of the rules. */
  #changing: Promise<void> = Promise.resolve();
  #isLeaving = false;

  constructor(options: ClientsOptions) {
    this.#options = options;
  }

  /** Resolves when no connection is left, or after some seconds. */
  async leave(): Promise<void> {
    const { address, processFile, log } = this.#options;
    this.#isLeaving = true;
    await this.#change(rules(address));
    if (processFile === undefined || !(await signalServed(processFile, 'SIGUSR2'))) {
      log.warn('no process that serves clients is notified when the address moves: see the setting ha.processFile');
      return;
    }
    const endsAtMs = performance.now() + waitMs;
    const mayEnd = () => this.#options.apiState?.() !== 'SILENT' && performance.now() < endsAtMs;
    while (this.#isLeaving && mayEnd() && (await this.#connections()) > 0) await sleep(lookEveryMs);
  }

  /** Lets new connections in again. Also removes rules of an agent that was killed. */
  async stay(): Promise<void> {
    this.#isLeaving = false;
    const family = familyOf(this.#options.address);
    await this.#change(`${emptied(family)}delete table ${family} ${table}\n`);
  }

  async #connections(): Promise<number> {
    const { address } = this.#options;
    const source = address.includes(':') ? `[${address}]` : address;
    const asked = ['-H', '-t', '-n', 'state', 'established', 'src', source];
    const { stdout } = await runProgram('ss', asked, { timeoutMs: programTimeoutMs });
    return stdout.split('\n').filter((line) => line.trim() !== '').length;
  }

  #change(input: string): Promise<void> {
    const change = async () => {
      const { exitCode, stderr } = await runProgram('nft', ['--file', '-'], { input, timeoutMs: programTimeoutMs });
      if (exitCode !== 0) throw new Error(`nft: ${stderr.trim() || 'no answer in time'}`);
    };
    this.#changing = this.#changing.catch(() => undefined).then(change);
    return this.#changing;
  }
}

function familyOf(address: string): 'ip' | 'ip6' {
  return address.includes(':') ? 'ip6' : 'ip';
}

/** The chain exists afterwards, even if it did not before. */
function emptied(family: 'ip' | 'ip6'): string {
  return `table ${family} ${table} {}\nflush table ${family} ${table}\n`;
}

function rules(address: string): string {
  const family = familyOf(address);
  return `${emptied(family)}table ${family} ${table} {
  chain new_connections {
    type filter hook input priority filter - 10; policy accept;
    ${family} daddr ${address} tcp flags & (syn | ack) == syn drop
  }
}
`;
}
