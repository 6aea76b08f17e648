// People's wishes for a move of the primary. The hosts keep a bounded number of refused ones, for the history of moves.

import type { Change, EtcdClient } from '../etcd.ts';
import {
  type HaKeys,
  keptUngranted,
  lossyValue,
  switchoverValue,
  type UngrantedWish,
  ungrantedValue,
  type Wish,
} from './keys.ts';

/** The number is limited, because a transaction allows only a limited number of changes. */
const mostRemoved = 20;

/** `acceptedLoss`: undefined for a switchover. */
export interface PendingWish extends Wish {
  readonly key: string;
  readonly revision: number;
  readonly acceptedLoss: number | undefined;
}

type Store = { readonly etcd: EtcdClient; readonly keys: HaKeys };

/** Pending wishes: at most one of each kind. */
export async function readWishes(etcd: EtcdClient, keys: HaKeys): Promise<readonly PendingWish[]> {
  const [switchovers, losses] = await Promise.all([etcd.get(keys.switchover), etcd.get(keys.lossy)]);
  return [
    ...switchovers.entries.map(({ key, value, revision }) => ({
      ...{ ...switchoverValue.parse(JSON.parse(value)), key, revision, acceptedLoss: undefined },
    })),
    ...losses.entries.map(({ key, value, revision }) => ({ ...lossyValue.parse(JSON.parse(value)), key, revision })),
  ];
}

/** Part of the transaction that removes these wishes. Deletes the oldest records beyond the limit. */
export async function ungrantedOf(
  { etcd, keys }: Store,
  wishes: readonly PendingWish[],
  why: string,
): Promise<readonly Change[]> {
  if (wishes.length === 0) return [];
  const { entries } = await etcd.get(keys.ungranted, 2 * keptUngranted);
  const old = entries.slice(0, Math.max(0, entries.length + wishes.length - keptUngranted)).slice(0, mostRemoved);
  const endedAt = new Date().toISOString();
  return [
    ...wishes.map(({ id, to, from, askedAt, acceptedLoss }) => {
      const ended: UngrantedWish = { ...{ id, to, from, askedAt, endedAt, why }, acceptedLoss };
      return { put: keys.ungrantedWish(ended), value: JSON.stringify(ended) };
    }),
    ...old.map(({ key }) => ({ delete: key })),
  ];
}

export async function readUngranted({ etcd, keys }: Store): Promise<readonly UngrantedWish[]> {
  const { entries } = await etcd.get(keys.ungranted, 2 * keptUngranted);
  return entries.map(({ value }) => ungrantedValue.parse(JSON.parse(value)));
}
