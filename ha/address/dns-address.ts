// An address by name, for sites without a common network: the host that takes writes publishes its own address at a name, by RFC 2136. The
// fence record beside the name (docs/decisions/0054) contains the epoch as its generation, so a former primary can't restore its address.

import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DnsError } from '../../dns/servers/dns-error.ts';
import { Rfc2136Server } from '../../dns/servers/rfc2136-server.ts';
import type { ServerPlace } from '../../dns/servers/transport.ts';
import type { TsigKey } from '../../dns/wire/tsig.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { WhilePrimary } from '../announcer.ts';

export interface DnsName {
  /** Without a trailing dot, like the zone. */
  readonly name: string;
  readonly zone: string;
  /** The name servers. Each one gets every update. */
  readonly servers: readonly ServerPlace[];
  readonly key: TsigKey;
  /** Address at which clients reach this host. */
  readonly address: string;
}

export interface DnsAddressOptions extends DnsName {
  /** UUID. */
  readonly cluster: string;
  readonly me: string;
  readonly log: SetupLog;
  /** Pause between two tries. Default 500. */
  readonly retryMs?: number;
}

const ttlSeconds = 1;
const answerMs = 1_000;
const usualRetryMs = 500;
/** Interval for correcting changes by others at the name. */
const lookEveryMs = 30_000;

/** When the lead is lost, the name keeps its address until the next primary changes it. */
export class DnsAddress extends WhilePrimary {
  readonly #options: DnsAddressOptions;
  readonly #servers: readonly Rfc2136Server[];

  constructor(options: DnsAddressOptions) {
    super((epoch, signal, earlier) =>
      Promise.all([earlier, ...this.#servers.map((server) => this.#keep(server, epoch, signal))]),
    );
    const { servers, key } = options;
    this.#options = options;
    this.#servers = servers.map((place) => new Rfc2136Server({ place, key, timeoutMs: answerMs }));
  }

  /** Runs until the signal aborts. */
  async #keep(server: Rfc2136Server, epoch: number, signal: AbortSignal): Promise<void> {
    const { name, address, log, retryMs = usualRetryMs } = this.#options;
    let told = '';
    const tell = (text: string, level: 'info' | 'warn') => {
      if (text !== told) log[level](`ha: ${text}`);
      told = text;
    };
    while (!signal.aborted) {
      let pauseMs = retryMs;
      try {
        const { state } = await this.#publish(server, epoch, signal);
        pauseMs = lookEveryMs;
        if (state === 'PUBLISHED') tell(`${name} is ${address} at ${server.name}`, 'info');
        else tell(`${name} is a newer primary's at ${server.name}, and stays`, 'warn');
      } catch (error) {
        if (signal.aborted) return;
        const code = error instanceof DnsError ? `${error.code}: ` : '';
        tell(`${name} is not ${address} at ${server.name} yet: ${code}${String((error as Error).message)}`, 'warn');
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #publish(server: Rfc2136Server, epoch: number, signal: AbortSignal) {
    const { name, zone, address, cluster, me } = this.#options;
    const records = [{ type: isIPv6(address) ? ('AAAA' as const) : ('A' as const), value: address }];
    return server.publish(
      {
        ...{ name, zone, records, ttlSeconds, earlierRecords: [] },
        ...{ writer: cluster, owner: `ha/${me}`, generation: epoch, readAtMs: Date.now() },
      },
      signal,
    );
  }
}
