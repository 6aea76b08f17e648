// Decides the next step of an agent, from the state in etcd, the status of its own server and the monotonic time. Each step is small and
// leads to a state from which the next step follows. So an agent that was killed during a promotion, or does not know the outcome of a
// call, reads the state again and continues.
//
// Invariants (tests/ha/agent/decide.long.test.ts removes each guard in turn):
// - A server is writable only under the lease. Its agent, or the watchdog, kills it at two thirds of the lease.
// - `sync` lists the hosts with every acknowledged write: the primary, and members whose acknowledgement each commit waits for. A member is
//   removed before a commit is released without it, and is added after it has acknowledged a commit.
// - A member may be promoted only with the incarnation that was added: a restart, or another source, loses transactions that it received
//   but did not apply.
// - Commits are released only when `sync` has no member and a late call can't add one: its revision is the result of this agent's own
//   change, and no admission was requested since.
// - A host that is not a member is promoted only if a person has accepted the loss, and only instead of the primary that the person named.
// - A host is not promoted if its clock is off, or if it can't decrypt the primary's secrets.
// - If writes are strict, commits of clients are never released: they wait until there is a member again.
// - A host without a database never leads, because it has no data.
// - There is at most one member. A commit waits for only one acknowledgement, so with two members each of them might lack the commit.
// - No other host's acknowledgement counts. A host waiting for admission receives with an account that the primary created for that
//   admission. Before another host gets an account, the previous account and all its connections are gone.

import { drainsLong, hasFailedToStart, leadsSooner, leavesToLastPrimary } from './last-primary.ts';
import type { Limits } from './limits.ts';
import { mayLead, outranks, priorityOf } from './tags.ts';
import type { HostReport, View } from './view.ts';

export type Step =
  /**
   * `soon`: the wait takes milliseconds. `asks`: this host would connect immediately if it got an account for an admission. `isBack`: it was
   * the primary, and would lead again at once.
   */
  | {
      readonly kind: 'wait';
      readonly why: string;
      readonly soon?: boolean;
      readonly asks?: boolean;
      readonly isBack?: boolean;
    }
  /** Kill the server, then give up the lease, if there is one. `isLate`: the host was too slow to keep it. */
  | { readonly kind: 'fence'; readonly why: string; readonly isLate?: boolean }
  /** Give up the lease, and leave the server running. */
  | { readonly kind: 'resign'; readonly why: string }
  | { readonly kind: 'start'; readonly role: 'MASTER' | 'SLAVE' }
  /**
   * `admission`: the replication account to use, whose transactions are acknowledged. If omitted, the shared account without
   * acknowledgements.
   */
  | { readonly kind: 'follow'; readonly host: string; readonly reign: string; readonly admission?: string | undefined }
  /** Stop receiving from a live source, and apply all received transactions. */
  | { readonly kind: 'rest'; readonly why: string }
  /** Replace its data with a copy of the primary's data. */
  | { readonly kind: 'clone'; readonly host: string }
  /** Write the key `leader` with a new lease, if there is none and `sync` is unchanged. */
  | { readonly kind: 'take-lead'; readonly syncRevision: number }
  | { readonly kind: 'stop-receiving'; readonly from: string }
  /** End all sessions of a read-only server that are not the agent's: one of them may hold a lock that blocks a promotion. */
  | { readonly kind: 'end-sessions' }
  /** Applies transactions received before the start. Receives nothing more. */
  | { readonly kind: 'apply-received'; readonly from: string; readonly reign: string }
  /** Write `sync` without members and with the next epoch, if it is unchanged and this host still leads. */
  | { readonly kind: 'take-sync'; readonly epoch: number; readonly lossy: boolean; readonly syncRevision: number }
  /** Open writes. `waits`: commits wait for an acknowledgement, beginning with the first commit. */
  | { readonly kind: 'open'; readonly epoch: number; readonly lossy: boolean; readonly waits: boolean }
  /** Remove a host from `sync`, if that is unchanged and this host still leads. */
  | { readonly kind: 'detach'; readonly host: string; readonly why: string; readonly syncRevision: number }
  /** Write `sync` unchanged, so that it gets a new revision and an admission that was requested earlier fails. */
  | { readonly kind: 'seal'; readonly syncRevision: number }
  /** For a switchover: refuse new writes, and wait until all writes in progress are acknowledged. */
  | { readonly kind: 'close' }
  /** Kill the server, then give up the lead: the member has every write. */
  | { readonly kind: 'hand-over'; readonly host: string; readonly why: string }
  /** Let commits continue without an acknowledgement. */
  | { readonly kind: 'release' }
  /** Makes commits wait for an acknowledgement from any host. */
  | { readonly kind: 'hold' }
  /** End the admission. Commits continue to wait. `yields`: the admission ends in favour of another host that is ready. This host has not failed. */
  | { readonly kind: 'refuse'; readonly yields: boolean }
  /** End the accounts of admissions and their connections, so that no further acknowledgement counts. */
  | { readonly kind: 'bar' }
  /**
   * Create an account for one admission, then add it to `sync`, if that is unchanged and this host still leads. `early`: the host does not receive
   * yet, so that it first connects with that account.
   */
  | { readonly kind: 'invite'; readonly host: string; readonly early: boolean; readonly syncRevision: number }
  /** Remove an invitation from `sync` that this agent does not know, or has given up. */
  | { readonly kind: 'withdraw'; readonly syncRevision: number }
  /** Make commits wait for an acknowledgement. The member does not count yet. */
  | { readonly kind: 'arm'; readonly host: string; readonly incarnation: string }
  /** Make a replicated commit, which ends with the acknowledgement. */
  | { readonly kind: 'prove' }
  /** Add the host to `sync`, if that is unchanged and this host still leads. */
  | { readonly kind: 'admit'; readonly host: string; readonly incarnation: string; readonly syncRevision: number };

