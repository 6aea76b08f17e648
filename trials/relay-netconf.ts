// `npm run trials -- relay-netconf`: the trial that a NETCONF session can be cut anywhere: calls of the driver on a real netconfd, cut at
// each of their frames, while another client edits the candidate. Uncommitted edits of others are never committed, and an entry exists
// either completely or not at all.
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../embedded/setup-log.ts';
import type { DeviceFault } from '../lab/device-faults.ts';
import { netconfModules, type RunningNetconf, startNetconf } from '../lab/netconf.ts';
import { newUuid } from '../platform/values/ids.ts';
import { netconf } from '../subgraphs/relay/drivers/netconf/driver.ts';
import { type Called, DriverCaller } from '../tests/subgraphs/relay/support/driver-caller.ts';
import { sshEndpoint } from '../tests/subgraphs/relay/support/endpoints.ts';
import { Ncclient } from '../tests/support/servers/ncclient.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { type Random, seededRandom } from './random.ts';
import { folderOption } from './trial-options.ts';

/** The frames of one call. Each is found by a text that only this relay's requests contain. */
const frames = {
  lock: '<lock>',
  discard: '<discard-changes/>',
  edit: '<edit-config>',
  commit: '<commit/>',
  read: '<get-config>',
  unlock: '<unlock>',
} as const;
type Frame = keyof typeof frames;
const cuts = ['before', 'after', 'mid-reply', 'late'] as const;
/** The action of the other client at the same time. */
const foreignActs = ['leaves an edit', 'leaves an edit and dies', 'commits its own', 'nothing'] as const;

interface RelayNetconfOptions extends TrialRun {
  readonly trials: number;
  /** A private folder. */
  readonly folder: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

interface RelayNetconfResult {
  readonly seed: number;
  readonly trials: number;
  /** Edits that the other client never committed, found in the running configuration. */
  readonly foreignCommitted: number;
  /** Entries that are only partly in the running configuration. */
  readonly halfApplied: number;
  /** Outcomes that the running configuration contradicts. */
  readonly contradicted: number;
  /** By state and code. */
  readonly outcomes: Readonly<Record<string, number>>;
  /** How many sessions were cut at each frame. */
  readonly cut: Readonly<Record<string, number>>;
  readonly foreign: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly findings: readonly string[];
}

export const trialRelayNetconf = defineTrial({
  counts: { trials: { help: 'cut sessions', usual: 500, full: 2_000 } },
  options: { folder: folderOption("the server's logs") },
  run: runRelayNetconf,
  mustBeZero: ['foreignCommitted', 'halfApplied', 'contradicted'],
});

const lateMs = 150;
const deadlineMs = 20_000;
const lockTries = 200;
const lockPauseMs = 50;
/** A server reads all its entries for each one, so they are removed occasionally. */
const clearEvery = 25;

export async function runRelayNetconf(options: RelayNetconfOptions): Promise<RelayNetconfResult> {
  const startedMs = performance.now();
  const server = await startNetconf({ folder: options.folder, log: silentLog, signal: options.signal });
  if (!server.available) throw new Error(`there is no NETCONF server: ${server.unavailable}`);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => server.stop());
  const endpoint = await sshEndpoint(server);
  const callers = (['discard', 'refuse'] as const).map((unlockedEdits) => {
    const caller = new DriverCaller(netconf, endpoint, {
      options: { modules: netconfModules, unlockedEdits },
      deadlineMs,
    });
    stack.defer(() => caller.stop());
    return caller;
  });
  const others = await Others.to(server);
  stack.defer(() => others.stop());
  const trial = new Trial(server, callers, others, seededRandom(options.seed));
  let trials = 0;
  for (; trials < options.trials; trials += 1) {
    options.signal.throwIfAborted();
    if (options.timeIsUp?.() === true) break;
    if (trials % clearEvery === 0) await others.clear();
    await trial.run(trials);
    if ((trials + 1) % 100 === 0) options.progress(`${trials + 1} trials`);
  }
  return { seed: options.seed, trials, ...trial.figures, seconds: Math.round((performance.now() - startedMs) / 1_000) };
}

class Trial {
  readonly #server: RunningNetconf;
  readonly #callers: readonly DriverCaller[];
  readonly #others: Others;
  readonly #random: Random;
  readonly figures = {
    ...{ foreignCommitted: 0, halfApplied: 0, contradicted: 0 },
    outcomes: {} as Record<string, number>,
    cut: {} as Record<string, number>,
    foreign: {} as Record<string, number>,
    findings: [] as string[],
  };

  constructor(server: RunningNetconf, callers: readonly DriverCaller[], others: Others, random: Random) {
    this.#server = server;
    this.#callers = callers;
    this.#others = others;
    this.#random = random;
  }

