// The trial's own record of its wishes: pools, members, policies, listeners. The expected outcome of each request follows from it.
import type { CertificateAndKey } from '../../platform/net/certificates.ts';
import { type Effect, then } from './changes.ts';
import { type Names, type Outcome, type Pool, type Route, type Serves, Timeline } from './expectations.ts';
import { serverNames } from './shared.ts';

/** A member of a pool. */
export class MemberState {
  /** UUID. Empty until known. */
  id = '';
  /** Number of the server. */
  readonly server: number;
  weight: number;
  enabled = true;
  /** Undefined if it is not drained. */
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

  /** Whether all nodes have found it healthy, so that it may be the only one. */
  get isReady(): boolean {
    return this.serves === 'ALL' && this.#isHealthy;
  }

  /** The wish that it should answer, while the wish is in effect but the member's health is unknown. */
  get awaited(): number | undefined {
    return this.serves === 'ALL' && this.#isInEffect && !this.#isHealthy ? this.#wishes : undefined;
  }

  /** A change that lets it answer after its first check. */
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
  /** Without this rule no request matches. */
  mainRuleId: string | undefined;
  extra: RuleState | undefined;
}

interface RuleState {
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
  /** TERMINATED_HTTPS: in order. */
  certificates: CertificateState[];
  readonly names: Names;
}

/** An object of the graph, which may be on several listeners. */
export interface CertificateState {
  readonly id: string;
  readonly name: string;
  pair: CertificateAndKey;
}

/** The load balancer passes the bytes on without decrypting them. */
export function isStream({ protocol }: Pick<ListenerState | PoolState, 'protocol'>): boolean {
  return protocol === 'TCP' || protocol === 'HTTPS';
}

/** No client has sent a request to any member yet. */
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

/** Undefined if the policy does not match. */
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

/** The certificate that a client gets for a name: the one with that name, otherwise the first one. */
export function certificateFor(certificates: readonly CertificateState[], name: string): string {
  return (certificates.find((each) => each.name === name) ?? certificates[0])?.pair.sha256 ?? '';
}

/** Empty without certificates. The load balancer does not terminate TLS then. */
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