export function decide(view: View, limits: Limits): Step {
  const { me, reign, server, shared, nowMs } = view;
  if (reign !== undefined && nowMs >= reign.fenceAtMs)
    return { kind: 'fence', why: 'the lease was not renewed in time', isLate: true };
  const isPrimary = (server.state === 'up' || server.state === 'starting') && server.duty === 'primary';
  if (reign === undefined && isPrimary) return { kind: 'fence', why: 'it has no lease' };
  if (shared === undefined) return wait('etcd does not answer');
  const { leader, sync } = shared;
  if (sync === undefined) return wait('the cluster has not been set up');
  const known: Known = { ...view, shared: { ...shared, sync } };
  if (reign !== undefined) {
    if (leader?.reign === reign.id) return asLeader({ ...known, reign }, limits);
    return isPrimary ? { kind: 'fence', why: 'the lead is lost' } : { kind: 'resign', why: 'the lead is lost' };
  }
  if (leader?.host === me) return wait('a lead of its own that it does not hold ends by itself');
  return leader === undefined ? asCandidate(known, limits) : asFollower(known, leader, limits);
}

const noDatabase = 'its database is gone: is its disk mounted?';

type Up = Extract<View['server'], { state: 'up' }>;
type Sync = NonNullable<NonNullable<View['shared']>['sync']>;
interface Known extends View {
  readonly shared: NonNullable<View['shared']> & { readonly sync: Sync };
}
interface Leading extends Known {
  readonly reign: NonNullable<View['reign']>;
}

