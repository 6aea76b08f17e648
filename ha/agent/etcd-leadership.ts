// A newly elected leader of etcd renews every lease to its full length. So if the leader were on the primary's host, the loss of that host would
// extend the lead. Therefore another host's member leads, preferably the witness's.

import { setTimeout as sleep } from 'node:timers/promises';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { hostOf } from '../../platform/net/origin.ts';
import type { EtcdClient } from '../etcd.ts';

interface EtcdLeadershipOptions {
  readonly etcd: EtcdClient;
  readonly log: SetupLog;
  readonly me: string;
  readonly hosts: Readonly<Record<string, { readonly address: string }>>;
  readonly isPrimary: () => boolean;
  readonly signal: AbortSignal;
}

const everyMs = 2_000;

export async function keepEtcdLeadershipAway(options: EtcdLeadershipOptions): Promise<void> {
  const { isPrimary, signal } = options;
  while (!signal.aborted) {
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
    if (isPrimary() && !signal.aborted) await moveLeadershipAway(options);
  }
}

async function moveLeadershipAway({ etcd, log, me, hosts }: EtcdLeadershipOptions): Promise<void> {
  const placeOf = (url: string) => Object.keys(hosts).find((host) => hosts[host]?.address === hostOf(new URL(url)));
  const members = await etcd.status();
  const leading = members.find(({ memberId, leaderId }) => memberId === leaderId);
  if (leading === undefined || placeOf(leading.url) !== me) return;
  const others = members.filter((each) => each !== leading && !each.isLearner);
  const next = others.find(({ url }) => placeOf(url) === undefined) ?? others[0];
  if (next === undefined) return;
  await etcd.moveLeader(next.memberId).then(
    () => log.info(`etcd is led from ${next.url}`),
    (error: unknown) => log.debug(String(error)),
  );
}
