// The votes in etcd: three hosts, according to the list of hosts. When one of them leaves, another data host gets its vote. First the list changes,
// then etcd, one member at a time: the new member learns, then votes, and only then the former one is removed. So the change never needs a majority
// of fewer hosts than before, and after a crash any host can continue. A silent former member is removed first, because etcd accepts no new member
// while one is silent.

import type { z } from 'zod';
import { type HaKeys, leaderValue, reportValue } from '../agent/keys.ts';
import type { EtcdClient, EtcdSnapshot } from '../etcd.ts';
import { isPresent, type Member, memberList, peerUrl, presentVoters } from './host-file.ts';

/** Number of voters in etcd. Two of them are a majority. */
const wantedVotes = 3;
const mostKeys = 100;
/** Agents report at least twice a second. */
const silentMs = 3_000;

interface Votes {
  readonly members: readonly Member[];
  /** Revision of the list. 0 if no host has joined or left since the cluster was started. */
  readonly revision: number;
}

export function hasAllVotes(members: readonly Member[]): boolean {
  return presentVoters(members).length >= wantedVotes;
}

/** The list with one more vote, if there are too few and a live host has none. Undefined if no change is needed. */
export function withOneMoreVote(
  members: readonly Member[],
  lives: (name: string) => boolean,
): readonly Member[] | undefined {
  if (hasAllVotes(members)) return undefined;
  const sites = new Set(presentVoters(members).map(({ site }) => site));
  // A host at a site of its own comes first, then a near one.
  const rank = ({ site, asynchronous }: Member) => (sites.has(site) ? 2 : 0) + (asynchronous === true ? 1 : 0);
  const [next] = members
    .filter((each) => isPresent(each) && each.vote === false && lives(each.name))
    .sort((one, other) => rank(one) - rank(other));
  return next && members.map((each) => (each === next ? { ...each, vote: true } : each));
}

/** Whether some host could get a vote if it is alive. */
function hasCandidate(members: readonly Member[]): boolean {
  return withOneMoreVote(members, () => true) !== undefined;
}

/** The list of hosts as etcd has it. Undefined if it has none yet. */
export async function listedIn(etcd: EtcdClient, keys: HaKeys): Promise<Votes | undefined> {
  return listIn(await etcd.get(keys.members), keys);
}

export function listIn({ entries }: EtcdSnapshot, keys: HaKeys): Votes | undefined {
  const found = entries.find(({ key }) => key === keys.members);
  return found && { members: memberList.parse(JSON.parse(found.value)), revision: found.revision };
}

/** Takes one step towards the etcd members that the list of hosts requires. Returns the remaining work. Undefined if there is none. */
export async function moveVotes(etcd: EtcdClient, keys: HaKeys): Promise<string | undefined> {
  const listed = await listedIn(etcd, keys);
  if (listed === undefined) return undefined;
  const members = await etcd.members();
  // Removes only members of an older list, because a newer list may want this one.
  if ((await listedIn(etcd, keys))?.revision !== listed.revision) return 'the list of hosts changes';
  const wanted = presentVoters(listed.members);
  if (wanted.length === 0) return undefined;
  const hostOf = ({ peerUrls }: (typeof members)[number]) => wanted.find((each) => peerUrls.includes(peerUrl(each)));
  const unwanted = members.filter((each) => hostOf(each) === undefined);
  const learner = members.find(({ isLearner }) => isLearner);
  if (learner !== undefined && !unwanted.includes(learner)) {
    if (await etcd.promote(learner.id)) return 'a member of etcd has its vote';
    return `${hostOf(learner)?.name} receives what etcd has: "tidegate ha agent" must run there`;
  }
  const missing = wanted.find((each) => members.every((member) => hostOf(member) !== each));
  if (missing !== undefined && learner === undefined) {
    const isAdded = await etcd.addLearner(peerUrl(missing));
    if (isAdded) return `${missing.name} becomes a member of etcd`;
    // The silent member may be the one that should leave. etcd removes it if the remaining members have a majority.
    if (unwanted.length === 0) return `${missing.name} waits to become a member of etcd: another one is silent`;
  }
  const gone = learner ?? unwanted[0];
  if (gone === undefined) return undefined;
  await etcd.removeMember(gone.id);
  return 'a member of etcd is removed';
}

type Said = Pick<z.output<typeof reportValue>, 'said'>;

/**
 * Maintains the votes while its host is the primary, one step per poll, because the process that requested a change may be gone.
 */
export class VoteReconciler {
  readonly #etcd: EtcdClient;
  readonly #keys: HaKeys;
  readonly #me: string;
  readonly #heard = new Map<string, Said & { readonly atMs: number; readonly isNew: boolean }>();
  #listensSinceMs: number | undefined;

  constructor(etcd: EtcdClient, keys: HaKeys, me: string) {
    this.#etcd = etcd;
    this.#keys = keys;
    this.#me = me;
  }

  /** Completed and remaining work, for the log. Undefined if there is none. Throws EtcdError. */
  async look(): Promise<string | undefined> {
    const keys = this.#keys;
    const snapshot = await this.#etcd.get(keys.prefix, mostKeys);
    const entryOf = (wanted: string) => snapshot.entries.find(({ key }) => key === wanted);
    const leader = entryOf(keys.leader);
    const listed = listIn(snapshot, keys);
    if (leader === undefined || listed === undefined) return undefined;
    this.#listensSinceMs ??= performance.now();
    for (const { name } of listed.members) this.#hear(name, entryOf(keys.report(name))?.value);
    if (leaderValue.parse(JSON.parse(leader.value)).host !== this.#me) return undefined;
    const changed = withOneMoreVote(listed.members, (name) => this.#lives(name));
    const isListening = performance.now() - this.#listensSinceMs < silentMs;
    // A host that has left is removed once another one votes, if a live one exists.
    if (changed === undefined && isListening && hasCandidate(listed.members))
      return 'hosts without a vote are listened to';
    if (changed === undefined) return moveVotes(this.#etcd, keys);
    const { done } = await this.#etcd.transact(
      [
        { key: keys.members, revision: listed.revision },
        { key: keys.leader, revision: leader.revision },
      ],
      [{ put: keys.members, value: JSON.stringify(changed) }],
    );
    return done ? 'a further host gets a vote' : 'the list of hosts changes';
  }

  #hear(name: string, text: string | undefined): void {
    if (text === undefined) return;
    const { said } = reportValue.parse(JSON.parse(text));
    const before = this.#heard.get(name);
    // The first answer may be old.
    if (before?.said !== said) this.#heard.set(name, { said, atMs: performance.now(), isNew: before !== undefined });
  }

  #lives(name: string): boolean {
    const heard = this.#heard.get(name);
    return heard?.isNew === true && performance.now() - heard.atMs < silentMs;
  }
}
