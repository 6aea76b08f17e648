// This host's member of etcd, if the host has a vote. The first three hosts start etcd together. A later one joins the running
// members once they know it. Nothing waits for that, because until then its agent uses their members.

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DataFolder } from '../../embedded/data-folder.ts';
import { type EtcdMember, type EtcdTls, startEtcd } from '../../embedded/etcd.ts';
import { pathExists } from '../../embedded/find-program.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { type Supervised, supervise } from '../../embedded/supervise.ts';
import { hostOf } from '../../platform/net/origin.ts';
import { etcdOf } from './cluster-client.ts';
import { type HostFile, isPresent, type Member, peerUrl, ports, presentVoters, voters } from './host-file.ts';

interface OwnVoteOptions {
  readonly folder: DataFolder;
  readonly cluster: string;
  readonly tls: EtcdTls;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

const againMs = 500;
/** The first hosts of the cluster have the numbers up to this one, because nobody leaves before etcd runs. */
const lastOfFirst = 3;

export class OwnVote {
  readonly #options: OwnVoteOptions;
  readonly #ending = new AbortController();
  #isBegun = false;
  #joining: Promise<void> = Promise.resolve();
  #etcd: Supervised<Awaited<ReturnType<typeof startEtcd>>> | undefined;

  constructor(options: OwnVoteOptions) {
    this.#options = options;
  }

  /** Starts the member, once, if the host has a vote. A host that joins a running cluster does not wait for the start. Throws SetupError. */
  async begin(file: HostFile): Promise<void> {
    const me = file.members.find(({ name }) => name === file.me);
    if (this.#isBegun || me === undefined || me.vote === false || !isPresent(me)) return;
    this.#isBegun = true;
    const isMember = await pathExists(join(this.#options.folder.path, 'etcd', 'data', 'member', 'wal'));
    if (isMember || me.serverId <= lastOfFirst) {
      this.#etcd = await this.#start(me, voters(file.members).map(memberOf), false);
      return;
    }
    this.#joining = this.#join(me, file);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#joining;
    await this.#etcd?.stop();
  }

  /** Resolves when the member has started. */
  async #join(me: Member, file: HostFile): Promise<void> {
    const { log } = this.#options;
    const signal = this.#signal;
    const others = { ...file, members: presentVoters(file.members).filter((each) => each !== me) };
    const etcd = etcdOf(others);
    try {
      for (let told = ''; !signal.aborted; await sleep(againMs, undefined, { signal }).catch(() => undefined)) {
        try {
          const members = await etcd.members();
          const own = members.find(({ peerUrls }) => peerUrls.includes(peerUrl(me)));
          if (own === undefined) continue;
          // Members are compared by their URLs.
          const listed = members.flatMap(({ id, peerUrls }) =>
            id === own.id ? [memberOf(me)] : peerUrls.map((url) => ({ ...memberOf(me), ...placeAt(url), name: id })),
          );
          this.#etcd = await this.#start(me, listed, true);
          log.info(`ha: ${me.name} is a member of etcd now.`);
          return;
        } catch (error) {
          if (!signal.aborted && String(error) !== told) log.warn(`ha: ${me.name} joins etcd: ${String(error)}`);
          told = String(error);
        }
      }
    } finally {
      etcd.close();
    }
  }

  #start({ name }: Member, members: readonly EtcdMember[], joinsLate: boolean) {
    const { folder, cluster, tls, log } = this.#options;
    return supervise(
      'etcd',
      (ending) =>
        startEtcd({
          ...{ folder, log, name, members, cluster, tls, joinsLate },
          signal: AbortSignal.any([this.#signal, ending]),
        }),
      { log },
    );
  }

  get #signal(): AbortSignal {
    return AbortSignal.any([this.#options.signal, this.#ending.signal]);
  }
}

function memberOf({ name, address }: Member): EtcdMember {
  return { name, address, clientPort: ports.etcd, peerPort: ports.etcdPeers };
}

function placeAt(url: string): Pick<EtcdMember, 'address' | 'peerPort'> {
  const found = new URL(url);
  return { address: hostOf(found), peerPort: Number(found.port) };
}