function asLeader(known: Leading, limits: Limits): Step {
  const { reign, shared, server, me, nowMs, strict } = known;
  const { sync } = shared;
  if (sync.primary !== me) return promote(known, limits);
  if (server.state === 'copying') return { kind: 'resign', why: 'its data is being replaced' };
  if (server.state === 'empty') return { kind: 'resign', why: noDatabase };
  if (server.state === 'down') {
    const isTaken = sync.reign === reign.id;
    if (isTaken && sync.members.length > 0) return { kind: 'resign', why: 'the server has ended' };
    if (sync.members.length > 0 && hasFailedToStart(known, limits))
      return { kind: 'resign', why: 'the server ends at its start' };
    return { kind: 'start', role: 'MASTER' };
  }
  if (server.state === 'starting')
    return nowMs - server.sinceMs < limits.startMs
      ? wait('the server starts')
      : { kind: 'fence', why: 'it does not start' };
  // A restarted standby has lost transactions that it received but did not apply. After a promotion, this is the last primary.
  if (server.duty === 'standby' && sync.reign !== reign.id)
    return { kind: 'fence', why: 'it was started as a standby' };
  // Without a member, no other host could take over.
  const isDead = nowMs - server.aliveAtMs >= limits.heartbeatMs;
  if (isDead)
    return sync.members.length > 0 ? { kind: 'fence', why: 'no commit succeeds' } : wait('no commit succeeds');
  if (sync.reign !== reign.id)
    return { kind: 'take-sync', epoch: sync.epoch + 1, lossy: false, syncRevision: sync.revision };
  if (strict && server.writable && !server.semiSync) return { kind: 'hold' };
  if (sync.members.length > 0) return server.writable ? keep(known, limits) : handOver(known, limits);
  // No client waits for a server that is not writable.
  if (!server.writable)
    return server.semiSync
      ? letGo(known)
      : { kind: 'open', epoch: sync.epoch, lossy: sync.lossy === true, waits: strict };
  return admit(known, limits);
}

function promote(known: Leading, limits: Limits): Step {
  const { server, me, nowMs, stalledMs = 0 } = known;
  const { sync, wishes } = known.shared;
  const restarted: Step = { kind: 'resign', why: 'the server has restarted since it was in sync' };
  if (server.state !== 'up') return restarted;
  const isWhole = isMember(sync, me, server.incarnation);
  if (!isWhole && !isForced(sync, wishes, me)) return restarted;
  const take: Step = { kind: 'take-sync', epoch: sync.epoch + 1, lossy: !isWhole, syncRevision: sync.revision };
  if (nowMs - server.aliveAtMs >= limits.heartbeatMs) return { kind: 'resign', why: 'no commit succeeds' };
  if (server.replica === undefined) {
    if (isWhole) return restarted;
    const apply: Step = { kind: 'apply-received', from: sync.primary, reign: sync.reign };
    return server.received > server.position ? apply : take;
  }
  const { receiving, drained, failure } = server.replica;
  if (failure !== undefined) return { kind: 'resign', why: failure };
  if (receiving) return { kind: 'stop-receiving', from: sync.primary };
  if (drained) return take;
  if (leavesToLastPrimary(known, limits)) return { kind: 'resign', why: soonerBack(sync.primary) };
  if (stalledMs >= limits.stallMs) return { kind: 'end-sessions' };
  return { kind: 'wait', why: 'the relay log is applied', soon: true };
}

function keep(known: Leading, limits: Limits): Step {
  const { shared, server, nowMs } = known;
  const { sync, reports } = shared;
  const [member] = sync.members;
  if (member === undefined || server.state !== 'up') return wait('there is no member');
  const detach = (why: string): Step => ({ kind: 'detach', host: member.host, why, syncRevision: sync.revision });
  const report = reports[member.host];
  if (report !== undefined && report.incarnation !== member.incarnation) return detach('it has restarted');
  if (shared.left?.includes(member.host)) return detach('it leaves');
  if (getsNewCopy(known, member.host)) return detach('its data is to be replaced');
  if (!server.semiSync) return detach('commits do not wait for it');
  if (waitsTooLong(server, nowMs, limits)) return detach('it does not acknowledge');
  if (server.admissions.some((id) => id !== sync.admission?.id)) return detach('another host may acknowledge');
  if (makesRoom(known, member.host, limits)) return detach('another host should be the primary');
  if (yieldsToPriority(known, member.host, limits)) return detach('another host has a higher priority');
  if (!isWanted(known, limits)) return wait('in sync');
  // Writes are still open here. After they are closed, none is possible until the next primary has applied everything.
  const unapplied = (report?.received ?? 0) - (report?.applied ?? report?.received ?? 0);
  const isNear = unapplied <= limits.mostBehind && (report === undefined || !drainsLong(report, limits));
  return isNear ? { kind: 'close' } : wait('the next primary applies received transactions');
}

