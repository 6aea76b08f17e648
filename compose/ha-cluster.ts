// The cluster of hosts for the graph, with the operations of "tidegate ha".
import type { Act, Change } from '../ha/agent/keys.ts';
import { Cluster, ClusterRefusal } from '../ha/cluster.ts';
import { type EtcdClient, EtcdError } from '../ha/etcd.ts';
import { etcdOf } from '../ha/host/cluster-client.ts';
import { hostFilePath, isComplete, isPresent } from '../ha/host/host-file.ts';
import type { ServedFile } from '../ha/host/served-file.ts';
import { movesOf } from '../ha/moves.ts';
import { haPromotedLossy } from '../platform/audit/ends.ts';
import { ConfigError, unusableFile } from '../platform/errors/config-error.ts';
import { CodedError, Refusal, refuse, type UserErrorCode, userError } from '../platform/errors/errors.ts';
import type { Config } from '../platform/process/config.ts';
import type { HaAct, HaCluster } from '../platform/process/ha-cluster.ts';
import type { Lifecycle } from '../platform/process/lifecycle.ts';
import type { FollowedHosts } from './ha-hosts.ts';
import { clusterFileIn } from './ha-settings.ts';

/** Undefined if there is none. Throws ConfigError. */
export async function openHaCluster(
  config: Config,
  lifecycle: Lifecycle,
  hosts?: FollowedHosts,
): Promise<HaCluster | undefined> {
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
  let current = clusterOf(file);
  await lifecycle.add('etcd', { stop: () => current.etcd.close() });
  hosts?.onChange((_config, changed) => {
    const before = current.etcd;
    current = clusterOf(changed);
    before.close();
  });
  return haCluster(() => current.cluster);
}

function clusterOf(file: ServedFile): { readonly etcd: EtcdClient; readonly cluster: Cluster } {
  const members = file.members.filter(isPresent);
  const etcd = etcdOf({ ...file, members });
  return { etcd, cluster: new Cluster(etcd, file.cluster, members) };
}

/** Maps codes of the cluster to the graph's, if they differ or a retry can help. */
const codes: Readonly<Record<string, readonly [UserErrorCode, number?]>> = {
  NOT_FOUND: ['NOT_FOUND'],
  NOT_IN_SYNC: ['NOT_IN_SYNC'],
  PAUSED: ['WRONG_STATE'],
  NOT_SET_UP: ['NOT_CONFIGURED'],
  NO_PRIMARY: ['UNAVAILABLE', 1_000],
  SILENT: ['UNAVAILABLE'],
  IN_PROGRESS: ['IN_PROGRESS', 1_000],
  CONFLICT: ['IN_PROGRESS', 1_000],
};

/** `present`: opens a cluster with its present hosts. */
export function haCluster(present: () => Cluster): HaCluster {
  return {
    status: () => read(present().status()),
    moves: async () => movesOf(await read(present().history())),
    async acts() {
      const [asked, { changes }] = await read(Promise.all([present().acts(), present().history()]));
      return [...asked.map(actOf), ...changes.flatMap(lossyActOf)];
    },
    auditHeads: () => read(present().auditHeads()),
    keepAuditHead: (head, replaced) => read(present().keepAuditHead(head, replaced)),
    async switchover(to) {
      const moves = movesOf(await wish(present().history()));
      const waiting = moves.find(
        (each) => each.state === 'PENDING' && each.kind === 'SWITCHOVER' && each.primary === to,
      );
      if (waiting !== undefined) return { moveId: waiting.id, isNew: false };
      try {
        return { moveId: (await present().switchover(to)).id, isNew: true };
      } catch (error) {
        // The last move has made it the primary.
        const last = moves.find(({ epoch }) => epoch !== null);
        if (error instanceof ClusterRefusal && error.code === 'ALREADY' && last?.primary === to)
          return { moveId: last.id, isNew: false };
        return refused(error);
      }
    },
    takeBackSwitchover: (moveId, why) => present().withdraw(why, moveId),
    async rejoin(name) {
      await present()
        .rejoin(name)
        .catch((error: unknown) => {
          if (error instanceof ClusterRefusal && error.code === 'NOT_FOUND')
            refuse('NOT_FOUND', error.message, { field: ['input', 'host'] });
          refused(error);
        });
    },
    pause: () => wish(present().pause()),
    resume: () => wish(present().resume()),
  };
}

function actOf({ id, action, user, host, at, details: { moveId, ...details } }: Act): HaAct {
  const act = { id, action, by: `${user}@${host}`, details: { ...details, host, at } };
  return moveId === undefined ? act : { ...act, moveId: String(moveId) };
}

/** The result of a wish is recorded as an act of the promoted host. */
function lossyActOf({ id: moveId, epoch, primary, previous, acceptedLoss, takenAt }: Change): HaAct[] {
  if (acceptedLoss === undefined) return [];
  const details = { epoch, host: primary, previous, acceptedLoss, at: takenAt };
  return [{ id: `lossy-${epoch}-${takenAt}`, moveId, action: haPromotedLossy, by: primary, details }];
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
