// The name server of a cluster. Only the host that accepts writes runs it, so that no answer is outdated. It begins empty with each new
// primary, and the workers fill it from the database (dns/publish/data-host-servers.ts).

import { hkdfSync } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataFolder } from '../../embedded/data-folder.ts';
import {
  emptyPowerdns,
  findPowerdns,
  type PowerdnsKey,
  powerdnsKeyText,
  startPowerdns,
} from '../../embedded/powerdns.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { supervise } from '../../embedded/supervise.ts';
import { writeWhole } from '../../platform/secrets/key-file.ts';
import { WhilePrimary } from '../announcer.ts';

export interface NameServerPlan {
  readonly port: number;
  readonly zones: readonly string[];
}

export interface NameServerOptions extends NameServerPlan {
  readonly folder: DataFolder;
  /** Addresses of this host. If there is a virtual address, it comes second. */
  readonly addresses: readonly [string, ...string[]];
  /** Addresses of the data hosts, whose workers publish names. */
  readonly publishers: () => readonly string[];
  readonly key: PowerdnsKey;
  readonly log: SetupLog;
  /** Pause between two attempts to start it. Default 1000. */
  readonly retryMs?: number;
}

const usualRetryMs = 1_000;

export class NameServer extends WhilePrimary {
  readonly #options: NameServerOptions;

  private constructor(options: NameServerOptions) {
    super((epoch, signal, earlier) => earlier.then(() => this.#run(epoch, signal)));
    this.#options = options;
  }

  /** Does not start the server yet. Problems that would prevent a start are reported now, not when this host is promoted. */
  static async open(options: NameServerOptions): Promise<NameServer> {
    await findPowerdns().catch((error: Error) =>
      options.log.error(`ha: this host can't be a name server: ${error.message}`),
    );
    return new NameServer(options);
  }

  /** Runs until the signal aborts. Never rejects. */
  async #run(epoch: number, signal: AbortSignal): Promise<void> {
    const { log, port, addresses, retryMs = usualRetryMs } = this.#options;
    let isTold = false;
    while (!signal.aborted) {
      try {
        await this.#emptyOnce(epoch);
        const start = (ending: AbortSignal) => this.#start(AbortSignal.any([signal, ending]));
        const server = await supervise('PowerDNS', start, { log });
        log.info(`ha: names are answered at ${addresses.join(' and ')}, port ${port}`);
        if (!signal.aborted) await once(signal, 'abort');
        return await server.stop();
      } catch (error) {
        // The text of the server differs each time.
        if (!signal.aborted) log[isTold ? 'debug' : 'error'](`ha: names are not answered: ${(error as Error).message}`);
        isTold = true;
      }
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #start(signal: AbortSignal) {
    const { folder, log, port, zones, key, publishers, addresses } = this.#options;
    const [address, ...otherAddresses] = addresses;
    return startPowerdns({
      ...{ folder, log, port, zones, key, address, otherAddresses, signal },
      updatesFrom: [...publishers()],
    });
  }

  /** Empties the server, because data from an earlier term as primary is outdated. An agent that restarts during the term does not empty it. */
  async #emptyOnce(epoch: number): Promise<void> {
    const { folder } = this.#options;
    const path = join(folder.path, 'ha', 'name-server-epoch');
    const text = `${epoch}\n`;
    if ((await readFile(path, 'utf8').catch(() => '')) === text) return;
    await emptyPowerdns(folder);
    await writeWhole(path, text);
  }
}

/** The same on all hosts of the cluster, because each host publishes at the others. */
export function nameServerKey({
  cluster,
  accounts,
}: {
  readonly cluster: string;
  readonly accounts: { readonly replicationPassword: string };
}): {
  readonly secret: string;
  readonly text: string;
} {
  const derived = hkdfSync('sha256', accounts.replicationPassword, cluster, 'tidegate name servers', 32);
  const secret = Buffer.from(derived).toString('base64');
  return { secret, text: powerdnsKeyText(secret) };
}
