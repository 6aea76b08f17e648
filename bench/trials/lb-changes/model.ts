// What the trial has asked for, as it remembers it: pools, members, policies, listeners. From it follows what is to come of each request.
import type { CertificateAndKey } from '../../../platform/net/certificates.ts';
import { type Effect, then } from './changes.ts';
import { type Names, type Outcome, type Pool, type Route, type Serves, Timeline } from './expectations.ts';
import { serverNames } from './shared.ts';

/** A member of a pool. */
export class MemberState {
  /** UUID; empty until it is known. */
  id = '';
  /** Number of the server. */
  readonly server: number;
  weight: number;
  enabled = true;
  /** Undefined: it is not drained. */
  drainUntil: Date | undefined;
  #wishes = 0;
  #isInEffect = false;
  #isHealthy = false;

  constructor(server: number, weight: number) {
    this.server = server;
    this.weight = weight;
  }

  get serves(): Serves {
    if (!this.enabled) return 'NOBODY';
    return this.weight > 0 && this.drainUntil === undefined ? 'ALL' : 'ITS_OWN';
  }

  /** All nodes have found it healthy, so that it may be the only one. */
  get isReady(): boolean {
    return this.serves === 'ALL' && this.#isHealthy;
  }

  /** The wish that it answers, while that is in effect and it is not known whether it is healthy. */
  get awaited(): number | undefined {
    return this.serves === 'ALL' && this.#isInEffect && !this.#isHealthy ? this.#wishes : undefined;
  }

  /** A change that makes it answer, once its first check is over. */
  becomesReady(): Effect {
    this.#wishes += 1;
    const wish = this.#wishes;
    [this.#isInEffect, this.#isHealthy] = [false, false];
    return then(() => {
      if (this.#wishes === wish) this.#isInEffect = true;
    });
  }

  foundHealthy(): void {
    this.#isHealthy = true;
  }
}

export interface PoolState {
  readonly id: string;
  readonly protocol: 'HTTP' | 'HTTP2' | 'TCP';
  readonly expected: Pool;
  readonly members: Map<number, MemberState>;
  monitorId: string | undefined;
}

export interface PolicyState {
  readonly id: string;
  action: 'REJECT' | 'REDIRECT_TO_URL' | 'REDIRECT_TO_POOL';
  pool: PoolState | undefined;
  enabled: boolean;
  /** Without it nothing matches. */
  mainRuleId: string | undefined;
  extra: RuleState | undefined;
}

export interface RuleState {
  readonly id: string;
  matches: (path: string) => boolean;
}

export interface ListenerState {
  id: string;
  port: number;
  readonly protocol: 'HTTP' | 'TERMINATED_HTTPS' | 'TCP' | 'HTTPS';
  pool: PoolState;
  enabled: boolean;
  allowsOutsiders: boolean;
  allowed: readonly string[];
  /** TERMINATED_HTTPS: in their order. */
  certificates: CertificateState[];
  readonly names: Names;
}

/** An object of the graph; the same may be on several listeners. */
export interface CertificateState {
  readonly id: string;
  readonly name: string;
  pair: CertificateAndKey;
}

/** The load balancer passes on what comes, unopened. */
export function isStream({ protocol }: Pick<ListenerState | PoolState, 'protocol'>): boolean {
  return protocol === 'TCP' || protocol === 'HTTPS';
}

/** Nobody has asked for any member yet. */
export function newExpected(name: string, isSticky: boolean): Pool {
  return { name, members: new Map(), sticky: new Timeline(isSticky) };
}

export function readyMembers({ members }: PoolState): readonly MemberState[] {
  return [...members.values()].filter(({ isReady }) => isReady);
}

export function isReady(pool: PoolState): boolean {
  return readyMembers(pool).length > 0;
}

export function membership({ expected }: PoolState, server: number): Timeline<Serves> {
  const timeline = expected.members.get(server) ?? new Timeline<Serves>('NOBODY');
  expected.members.set(server, timeline);
  return timeline;
}

/** Undefined: the policy does not match. */
export function outcomeOf(policy: PolicyState | undefined, path: string): Outcome | undefined {
  if (policy === undefined || !policy.enabled || policy.mainRuleId === undefined) return undefined;
  if (policy.extra !== undefined && !policy.extra.matches(path)) return undefined;
  switch (policy.action) {
    case 'REJECT':
      return 'DENIED';
    case 'REDIRECT_TO_URL':
      return 'REDIRECTED';
    default:
      return policy.pool === undefined ? undefined : { pool: policy.pool.expected };
  }
}

export function sameOutcome(one: Outcome, other: Outcome): boolean {
  return one === other || (typeof one === 'object' && typeof other === 'object' && one.pool === other.pool);
}

/** The certificate that a client gets for a name: the one of that name, else the first. */
export function certificateFor(certificates: readonly CertificateState[], name: string): string {
  return (certificates.find((each) => each.name === name) ?? certificates[0])?.pair.sha256 ?? '';
}

/** Empty without certificates: the load balancer ends no TLS. */
export function namesOf(certificates: readonly CertificateState[]): Names {
  return certificates.length === 0 ? new Map() : namesWith((name) => certificateFor(certificates, name));
}

/** `certificate`: SHA-256, hex, for each name. */
export function namesWith(certificate: (name: string) => string): Names {
  return new Map(serverNames.map((name) => [name, new Timeline(certificate(name))]));
}

export class Routes {
  readonly all: Route[] = [];

  add(name: string, outcome: Outcome): number {
    this.all.push({ name, outcome: new Timeline(outcome) });
    return this.all.length - 1;
  }

  of(id: number): Route {
    const route = this.all[id];
    if (route === undefined) throw new Error(`there is no route ${id}`);
    return route;
  }
}
