// Copies of the primary's data. This host offers them to others, and fetches one to replace its own data.

import type { SetupLog } from '../../../embedded/setup-log.ts';
import type { CopyTls } from '../copy.ts';
import { CopyServer, type CopyServerOptions } from '../copy-server.ts';
import { fetchCopy } from '../fetch-copy.ts';
import type { HaHistory } from '../history.ts';
import type { HaServer } from '../server.ts';

export interface CopySettings {
  readonly tls: CopyTls;
  /** Port of each host. */
  readonly ports: Readonly<Record<string, number>>;
  readonly mostBytesPerSecond?: number;
  /** Default: every host with a certificate of the authority gets one. */
  readonly mayAsk?: CopyServerOptions['mayAsk'];
}

export interface CopiesOptions {
  /** Undefined if a person makes the copies. */
  readonly settings: CopySettings | undefined;
  readonly me: string;
  readonly hosts: Readonly<Record<string, { readonly address: string }>>;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
  readonly nowMs: () => number;
  readonly server: Pick<HaServer, 'copySource' | 'replaceData'>;
  readonly history: Pick<HaHistory, 'save'>;
  /** Called once the copy is the data of this host. */
  readonly onReplaced?: () => void;
  /** Default: over HTTPS from that host. */
  readonly fetchFrom?: typeof fetchCopy;
}

/** After the first failure. Each further one in a row doubles it, because a copy is work for the primary too. */
const firstPauseMs = 5_000;
const longestPauseMs = 300_000;
const usualBytesPerSecond = 100 * 1024 * 1024;

export class Copies {
  readonly #options: CopiesOptions;
  #tls: CopyTls | undefined;
  #giving: CopyServer | undefined;
  #fetching: Promise<void> | undefined;
  #share = 0;
  #beginsAtMs = Number.NEGATIVE_INFINITY;
  #failed = 0;
  #failure: string | undefined;

  constructor(options: CopiesOptions) {
    this.#options = options;
    this.#tls = options.settings?.tls;
  }

  /** The certificate for new connections. */
  use(tls: CopyTls): void {
    this.#tls = tls;
    this.#giving?.use(tls);
  }

  /** The received share, 0 to 1, of the copy in progress. 0 if there is none. */
  get share(): number {
    return this.#share;
  }

  /** Why the last copy failed, and when the next one begins. Undefined while one is in progress. */
  get failure(): string | undefined {
    return this.#fetching === undefined ? this.#failure : undefined;
  }

  /** Other hosts get copies from now on. */
  async give(): Promise<void> {
    const { settings, log, server, me } = this.#options;
    const place = this.#place(me);
    if (settings === undefined || place === undefined || this.#tls === undefined) return;
    this.#giving = await CopyServer.start({
      ...{ ...place, log, tls: this.#tls },
      mostBytesPerSecond: settings.mostBytesPerSecond ?? usualBytesPerSecond,
      source: () => server.copySource(),
      mayAsk: settings.mayAsk,
    });
  }

  /** Begins to fetch a copy from that host. The agent's steps continue during the copy. One copy at a time. */
  begin(from: string): void {
    const { nowMs } = this.#options;
    const [place, tls] = [this.#place(from), this.#tls];
    if (tls === undefined || place === undefined || this.#fetching !== undefined) return;
    if (nowMs() < this.#beginsAtMs) return;
    this.#fetching = this.#replaceData(from, { ...place, tls })
      .then(
        () => this.#ended(undefined),
        (error: unknown) => this.#ended(error),
      )
      .finally(() => {
        this.#fetching = undefined;
        this.#share = 0;
      });
  }

  #ended(error: unknown): void {
    this.#failed = error === undefined ? 0 : this.#failed + 1;
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.max(0, this.#failed - 1));
    this.#beginsAtMs = this.#options.nowMs() + pauseMs;
    this.#failure = undefined;
    if (error === undefined) return;
    const why = error instanceof Error ? error.message : String(error);
    this.#failure = `no copy was made, and one is tried again in ${pauseMs / 1_000} s: ${why}`;
    this.#options.log.warn(`ha: ${this.#failure}`);
  }

  /** Called after the signal has aborted, which ends the copy in progress. */
  async stop(): Promise<void> {
    await this.#fetching;
    await this.#giving?.stop();
  }

  async #replaceData(from: string, source: { address: string; port: number; tls: CopyTls }): Promise<void> {
    const { log, signal, server, history, onReplaced, fetchFrom = fetchCopy } = this.#options;
    await history.save();
    const onProgress = (share: number): void => {
      this.#share = share;
    };
    await server.replaceData((place) => fetchFrom({ ...place, ...source, log, signal, onProgress }));
    onReplaced?.();
    log.info(`ha: the data is a copy of ${from}'s`);
  }

  /** Undefined if that host offers no copies. */
  #place(host: string): { readonly address: string; readonly port: number } | undefined {
    const { settings, hosts } = this.#options;
    const [address, port] = [hosts[host]?.address, settings?.ports[host]];
    return address === undefined || port === undefined ? undefined : { address, port };
  }
}