/** Whether a switchover is requested to a host that is not a member yet but can become one. */
function makesRoom(known: Leading, member: string, limits: Limits): boolean {
  const { switchoverTo } = known.shared.wishes;
  if (switchoverTo === undefined || switchoverTo === member || switchoverTo === known.me) return false;
  const report = known.shared.reports[switchoverTo];
  if (!isReady(known, switchoverTo, limits) || hasFailedSinceWished(known, switchoverTo)) return false;
  return whyUnfit(known, switchoverTo, report?.sealing, limits) === undefined;
}

/** Whether a host that can become the member at once has a higher priority. During a wish or a pause people decide. */
function yieldsToPriority(known: Leading, member: string, limits: Limits): boolean {
  const { reports, wishes } = known.shared;
  if (wishes.switchoverTo !== undefined || wishes.paused) return false;
  return Object.entries(reports).some(
    ([host, { sealing }]) =>
      outranks(known, host, member) &&
      isReady(known, host, limits) &&
      whyUnfit(known, host, sealing, limits) === undefined,
  );
}

/** Whether a person wants that host's data to be replaced. */
function getsNewCopy({ shared: { wishes } }: Known, host: string): boolean {
  return wishes.reinit?.includes(host) === true;
}

/** Each wish gets one attempt, because an attempt leaves a single copy for some time. */
function hasFailedSinceWished({ failedAtMs, wishedSinceMs }: Leading, host: string): boolean {
  const failedMs = failedAtMs[host];
  return failedMs !== undefined && failedMs >= (wishedSinceMs ?? Number.NEGATIVE_INFINITY);
}

/** Whether this host serves no clients, and the host of that report does. During a wish or a pause people decide. */
function servesInstead({ api, shared: { wishes } }: Leading, report: HostReport): boolean {
  if (wishes.switchoverTo !== undefined || wishes.paused) return false;
  return api === 'SILENT' && report.api === 'ANSWERS';
}

/** Whether a switchover is requested or needed, and its host can take over. */
function isWanted(known: Leading, limits: Limits): boolean {
  const { sync, reports, wishes } = known.shared;
  const [member] = sync.members;
  const report = member === undefined ? undefined : reports[member.host];
  if (member === undefined || report === undefined) return false;
  if (!mayLead(known, member.host)) return false;
  if (wishes.switchoverTo !== member.host && !servesInstead(known, report)) return false;
  const isHeard = known.nowMs - report.heardAtMs < limits.reportMs && report.receiving;
  if (!isHeard || report.incarnation !== member.incarnation) return false;
  return whyUnfit(known, member.host, report.sealing, limits) === undefined;
}

/** Writes are closed although there is a member: for a switchover, or because the agent died before it opened them. */
function handOver(known: Leading, limits: Limits): Step {
  const { sync, wishes } = known.shared;
  const [member] = sync.members;
  if (member === undefined) return wait('there is no member');
  const { host } = member;
  const why =
    wishes.switchoverTo === host
      ? `a switchover to ${host} was requested`
      : `the API on ${known.me} did not answer, and the one on ${host} did`;
  if (isWanted(known, limits)) return { kind: 'hand-over', host, why };
  return { kind: 'detach', host, why: 'writes are opened without it', syncRevision: sync.revision };
}

function letGo({ shared: { sync }, sealedRevision }: Leading): Step {
  return sync.revision === sealedRevision ? { kind: 'release' } : { kind: 'seal', syncRevision: sync.revision };
}

