// A server's watchdog renews the lead of an agent that was killed, until the next agent does, and for some seconds at most. It does so only if that
// agent's process is gone: for an agent that hangs, the lead ends.

import { readFileSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isAlive, type ProcessMark } from '../../embedded/process-mark.ts';
import type { EtcdClientTls } from '../etcd-gateway.ts';
import { monotonicMs } from './clock.ts';
import { fenceAfterMsFor } from './limits.ts';

/** What an agent writes at its start, for the watchdog. */
export interface RenewingAgent {
  readonly agent: ProcessMark | undefined;
  /** The file of its LeadHolder. */
  readonly leadFile: string;
  /** The members of etcd, and the deadline of a call. */
  readonly urls: readonly string[];
  readonly tls?: EtcdClientTls;
  readonly timeoutMs?: number;
}

interface KeptLead {
  readonly lease: string;
  readonly leaseMs: number;
}

/** The next agent renews the lead itself if it is in time. */
const nearMs = 500;
/** Nothing is renewed later than this after the end that the agent gave to the lead. An agent starts in less, also on a busy machine. */
const mostMs = 3_000;
const usualTimeoutMs = 900;
const againMs = 100;

export class RenewalForAgent {
  readonly #agentFile: string;
  readonly #fenceFile: string;
  /** The end that an agent gave to the lead, and the one that this object gave to it. */
  #agentsFenceAtMs = Number.NEGATIVE_INFINITY;
  #ownFenceAtMs: number | undefined;
  #isRenewing = false;
  #triedAtMs = Number.NEGATIVE_INFINITY;

  constructor(agentFile: string, fenceFile: string) {
    this.#agentFile = agentFile;
    this.#fenceFile = fenceFile;
  }

  /** Called often. Returns at once, and never throws. */
  look(fenceAtMs: number): void {
    const nowMs = monotonicMs();
    if (fenceAtMs !== this.#ownFenceAtMs) this.#agentsFenceAtMs = fenceAtMs;
    if (this.#isRenewing || fenceAtMs - nowMs > nearMs || nowMs - this.#triedAtMs < againMs) return;
    this.#triedAtMs = nowMs;
    const killed = this.#killed();
    if (killed === undefined) return;
    this.#isRenewing = true;
    this.#renew(killed, fenceAtMs)
      // It is tried again until the fence.
      .catch(() => undefined)
      .finally(() => {
        this.#isRenewing = false;
      });
  }

  /** The agent, if it was killed, and no other one has started. */
  #killed(): RenewingAgent | undefined {
    try {
      const read = JSON.parse(readFileSync(this.#agentFile, 'utf8')) as RenewingAgent;
      return read.agent === undefined || isAlive(read.agent) ? undefined : read;
    } catch {
      return undefined;
    }
  }

  async #renew(killed: RenewingAgent, fenceAtMs: number): Promise<void> {
    const { leadFile } = killed;
    const lead = JSON.parse(await readFile(leadFile, 'utf8')) as KeptLead;
    const sentAtMs = monotonicMs();
    if (sentAtMs > this.#agentsFenceAtMs + mostMs || !(await isRenewed(killed, lead.lease))) return;
    const nextMs = sentAtMs + fenceAfterMsFor(lead.leaseMs);
    // Past the fence the server is killed. A new agent has read the former end, and renews the lead itself.
    if (monotonicMs() >= fenceAtMs || this.#killed() === undefined) return;
    this.#ownFenceAtMs = nextMs;
    // The next agent reads the new end before the watchdog relies on it.
    await replace(leadFile, JSON.stringify({ ...lead, fenceAtMs: nextMs }));
    await replace(this.#fenceFile, String(nextMs));
  }
}

/** Asks all members side by side, because the first answer counts. */
async function isRenewed({ urls, tls, timeoutMs = usualTimeoutMs }: RenewingAgent, lease: string): Promise<boolean> {
  const { EtcdGateway } = await import('../etcd-gateway.ts');
  const gateway = new EtcdGateway(tls);
  try {
    const asked = urls.map((url) => gateway.post(url, '/v3/lease/keepalive', { ID: lease }, { timeoutMs }));
    const { result } = (await Promise.any(asked)) as { result?: { TTL?: unknown } };
    return Number(result?.TTL ?? 0) > 0;
  } finally {
    gateway.close();
  }
}

/** The agent's own temporary file has another name. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.watchdog`, text, { mode: 0o600 });
  await rename(`${file}.watchdog`, file);
}
