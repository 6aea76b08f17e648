// One of our name servers: the answerer, fed over a link by any conductor it reaches, and its reports. Without a conductor it
// answers with its current data, and reports the age.
import type { Answerer } from '../../../../dns/answerer/answerer.ts';
import type { Place } from '../../../../dns/answerer/net/listener.ts';
import { LinkClient } from '../../../../platform/link/link-client.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import type { MutualTls } from '../../../../platform/machines/tls.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import {
  conductorRole,
  type NameServerFacts,
  type NameServerState,
  stateEveryMs,
  stateKey,
} from '../../wire/dns-wire.ts';
import { linkSilentMs } from '../../wire/link-silence.ts';
import { Feed } from './feed.ts';

interface NameServerOptions {
  /** Closed with it. */
  readonly answerer: Answerer;
  readonly listen: readonly Place[];
  readonly name: string;
  readonly version: string;
  /** wss://HOST:PORT/link of the conductors. */
  readonly urls: readonly string[];
  readonly tls: MutualTls;
  readonly log: Logger;
}

interface NameServerFigures extends NameServerState {
  readonly connected: boolean;
  readonly counts: ReturnType<Answerer['stats']>['counts'];
}

/** Combines many changes of one moment into one report. */
const soonMs = 10;

export class NameServer {
  readonly #answerer: Answerer;
  readonly #feed: Feed;
  readonly #link: LinkClient;
  #each: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;

  constructor(options: NameServerOptions) {
    const { answerer, listen, name, version, urls, tls, log } = options;
    this.#answerer = answerer;
    const resend = (key: string) => this.#link.resend(key);
    this.#feed = new Feed({ answerer, log, resend, changed: () => this.#changed() });
    this.#link = new LinkClient({
      ...{ urls, tls, log, documents: this.#feed, role: conductorRole, silentMs: linkSilentMs },
      whole: () => {
        this.#feed.whole();
        if (this.#feed.isCurrent) answerer.heard();
        this.#changed();
      },
      facts: () => {
        const addresses = listen.map(({ address }, index) => ({ address, port: answerer.ports[index] ?? 0 }));
        const zones = Object.fromEntries(
          answerer.stats().zones.map(({ zone, position, serial }) => [zone, { position, serial }]),
        );
        const facts: NameServerFacts = { name, addresses, zones, version };
        return { ...facts };
      },
    });
  }

  start(): void {
    this.#link.start();
    this.#each = setInterval(() => this.#report(), stateEveryMs);
  }

  /** Answers received queries, and writes new data to disk. */
  async stop(): Promise<void> {
    clearInterval(this.#each);
    clearTimeout(this.#soon);
    await this.#link.stop();
    await this.#answerer.close();
  }

  /** Health in words. A lost conductor is no fault of this process, because it continues to answer. Throws when the disk accepts no zones. */
  async health(): Promise<string> {
    const { unsaved } = this.#answerer.stats();
    if (unsaved > 0) throw new Error(`the disk does not take ${unsaved} zones: a restart would bring older answers`);
    const { zones, heardAgoMs, connected } = this.figures();
    const age = heardAgoMs === null ? 'of unknown age' : `${Math.round(heardAgoMs / 1_000)} s old`;
    const link = connected ? 'connected' : 'not connected to the control plane';
    return `${Object.keys(zones).length} zones, ${age}, ${link}`;
  }

  figures(): NameServerFigures {
    const { counts, connections, heardAgoMs } = this.#answerer.stats();
    return {
      ...{ zones: this.#zones(), refused: this.#feed.refused(), queries: counts.queries, connections, counts },
      heardAgoMs: heardAgoMs ?? null,
      connected: this.#link.connected,
    };
  }

  #zones(): NameServerState['zones'] {
    return Object.fromEntries(this.#answerer.stats().zones.map(({ zone, position }) => [zone, position]));
  }

  #changed(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.#report();
    }, soonMs);
  }

  #report(): void {
    const { zones, refused, heardAgoMs, queries, connections } = this.figures();
    const state: NameServerState = { zones, refused, heardAgoMs, queries, connections };
    this.#link.report(stateKey, state as unknown as JsonObject);
  }
}