function admit(known: Leading, limits: Limits): Step {
  const { shared, server, nowMs, admission, strict } = known;
  const { sync, reports } = shared;
  if (server.state !== 'up') return wait('there is no server');
  if (admission === undefined) return server.semiSync && !strict ? letGo(known) : inviteOne(known, limits);
  const { id, host, incarnation, stage, early = false } = admission;
  const report = reports[host];
  const mostMs = stage === 'invited' ? limits.inviteMs : limits.admitMs;
  // With strict writes, commits may have waited long before that.
  const isLate = nowMs - progressAtMs(admission, report) >= mostMs || (!strict && waitsTooLong(server, nowMs, limits));
  // Only this host's acknowledgements count, and etcd names it.
  const isAlone = sync.admission?.id === id && server.admissions.every((each) => each === id);
  const end = (yields: boolean): Step => (strict || !server.semiSync ? { kind: 'refuse', yields } : letGo(known));
  const fail = () => end(false);
  if (isLate || !isAlone || server.admissions.length === 0) return fail();
  if (stage === 'invited') {
    // Another host may be ready.
    const isSilent = report === undefined || nowMs - report.heardAtMs >= limits.reportMs;
    if (shared.left?.includes(host) || getsNewCopy(known, host) || isSilent) return fail();
    if (report.admission === id && isReady(known, host, limits))
      return { kind: 'arm', host, incarnation: report.incarnation };
    // A host that was ready itself does not yield, because two such hosts would yield to each other forever.
    if (early && Object.keys(reports).some((each) => each !== host && isReady(known, each, limits))) return end(true);
    return { kind: 'wait', why: 'the host to be admitted connects', soon: true };
  }
  if (report?.incarnation !== incarnation || incarnation === undefined || !server.semiSync) return fail();
  if (stage === 'armed') return { kind: 'prove' };
  if (stage === 'proving') return { kind: 'wait', why: 'a commit is acknowledged', soon: true };
  return { kind: 'admit', host, incarnation, syncRevision: sync.revision };
}

/** When that host last made progress. An admission without progress must not block another one. */
function progressAtMs({ id, sinceMs, stage }: NonNullable<View['admission']>, report: HostReport | undefined): number {
  const comes = stage === 'invited' && report?.admission === id && report.receiving;
  return comes ? Math.max(sinceMs, report.advancedAtMs) : sinceMs;
}

function inviteOne(known: Leading, limits: Limits): Step {
  const { sync, reports } = known.shared;
  if (sync.admission !== undefined) return { kind: 'withdraw', syncRevision: sync.revision };
  if (known.server.state === 'up' && known.server.admissions.length > 0) return { kind: 'bar' };
  const ranks = new Map(Object.keys(reports).map((each) => [each, rank(known, each)]));
  const compared = (one: string, other: string) =>
    ranks
      .get(one)
      ?.map((each, at) => each - (ranks.get(other)?.[at] ?? 0))
      .find((each) => each !== 0);
  const hosts = [...ranks.keys()].sort((one, other) => compared(one, other) ?? (one < other ? -1 : 1));
  const ready = hosts.find((each) => isReady(known, each, limits));
  // Commits wait for it only once it is ready.
  const host = ready ?? hosts.find((each) => asks(known, each, limits));
  if (host === undefined) return wait('one copy');
  return { kind: 'invite', host, early: ready === undefined, syncRevision: sync.revision };
}

/**
 * Lower is better, and the first number counts most. The order prefers the requested primary, then hosts that have not failed, then the priority,
 * then hosts that would survive the loss of this site.
 */
function rank(known: Leading, host: string): readonly number[] {
  const { me, shared, failedAtMs, sites = {} } = known;
  if (shared.wishes.switchoverTo === host && !hasFailedSinceWished(known, host)) return [-1, 0, 0];
  return [failedAtMs[host] ?? 0, -priorityOf(known, host), sites[host] === sites[me] ? 1 : 0];
}

/** Whether the host follows this primary and is not far behind. */
function isReady(known: Leading, host: string, limits: Limits): boolean {
  const { shared, server, reign, failedAtMs } = known;
  const report = shared.reports[host];
  if (server.state !== 'up' || report === undefined || report.reign !== reign.id || !report.receiving) return false;
  // A report from before the failure could make commits wait again for a host that hangs.
  if (report.heardAtMs - (failedAtMs[host] ?? Number.NEGATIVE_INFINITY) < limits.againMs) return false;
  return mayBeMember(known, host, limits) && server.position - report.received <= limits.mostBehind;
}

