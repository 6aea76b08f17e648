// A checker with simulated probes. The link's client, with mutual TLS, and the reporter are real. A target is UP until the benchmark
// declares it dead.
import { setImmediate } from 'node:timers/promises';
import { answerParent } from '../../measure/child.ts';
import { LinkClient } from '../../platform/link/link-client.ts';
import { createLogger } from '../../platform/log/log.ts';
import { Peers } from '../../platform/machines/peers.ts';
import type { JsonValue } from '../../platform/values/json.ts';
import { Reporter } from '../../subgraphs/gslb/agents/checker/reporter.ts';
import {
  batchKey,
  grantDocument,
  grantKey,
  stampChange,
  stampKey,
  targetDocument,
  targetId,
  targetOfKey,
} from '../../subgraphs/gslb/wire/checker-wire.ts';
import { idOf, membersOfPool } from './data-set.ts';

export interface SimulatedMachine {
  readonly vantagePoint: string;
  readonly url: string;
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface CheckerQuestion {
  readonly start?: SimulatedMachine;
  /** The first members of the pools from one number up to another. */
  readonly see?: { readonly monitorId: string; readonly from: number; readonly to: number; readonly up: boolean };
}

export interface CheckerFigures {
  readonly vantagePoint: string;
  readonly targets: number;
  /** Targets that it has gained since its start. */
  readonly came: number;
  readonly connections: number;
  /** Whether everything that it observes has been acknowledged. */
  readonly isHeard: boolean;
}

/** The same latency as for the template's members, so that none is new. */
const latencyMs = 12;
const log = createLogger({ level: process.env.SCALE_LOG ?? 'error', pretty: false });

class SimulatedChecker {
  readonly #machine: SimulatedMachine;
  readonly #reporter = new Reporter();
  readonly #link: LinkClient;
  #timer: NodeJS.Timeout | undefined;
  #figures = { came: 0, connections: 0 };
  /** The connection on which each target was last sent. */
  readonly #named = new Map<string, number>();
  #granted = false;

  constructor(machine: SimulatedMachine) {
    this.#machine = machine;
    const { url, cert, key, ca } = machine;
    this.#link = new LinkClient({
      ...{ urls: [url], tls: { cert, key, ca, peers: new Peers(log) }, log, role: 'gslb' },
      documents: {
        held: () => new Map(),
        put: async (name, _, document) => this.#put(name, document),
        change: async (name, change) => {
          if (name === stampKey) this.#reporter.stamp(stampChange.parse(change).stampMs);
          return name === stampKey;
        },
        remove: async (name) => this.#forget(targetOfKey(name) ?? ''),
      },
      whole: () => {
        for (const [id, connection] of this.#named) if (connection < this.#figures.connections) this.#forget(id);
      },
      facts: () => {
        this.#link.withdraw(batchKey);
        this.#reporter.disconnected();
        this.#granted = false;
        this.#figures.connections += 1;
        return { vantagePoint: machine.vantagePoint, version: '1', plugins: ['TCP'] };
      },
      stored: () => {
        this.#reporter.acknowledged(performance.now());
        this.#say();
      },
    });
    this.#link.start();
  }

  get figures(): CheckerFigures {
    const isHeard = this.#granted && this.#reporter.waiting === 0 && this.#reporter.dueAtMs() !== undefined;
    return { ...this.#figures, targets: this.#named.size, vantagePoint: this.#machine.vantagePoint, isHeard };
  }

  see(target: string, up: boolean): void {
    if (this.#reporter.verdictOf(target) !== undefined) this.#note(target, up);
  }

  say(): void {
    this.#say();
  }

  #put(name: string, document: JsonValue): void {
    if (name === grantKey) {
      this.#granted = true;
      if (this.#reporter.grant(grantDocument.parse(document))) this.#say();
      return;
    }
    const id = targetId(targetDocument.parse(document));
    if (!this.#named.has(id)) {
      this.#figures.came += 1;
      this.#note(id, !dead.has(id));
    }
    this.#named.set(id, this.#figures.connections);
  }

  #forget(id: string): void {
    this.#named.delete(id);
    this.#reporter.forget(id);
  }

  #note(target: string, up: boolean): void {
    this.#reporter.note({
      ...{ target, verdict: up ? 'UP' : 'DOWN', sinceMs: performance.now() },
      ...{ latencyMs: up ? latencyMs : null, message: up ? null : 'connect ECONNREFUSED 192.0.2.1:80' },
    });
  }

  #say(): void {
    clearTimeout(this.#timer);
    if (!this.#link.connected) return;
    const now = performance.now();
    const batch = this.#reporter.next(now, { targets: this.#named.size, lateMs: 3, abstains: null });
    if (batch !== undefined) this.#link.report(batchKey, batch as unknown as JsonValue);
    const dueAtMs = this.#reporter.dueAtMs();
    if (dueAtMs !== undefined) this.#timer = setTimeout(() => this.#say(), Math.max(1, dueAtMs - now));
  }
}

const poolsAtOnce = 500;
let checker: SimulatedChecker | undefined;
/** Dead targets of all checkers, because targets may have moved to another checker since. */
const dead = new Set<string>();

answerParent(async ({ start, see }: CheckerQuestion): Promise<CheckerFigures> => {
  if (start !== undefined) checker = new SimulatedChecker(start);
  if (checker === undefined) throw new Error('no checker was started here');
  if (see !== undefined) {
    for (let pool = see.from; pool < see.to; pool += 1) {
      // Heartbeats continue in the meantime.
      if (pool % poolsAtOnce === 0) await setImmediate();
      const target = targetId({ member: idOf('member', pool * membersOfPool), monitor: see.monitorId });
      if (see.up) dead.delete(target);
      else dead.add(target);
      checker.see(target, see.up);
    }
    checker.say();
  }
  return checker.figures;
});
