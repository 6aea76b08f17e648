// The installation's own listeners, as far as this process's settings name them: its endpoint, its database, Redis and subgraphs.
// The egress policy denies these whatever is allowed. Names may resolve to new addresses, and a machine's own addresses change (a
// virtual IP), so both are looked up again regularly.
import dns from 'node:dns/promises';
import { isIP } from 'node:net';
import os from 'node:os';
import type { Logger } from '../log/log.ts';
import { Looped } from '../work/loop.ts';
import { atMost } from '../work/within.ts';
import { isInBlock, withoutMapping } from './address-block.ts';
import { KnownListeners } from './egress.ts';
import type { Address } from './origin.ts';

const resolveMs = 5_000;

export interface OwnPlace extends Address {
  /** This is the address used to connect: it may listen on other addresses of the same machine, too. */
  readonly mayBeWider?: boolean;
}

export class OwnPlaces extends Looped {
  readonly listeners = new KnownListeners();
  readonly #places: OwnPlace[] = [];
  /** The last addresses by name: kept while a name does not resolve. */
  readonly #resolved = new Map<string, readonly string[]>();

  /** `soonMs`: the interval while a name does not resolve. */
  constructor(log: Logger, { everyMs = 30_000, soonMs = 1_000 } = {}) {
    super({
      name: 'own listeners',
      log,
      pauseMs: () => (this.#names().every((name) => this.#resolved.has(name)) ? everyMs : soonMs),
      run: async () => {
        await this.refresh();
        return false;
      },
    });
  }

  /** Applies from now on. A port of 0 is ignored. */
  async add(...places: readonly OwnPlace[]): Promise<void> {
    this.#places.push(...places.filter(({ port }) => port !== 0));
    await this.refresh();
  }

  async refresh(): Promise<void> {
    await Promise.all(this.#names().map((name) => this.#resolve(name)));
    // Built from all places known by now, because another refresh may have ended in the meantime.
    const rules = this.#places.flatMap((place) => this.#blocksOf(place).map((block) => ruleOf(block, place.port)));
    this.listeners.replace([...new Set(rules)]);
  }

  #names(): readonly string[] {
    return [...new Set(this.#places.map(({ host }) => host).filter(isName))];
  }

  async #resolve(name: string): Promise<void> {
    // The part that needs a name reports that it does not resolve.
    const found = await atMost(resolveMs, dns.lookup(name, { all: true })).catch(() => undefined);
    if (found === undefined) return;
    this.#resolved.set(
      name,
      found.map(({ address }) => withoutZone(address)),
    );
  }

  #blocksOf({ host, mayBeWider = false }: OwnPlace): readonly string[] {
    if (isUnspecified(host)) return blocksOfMachine();
    const found = isName(host) ? (this.#resolved.get(host) ?? []) : [withoutZone(host)];
    return mayBeWider && found.some(isOfMachine) ? [...found, ...blocksOfMachine()] : found;
  }
}

function isUnspecified(host: string): boolean {
  return host === '' || /^[0:.]+$/.test(host);
}

function isName(host: string): boolean {
  return isIP(host) === 0 && !isUnspecified(host);
}

/** All of loopback belongs to the machine. */
function blocksOfMachine(): string[] {
  const all = Object.values(os.networkInterfaces()).flatMap((each) => each ?? []);
  return ['127.0.0.0/8', '::1', ...all.map(({ address }) => withoutZone(address))];
}

function isOfMachine(address: string): boolean {
  return blocksOfMachine().some((block) => isInBlock(withoutMapping(address), block));
}

function withoutZone(address: string): string {
  return address.split('%', 1)[0] ?? '';
}

function ruleOf(block: string, port: number): string {
  return block.includes(':') ? `[${block}]:${port}` : `${block}:${port}`;
}