/** Whether the host is not receiving, and would connect to this primary with the account of its admission. */
function asks(known: Leading, host: string, limits: Limits): boolean {
  return known.shared.reports[host]?.asks === known.reign.id && mayBeMember(known, host, limits);
}

/** Whether the host reports and is not excluded from membership. */
function mayBeMember(known: Leading, host: string, { reportMs }: Limits): boolean {
  const { shared, nowMs, asynchronous } = known;
  const { [host]: report } = shared.reports;
  if (shared.left?.includes(host) || asynchronous?.includes(host) || getsNewCopy(known, host)) return false;
  return report !== undefined && nowMs - report.heardAtMs < reportMs;
}

function waitsTooLong({ waitingSinceMs }: Up, nowMs: number, { detachMs }: Limits): boolean {
  return waitingSinceMs !== undefined && nowMs - waitingSinceMs >= detachMs;
}

function asFollower(known: Known, leader: { host: string; reign: string }, limits: Limits): Step {
  const { server, me, staysOut } = known;
  const { sync } = known.shared;
  // Another host is being promoted, or its promotion fails. In both cases the current data must stay unchanged.
  if (sync.primary === me) return waitAsLast(known, `${leader.host} is being promoted`, limits);
  if (staysOut === true) return wait(`it was lost as the primary: "tidegate ha rejoin ${me}" lets it return`);
  if (server.state === 'down' && !mayReplace(known, leader)) return { kind: 'start', role: 'SLAVE' };
  if (server.state === 'starting') return wait('the server starts');
  if (server.state === 'copying') return wait('its data is being replaced');
  if (sync.reign !== leader.reign) return wait(`${leader.host} is being promoted`);
  if (server.state === 'empty' || server.state === 'down') return { kind: 'clone', host: leader.host };
  const { replica } = server;
  if (replica?.reign === leader.reign && replica.diverged) return { kind: 'clone', host: leader.host };
  // Following would drop received transactions, and this host may be the only one that has them.
  if (replica === undefined && server.received > server.position)
    return { kind: 'apply-received', from: leader.host, reign: leader.reign };
  if (mayReplace(known, leader)) return { kind: 'clone', host: leader.host };
  if (replica !== undefined && !replica.receiving && !replica.drained && replica.failure === undefined)
    return wait('received transactions are applied');
  const follow: Step = { kind: 'follow', host: leader.host, reign: leader.reign, admission: invitationOf(sync, me) };
  if (replica?.failure !== undefined) return follow;
  const isInTime = isAsking(known, leader.reign, limits);
  if (replica?.reign !== leader.reign || !replica.receiving)
    return isInTime ? ask('it waits for an invitation') : follow;
  const { admission, drained, connected } = replica;
  // This happens, for example, if the host can't reach the primary although etcd reaches both.
  if (admission === follow.admission)
    return hasPlace(known) && drained && !connected ? ask('it connects') : wait('it follows');
  // Reconnecting would drop unapplied transactions and restart the ones that are being applied.
  if (!drained) return { kind: 'rest', why: 'received transactions are applied before it connects again' };
  return isInTime ? ask('it waits for an invitation') : follow;
}

/** Whether a new copy was requested, and the primary no longer counts on this host. */
function mayReplace(known: Known, leader: { readonly reign: string }): boolean {
  const { sync } = known.shared;
  const isCounted = sync.admission?.host === known.me || sync.members.some(({ host }) => host === known.me);
  return getsNewCopy(known, known.me) && sync.reign === leader.reign && !isCounted;
}

/** Whether there is no member or candidate, and this host can become one. */
function hasPlace({ shared: { sync }, me, asynchronous }: Known): boolean {
  return sync.members.length === 0 && sync.admission === undefined && asynchronous?.includes(me) !== true;
}

/** Whether to wait for the host. Otherwise it would connect twice, and would have to apply everything from the first connection in between. */
function isAsking(known: Known, reign: string, { askMs }: Limits): boolean {
  const { asking, nowMs } = known;
  return hasPlace(known) && (asking?.reign !== reign || nowMs - asking.sinceMs < askMs);
}