  /** Every frame and every way to cut it in turn. The rest is random. */
  async run(number: number): Promise<void> {
    const places = Object.keys(frames) as Frame[];
    const frame = places[number % places.length] ?? 'edit';
    const drop = cuts[Math.floor(number / places.length) % cuts.length] ?? 'before';
    const act = this.#random.pick(foreignActs);
    const caller = this.#random.pick(this.#callers);
    const fault: DeviceFault = { on: 'any', matching: frames[frame], times: 1, drop };
    await this.#server.faults.set({ ...fault, ...(drop === 'late' ? { delayBeforeMs: lateMs } : {}) });
    const value = { mtu: 1_400, rate: String(number), prefix: ['a', 'b', 'c'], keepalive: { interval: 1, retries: 2 } };
    const args = { path: `/lab-vpn:vpn/tunnel[site='trial'][peer='n${number}']`, value, mark: 'description' };
    const id = newUuid();
    const [called] = await Promise.all([caller.call('entry.create', args, id), this.#others.act(act, number)]);
    // An unlock comes after the outcome, so the next call meets the remains of the session.
    await this.#server.faults.clear();
    const running = await this.#others.settled();
    this.#judge(number, `${frame} ${drop}, the other ${act}`, called, running, id);
    count(this.figures.cut, `${frame} ${drop}`);
    count(this.figures.foreign, act);
  }

  #judge(number: number, about: string, called: Called, running: string, id: string): void {
    const found = (what: string) => this.figures.findings.push(`trial ${number} (${about}): ${what}`);
    const state = called.state === 'NO_REPLY' ? `${called.failure.kind} ${called.failure.code}` : called.state;
    count(this.figures.outcomes, 'code' in called ? `${state} ${called.code}` : state);
    if (running.includes('never-')) {
      this.figures.foreignCommitted += 1;
      found('an edit of the other client is in the running configuration');
    }
    const [entry] = new RegExp(`<peer>n${number}</peer>.*?</tunnel>`, 's').exec(running) ?? [];
    const parts = [`tg:${id}`, '<mtu>1400</mtu>', `<rate>${number}</rate>`, '<prefix>a<', '<prefix>b<', '<prefix>c<'];
    const whole = [...parts, '<interval>1<', '<retries>2<'];
    if (entry !== undefined && !whole.every((part) => entry.includes(part))) {
      this.figures.halfApplied += 1;
      found(`a part of the entry: ${entry}`);
    }
    const isThere = entry !== undefined;
    const isKnown = called.state === 'SUCCEEDED' || called.state === 'FAILED' || state.startsWith('NOT_SENT');
    if (isKnown && isThere !== (called.state === 'SUCCEEDED')) {
      this.figures.contradicted += 1;
      found(`${state}, and the entry is ${isThere ? 'there' : 'not there'}: ${JSON.stringify(called)}`);
    }
  }
}

/** The other client, and an observer. */
class Others {
  readonly #server: RunningNetconf;
  #foreign: Ncclient;
  readonly #judge: Ncclient;

  private constructor(server: RunningNetconf, foreign: Ncclient, judge: Ncclient) {
    this.#server = server;
    this.#foreign = foreign;
    this.#judge = judge;
  }

  static async to(server: RunningNetconf): Promise<Others> {
    return new Others(server, await Ncclient.to(server), await Ncclient.to(server));
  }

  /** Refusals to the other client do not matter. */
  async act(act: (typeof foreignActs)[number], number: number): Promise<void> {
    switch (act) {
      case 'nothing':
        return;
      case 'leaves an edit':
      case 'leaves an edit and dies':
        await this.#foreign.ask('edit', { config: configOf(`<banner>never-${number}</banner>`) });
        if (act === 'leaves an edit') return;
        await this.#foreign.kill();
        this.#foreign = await Ncclient.to(this.#server);
        return;
      case 'commits its own': {
        if (!(await this.#foreign.ask('lock')).ok) return;
        await this.#foreign.ask('edit', { config: configOf(`<banner>own-${number}</banner>`) });
        await this.#foreign.ask('commit');
        await this.#foreign.ask('unlock');
      }
    }
  }

  /** The running configuration, once no session of the call holds its lock. */
  async settled(): Promise<string> {
    for (let tries = 0; tries < lockTries; tries += 1) {
      if ((await this.#judge.ask('lock')).ok) {
        const running = await this.#judge.done('read');
        await this.#judge.done('unlock');
        return running;
      }
      await this.#judge.ask('discard');
      await sleep(lockPauseMs);
    }
    throw new Error('the lock of a cut session was not given back');
  }

  async clear(): Promise<void> {
    await this.settled();
    await this.#judge.done('edit', { config: configOf('', ' nc:operation="remove"') });
    await this.#judge.done('commit');
  }

  async stop(): Promise<void> {
    await Promise.all([this.#foreign.kill(), this.#judge.kill()]);
  }
}

function configOf(inner: string, attributes = ''): string {
  const base = 'urn:ietf:params:xml:ns:netconf:base:1.0';
  return `<config xmlns="${base}" xmlns:nc="${base}"><vpn xmlns="${netconfModules['lab-vpn']}"${attributes}>${inner}</vpn></config>`;
}

function count(into: Record<string, number>, what: string): void {
  into[what] = (into[what] ?? 0) + 1;
}
