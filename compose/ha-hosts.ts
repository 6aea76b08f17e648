// Follows the hosts of the cluster while the process runs, because the database servers change when a host leaves or joins.

import { stat } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { isPresent } from '../ha/host/host-file.ts';
import { dataHosts, readServedFile, type ServedFile, servedFilePath } from '../ha/host/served-file.ts';
import type { Logger } from '../platform/log/log.ts';
import type { Config } from '../platform/process/config.ts';

const everyMs = 2_000;

type Hosts = NonNullable<Config['database.host']>;
/** `config`: with the present hosts. Database servers that a person has listed stay. */
type Listener = (config: Config, file: ServedFile) => void | Promise<void>;

export class FollowedHosts {
  readonly #config: Config;
  readonly #folder: string;
  /** Whether the cluster's hosts are the database servers, because a person has listed no others. */
  readonly areServers: boolean;
  readonly #log: Logger;
  readonly #listeners: Listener[] = [];
  #known: ServedFile;
  #readAtMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(config: Config, folder: string, known: ServedFile, log: Logger) {
    this.#config = config;
    this.#folder = folder;
    this.#known = known;
    this.areServers = isDeepStrictEqual(config['database.host'], hostsIn(known));
    this.#log = log;
  }

  /** Undefined if this is no host of a cluster. */
  static of(config: Config, log: Logger): FollowedHosts | undefined {
    const folder = config['ha.dataFolder'];
    if (folder === undefined) return undefined;
    try {
      return new FollowedHosts(config, folder, readServedFile(folder), log);
    } catch {
      // An agent of an earlier version does not keep it.
      return undefined;
    }
  }

  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, everyMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      const { mtimeMs } = await stat(servedFilePath(this.#folder));
      if (mtimeMs === this.#readAtMs) return;
      const file = readServedFile(this.#folder);
      this.#readAtMs = mtimeMs;
      const [now, before] = [file, this.#known].map(({ members, authority, certificate }) => ({
        ...{ members, authority, certificate },
      }));
      if (isDeepStrictEqual(now, before)) return;
      const haveSameHosts = isDeepStrictEqual(file.members, this.#known.members);
      this.#known = file;
      if (haveSameHosts) this.#log.info("this host's certificate for etcd was renewed");
      const names = file.members.filter(isPresent).map(({ name }) => name);
      if (!haveSameHosts) this.#log.warn({ hosts: names }, 'the hosts of the cluster have changed');
      const config = this.areServers ? { ...this.#config, 'database.host': hostsIn(file) } : this.#config;
      for (const each of this.#listeners) await each(config, file);
    } catch (error) {
      this.#log.warn({ err: error }, 'the list of hosts in the cluster was not refreshed');
    }
  }
}

/** The hosts in the form of the setting `database.host`. */
export function hostsIn(file: ServedFile): Hosts {
  return dataHosts(file).map(({ address }) => ({ host: address }));
}