function asCandidate(known: Known, limits: Limits): Step {
  const { shared, server, me, nowMs, leaderlessSinceMs = nowMs } = known;
  const { sync, wishes } = shared;
  if (server.state === 'starting') return wait('the server starts');
  if (server.state === 'copying') return wait('its data is being replaced');
  if (server.state === 'empty') return wait(noDatabase);
  const take: Step = { kind: 'take-lead', syncRevision: sync.revision };
  if (sync.primary === me) {
    if (server.state === 'up') return { kind: 'fence', why: 'it restarts as the last primary' };
    const isLonely = wishes.paused || !sync.members.some(({ host }) => mayLead(known, host));
    const isFirst = isLonely || nowMs - leaderlessSinceMs >= limits.memberFirstMs || leadsSooner(known, limits);
    return isFirst ? take : waitAsLast(known, 'the lead is left to the member in sync', limits);
  }
  if (server.state === 'down') return { kind: 'start', role: 'SLAVE' };
  const unfit = whyUnfit(known, me, known.sealing, limits);
  if (isForced(sync, wishes, me) && unfit === undefined)
    return nowMs - server.aliveAtMs >= limits.heartbeatMs ? wait('no commit succeeds') : take;
  if (!isMember(sync, me, server.incarnation)) return wait('it may lack acknowledged writes');
  if (wishes.paused) return wait('promotion is paused');
  if (!mayLead(known, me)) return wait('it is tagged noFailover');
  if (unfit !== undefined) return wait(unfit);
  // A lock for a backup blocks commits too.
  if (nowMs - server.aliveAtMs >= limits.heartbeatMs) return { kind: 'end-sessions' };
  if (server.replica === undefined || server.replica.failure !== undefined)
    return wait('it does not apply received transactions');
  return leavesToLastPrimary(known, limits) ? wait(soonerBack(sync.primary)) : take;
}

/** Reason why that host may not be promoted, although it has every acknowledged write. */
export function whyUnfit(
  { me, shared, sealing }: Pick<View, 'me' | 'shared' | 'sealing'>,
  host: string,
  keys: View['sealing'],
  { mostClockOffMs }: Pick<Limits, 'mostClockOffMs'>,
): string | undefined {
  if (shared === undefined) return undefined;
  const { [host]: own, ...others } = { ...shared.clocksAheadMs, [me]: 0 };
  const offMs = own === undefined ? [] : Object.values(others).map((each) => Math.abs(each - own));
  // If a clock differs from only one of two others, it may be the right one.
  if (offMs.length > 0 && offMs.every((each) => each > mostClockOffMs)) return 'its clock is off';
  const primary = shared.sync?.primary ?? host;
  const used = primary === me ? sealing?.active : shared.reports[primary]?.sealing?.active;
  const isSealer = used === undefined || primary === host || keys?.known.includes(used) === true;
  return isSealer ? undefined : 'it lacks the sealing key that is in use';
}

function invitationOf({ admission }: Sync, host: string): string | undefined {
  return admission?.host === host ? admission.id : undefined;
}

function isMember(sync: Sync, host: string, incarnation: string): boolean {
  return sync.members.some((each) => each.host === host && each.incarnation === incarnation);
}

function isForced({ revision }: Sync, { lossy }: Known['shared']['wishes'], me: string): boolean {
  return lossy?.to === me && lossy.syncRevision === revision;
}

function soonerBack(host: string): string {
  return `${host} is back, and leads sooner than this host applies what it received`;
}

/** The wait of a last primary. */
function waitAsLast(known: Known, why: string, limits: Limits): Step {
  const isBack = known.server.state === 'down' && !hasFailedToStart(known, limits);
  return { kind: 'wait', why, ...(isBack && { isBack }) };
}

function wait(why: string): Step {
  return { kind: 'wait', why };
}

function ask(why: string): Step {
  return { kind: 'wait', why, asks: true };
}
