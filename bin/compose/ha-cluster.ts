// The cluster of hosts, for the graph: the same that "tidegate ha" asks. Its list of hosts is the one that the agent on this host keeps.
import type { Act, Change } from '../../ha/agent/keys.ts';
import { Cluster, ClusterRefusal } from '../../ha/cluster.ts';
import { type EtcdClient, EtcdError } from '../../ha/etcd.ts';
import { etcdOf } from '../../ha/host/cluster-client.ts';
import { hostFilePath, isComplete } from '../../ha/host/host-file.ts';
import type { ServedFile } from '../../ha/host/served-file.ts';
import type { Config } from '../../platform/config.ts';
import { ConfigError, unusableFile } from '../../platform/config-error.ts';
import { CodedError, Refusal, refuse, type UserErrorCode, userError } from '../../platform/errors.ts';
import { type HaAct, type HaCluster, haPromotedLossy } from '../../platform/ha-cluster.ts';
import type { Lifecycle } from '../../platform/lifecycle.ts';
import { clusterFileIn } from './ha-settings.ts';

/** Undefined: there is none. Throws ConfigError. */
export async function openHaCluster(config: Config, lifecycle: Lifecycle): Promise<HaCluster | undefined> {
  const folder = config['ha.dataFolder'];
  if (folder === undefined) return undefined;
  const file = await clusterFileIn(folder).catch((error: unknown) => {
    throw new ConfigError([unusableFile(['ha.dataFolder'], hostFilePath(folder), error)]);
  });
  if (!isComplete(file))
    throw new ConfigError([
      {
        settings: ['ha.dataFolder'],
        wrong: 'not all hosts of the cluster have joined',
        given: folder,
        advice: 'join them first, or leave the setting out',
      },
    ]);
  const hosts = new FollowedHosts(folder, file);
  await lifecycle.add('etcd', { stop: () => hosts.close() });
  return haCluster(() => hosts.cluster());
}

/** Hosts leave and join: the file is read again with each question. */
class FollowedHosts {
  readonly #folder: string;
  /** All that were opened: questions to an earlier one may be under way. There is one for each change of the list. */
  readonly #clients: EtcdClient[] = [];
  #known: string;
  #cluster: Cluster;

  constructor(folder: string, file: ServedFile) {
    this.#folder = folder;
    this.#known = JSON.stringify(file.members);
    this.#cluster = this.#open(file);
  }

  async cluster(): Promise<Cluster> {
    // Without the file this host has left: what was known is all that is left.
    const file = await clusterFileIn(this.#folder).catch(() => undefined);
    const members = JSON.stringify(file?.members);
    if (file !== undefined && members !== this.#known) {
      this.#known = members;
      this.#cluster = this.#open(file);
    }
    return this.#cluster;
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }

  #open(file: ServedFile): Cluster {
    const client = etcdOf(file);
    this.#clients.push(client);
    return new Cluster(
      client,
      file.cluster,
      file.members.filter(({ left }) => left !== true),
    );
  }
}

/** The codes of the graph for those of the cluster, where they differ or a retry is of use. */
const codes: Readonly<Record<string, readonly [UserErrorCode, number?]>> = {
  NOT_FOUND: ['NOT_FOUND'],
  NOT_IN_SYNC: ['NOT_IN_SYNC'],
  PAUSED: ['WRONG_STATE'],
  NOT_SET_UP: ['NOT_CONFIGURED'],
  NO_PRIMARY: ['UNAVAILABLE', 1_000],
  IN_PROGRESS: ['IN_PROGRESS', 1_000],
  CONFLICT: ['IN_PROGRESS', 1_000],
};

/** `now`: as its hosts are now. */
export function haCluster(now: () => Promise<Cluster>): HaCluster {
  return {
    status: () => read(now().then((cluster) => cluster.status())),
    async changes() {
      const { changes, saved } = await read(now().then((cluster) => cluster.history()));
      return changes.toReversed().map(({ epoch, primary, previous, cause, takenAt, openedAfterMs, acceptedLoss }) => ({
        ...{ epoch, primary, previous, cause, at: new Date(takenAt), gapMs: openedAfterMs ?? null },
        acceptedLoss: acceptedLoss ?? null,
        leftBehind: saved.filter((each) => each.epoch === epoch),
      }));
    },
    async acts() {
      const cluster = await now();
      const [asked, { changes }] = await read(Promise.all([cluster.acts(), cluster.history()]));
      return [...asked.map(actOf), ...changes.flatMap(lossyActOf)];
    },
    auditHeads: () => read(now().then((cluster) => cluster.auditHeads())),
    keepAuditHead: (head, replaced) => read(now().then((cluster) => cluster.keepAuditHead(head, replaced))),
    async switchover(to) {
      const cluster = await now();
      const { switchoverTo } = await wish(cluster.status());
      if (switchoverTo === to) return false;
      try {
        await cluster.switchover(to);
        return true;
      } catch (error) {
        if (error instanceof ClusterRefusal && error.code === 'ALREADY') return false;
        return refused(error);
      }
    },
    async takeBackSwitchover(to) {
      const cluster = await now();
      const { switchoverTo } = await cluster.status();
      if (switchoverTo === to) await cluster.withdraw();
    },
    async rejoin(name) {
      const { hosts } = await wish(now().then((cluster) => cluster.status()));
      const host = hosts.find((each) => each.name === name && each.state !== 'WITNESS');
      if (host === undefined) return refuse('NOT_FOUND', `there is no data host ${name}`, { field: ['input', 'host'] });
      if (host.state === 'PRIMARY') return refuse('WRONG_STATE', `${name} is the primary`);
      if (host.state === 'SILENT')
        return refuse(
          'UNAVAILABLE',
          `the agent of ${name} says nothing: start "tidegate ha agent" there, and it returns by itself`,
        );
    },
    pause: () => wish(now().then((cluster) => cluster.pause())),
    resume: () => wish(now().then((cluster) => cluster.resume())),
  };
}

function actOf({ id, action, user, host, at, details }: Act): HaAct {
  return { id, action, by: `${user}@${host}`, details: { ...details, host, at } };
}

/** What came of a wish is an act of the host that was promoted. */
function lossyActOf({ epoch, primary, previous, acceptedLoss, takenAt }: Change): HaAct[] {
  if (acceptedLoss === undefined) return [];
  const details = { epoch, host: primary, previous, acceptedLoss, at: takenAt };
  return [{ id: `lossy-${epoch}-${takenAt}`, action: haPromotedLossy, by: primary, details }];
}

async function read<Value>(asked: Promise<Value>): Promise<Value> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof EtcdError) throw new CodedError('UNAVAILABLE', noMajority, {}, error);
    if (error instanceof ClusterRefusal) throw new CodedError('NOT_CONFIGURED', error.message, {}, error);
    throw error;
  }
}

async function wish<Value>(asked: Promise<Value>): Promise<Value> {
  return asked.catch((error: unknown) => refused(error));
}

function refused(error: unknown): never {
  if (error instanceof EtcdError) throw new Refusal([userError('UNAVAILABLE', noMajority, { retryAfterMs: 1_000 })]);
  if (!(error instanceof ClusterRefusal)) throw error;
  const [code, retryAfterMs] = codes[error.code] ?? ['WRONG_STATE'];
  refuse(code, error.message, retryAfterMs === undefined ? {} : { retryAfterMs });
}

const noMajority = 'no majority of the hosts answers, so there are no writes either';
