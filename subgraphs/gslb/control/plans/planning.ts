// Computes the answers of names from their rows, pools and members, under the locks of the names. Concurrent changes of one name
// wait for each other here, so the later one sees the committed earlier one.
import { createHash } from 'node:crypto';
import { type NamePlan, type PolicyStep, regionsMapId } from '../../../../dns/policy/plan.ts';
import { nameFault, planBounds } from '../../../../dns/policy/plan-schema.ts';
import { presetSteps } from '../../../../dns/policy/presets.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { StatusEvent } from '../../../../platform/events/kinds.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import { storedCmpObject } from '../../../../platform/pages/cmp-object.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { MemberStanding } from '../../rules/member.ts';
import { type MemberRow, namePlan } from '../../rules/name-plan.ts';
import { gslbStanding, poolStanding } from '../../rules/standing.ts';
import { operatingChanges } from '../../rules/states.ts';
import type { GslbSpec } from '../../spec/specs.ts';
import { gslbEvents } from '../events.ts';
import { databaseNow } from '../stores/checker-store.ts';
import {
  type ChangedPlan,
  lockNames,
  type NameChange,
  type PlannedName,
  poolsOfNames,
  storeNames,
  type UsedPool,
} from '../stores/name-store.ts';
import { type EvaluatedMember, membersOfPools } from '../stores/standing-store.ts';
import { planKind } from '../stores/touched.ts';
import { type ChangedName, changeZones, isAnswered, readZonesNamed, type ZoneRow } from '../stores/zone-store.ts';
import { type PastPlan, storePlans } from './plan-store.ts';
import { type ServerAtName, serversAtNames } from './server-names.ts';
import { declareStatic, withdrawStatic } from './static-names.ts';

interface PlanningDependencies {
  readonly wake: Wake;
}

interface PlanningCause {
  /** Time by the database's clock. */
  readonly nowMs?: number;
  /** The changes of verdicts that are the cause, by pool. */
  readonly flips?: ReadonlyMap<string, string>;
}

/** No work is owed further ahead (platform/owed/owed-work.ts). */
const longestAheadMs = 3_600_000;
/** Deletions by age may use an earlier time than the database's clock, so a name that is not free yet is checked again. */
const leastAheadMs = 60_000;

type Event = StatusEvent<typeof gslbEvents>;

interface Planned {
  readonly name: PlannedName;
  readonly plan: NamePlan | null;
  readonly status: { readonly status: PlannedName['operatingStatus']; readonly message: string | null };
  readonly answerChanges: boolean;
  readonly flipId: string | null;
}

/** Runs in the transaction that has locked the members whose change is the cause, if there are any. */
export async function planNames(
  tx: Transaction,
  dependencies: PlanningDependencies,
  ids: readonly string[],
  { nowMs, flips = new Map() }: PlanningCause = {},
): Promise<void> {
  const names = await lockNames(tx, ids);
  if (names.length === 0) return;
  const now = nowMs ?? (await databaseNow(tx));
  const { uses, members, zones, servers } = await readUsed(tx, names);
  const [changed, past, events]: [ChangedName[], PastPlan[], Event[]] = [[], [], []];
  const stored: ChangedPlan[] = [];
  for (const name of names) {
    const pools = uses.get(name.id) ?? [];
    const planned = plannedAnew(name, { pools, members, nowMs: now, flips, server: servers.get(name.id) });
    const fault = await publish(tx, dependencies, planned, zones.get(name.zone));
    const told = write(planned, fault);
    if (told === undefined) continue;
    stored.push({ name, change: told.row });
    events.push(...told.events);
    if (!planned.answerChanges) continue;
    changed.push(...changesOf(planned));
    if (told.row.plan !== null)
      past.push({ gslbId: name.id, generation: told.row.generation, plan: told.row.plan, flipId: planned.flipId });
  }
  await storeNames(tx, stored);
  await storePlans(tx, past);
  await changeZones(
    tx,
    dependencies.wake,
    changed.filter(({ zone }) => isAnswered(zones.get(zone))),
  );
  await appendStatus(tx, gslbEvents, events, dependencies.wake);
  await oweThaw(tx, dependencies.wake, names, now);
  for (const [id, { until }] of servers) {
    if (until === null) continue;
    const dueInMs = Math.max(leastAheadMs, Math.min(until.getTime() - now, longestAheadMs));
    await owe(tx, planKind, id, { dueInMs }, dependencies.wake);
  }
}

/**
 * The plans that names would have, by UUID. Null if not answered. Locks and stores nothing. `evaluated`: the members of their pools, with the state
 * to assume.
 */
export async function plansOfNow(
  db: Sql,
  names: readonly PlannedName[],
  evaluated: (members: readonly EvaluatedMember[]) => Promise<readonly EvaluatedMember[]>,
): Promise<ReadonlyMap<string, NamePlan | null>> {
  const nowMs = await databaseNow(db);
  const { uses, members: stored, servers } = await readUsed(db, names);
  const members = Map.groupBy(await evaluated([...stored.values()].flat()), ({ poolId }) => poolId);
  return new Map(
    names.map((name) => {
      const pools = uses.get(name.id) ?? [];
      const around = { pools, members, nowMs, flips: new Map<string, string>(), server: servers.get(name.id) };
      return [name.id, plannedAnew(name, around).plan];
    }),
  );
}

/** Reads their pools and the pools' members. */
async function readUsed(db: Sql, names: readonly PlannedName[]) {
  const uses = Map.groupBy(
    await poolsOfNames(
      db,
      names.map(({ id }) => id),
    ),
    ({ gslbId }) => gslbId,
  );
  const poolIds = [...new Set([...uses.values()].flat().map(({ poolId }) => poolId))];
  const members = Map.groupBy(await membersOfPools(db, poolIds), ({ poolId }) => poolId);
  const zones = await readZonesNamed(db, [...new Set(names.map(({ zone }) => zone))]);
  return { uses, members, zones, servers: await serversAtNames(db, names, zones) };
}

interface Around {
  readonly pools: readonly UsedPool[];
  readonly members: ReadonlyMap<string, readonly EvaluatedMember[]>;
  readonly nowMs: number;
  readonly flips: ReadonlyMap<string, string>;
  readonly server: ServerAtName | undefined;
}

function plannedAnew(name: PlannedName, { pools, members, nowMs, flips, server }: Around): Planned {
  const flipId = pools.map(({ poolId }) => flips.get(poolId)).find((id) => id !== undefined) ?? null;
  const status = { status: name.operatingStatus, message: name.statusMessage };
  if (isLeaving(name)) return { name, plan: null, status, answerChanges: name.plan !== null, flipId };
  if (server !== undefined) {
    const taken = gslbStanding({ pools: [], fault: server.fault, before: name.operatingStatus });
    return { name, plan: null, status: taken, answerChanges: name.plan !== null, flipId };
  }
  const own = pools.flatMap(({ poolId }) => members.get(poolId) ?? []);
  const standings = new Map(own.map((member) => [member.id, standingNow(member, nowMs)]));
  const inOrder = pools.filter(({ fallback }) => !fallback);
  const standing = gslbStanding({
    pools: inOrder.map(({ poolId, spec }) =>
      poolStanding({
        minUp: spec.minUp,
        members: (members.get(poolId) ?? []).flatMap(({ id }) => standings.get(id) ?? []),
      }),
    ),
    fault: null,
    before: name.operatingStatus,
  });
  if (isFrozen(name, nowMs) && name.plan !== null)
    return { name, plan: name.plan, status: standing, answerChanges: false, flipId };
  const answered = answeredBy(name, pools);
  const usesLatency = answered.steps.some(({ step }) => step === 'LATENCY');
  const plan = namePlan({
    gslb: { ...name.spec, ...name, ...answered },
    pools: pools.map(({ poolId, spec }) => ({ id: poolId, minUp: spec.minUp })),
    members: own.map((member) => toMemberRow(member, usesLatency)),
    standings,
  });
  const answerChanges = !isSamePlan(plan, name.plan);
  const fault = answerChanges ? nameFault(`${name.zone}.`, plan) : undefined;
  if (fault === undefined) return { name, plan, status: standing, answerChanges, flipId };
  // Name servers would refuse the whole zone, so only this name keeps its earlier answer.
  const message = `its answer is not published, because name servers refuse it: ${fault}`;
  return { name, plan: name.plan, status: { status: 'ERROR', message }, answerChanges: false, flipId };
}

/** Whether the name should no longer be answered. */
function isLeaving({ action, provisioningStatus }: PlannedName): boolean {
  return action === 'DELETE' || provisioningStatus === 'DELETED';
}

function isFrozen({ frozenAt, frozenUntil }: PlannedName, nowMs: number): boolean {
  return frozenAt !== null && (frozenUntil === null || frozenUntil.getTime() > nowMs);
}

function answeredBy(
  { id, spec }: PlannedName,
  pools: readonly UsedPool[],
): { readonly steps: readonly PolicyStep[]; readonly clientMapId: string | null; readonly clientMapHash?: string } {
  const steps = stepsOf(spec);
  const byClient =
    steps.some(({ step }) => step === 'GEO' || step === 'LATENCY') ||
    pools.some((pool) => pool.spec.scope === 'REGION');
  if (!byClient || spec.clientBlocks.length === 0) return { steps, clientMapId: byClient ? regionsMapId : null };
  const clientMapHash = createHash('sha256').update(JSON.stringify(spec.clientBlocks)).digest('hex').slice(0, 16);
  return { steps, clientMapId: id, clientMapHash };
}

function stepsOf({ policy }: GslbSpec): readonly PolicyStep[] {
  if (policy.preset === 'CUSTOM' || policy.steps.length > 0) return policy.steps;
  return presetSteps(policy.preset);
}

/** Standing after the last evaluation. An expired admin state no longer counts, even if the member was not evaluated since. */
function standingNow(
  member: EvaluatedMember,
  nowMs: number,
): Pick<MemberStanding, 'up' | 'upIn' | 'withheld' | 'status'> {
  const isOver = member.adminUntil !== null && member.adminUntil.getTime() <= nowMs;
  const admin = isOver ? 'AUTO' : member.adminState;
  const isForced = admin === 'FORCED_UP';
  const regions = Object.entries(member.regionStates).map(([region, { serving }]) => [region, serving] as const);
  return {
    up: isForced || member.serving,
    upIn: isForced ? {} : Object.fromEntries(regions),
    withheld: admin === 'DRAIN' || admin === 'FORCED_DOWN',
    status: member.operatingStatus,
  };
}

/** Includes latencies only for names that use them, because they would change other names' zones for nothing. */
function toMemberRow({ id, poolId, spec, latency, lastUpAt }: EvaluatedMember, usesLatency: boolean): MemberRow {
  const { region, addresses, cname, weight, priority, place } = spec;
  const told = Object.entries(usesLatency ? latency : {}).map(([name, each]) => [
    name,
    Math.min(Math.round(each.told), planBounds.latencyMs),
  ]);
  return {
    ...{ id, poolId, region, addresses, cname, weight, priority, place },
    ...{ latencyMs: Object.fromEntries(told), lastUpAt },
  };
}

function isSamePlan(plan: NamePlan, before: NamePlan | null): boolean {
  return before !== null && JSON.stringify({ ...plan, version: 0 }) === JSON.stringify({ ...before, version: 0 });
}

/** The plan without measured latencies, whose changes are not worth publishing. */
function untimed(plan: NamePlan): NamePlan {
  return { ...plan, members: plan.members.map((member) => ({ ...member, latencyMs: {} })) };
}

/** Declares the record sets for a backend without policies. Returns the reason if that is impossible. */
async function publish(
  tx: Transaction,
  { wake }: PlanningDependencies,
  { name, plan, answerChanges }: Planned,
  zone: ZoneRow | undefined,
): Promise<string | null> {
  if (isAnswered(zone)) return null;
  if (plan !== null) return declareStatic(tx, wake, name, plan);
  if (answerChanges) await withdrawStatic(tx, wake, name);
  return null;
}

/** Undefined if nothing must be stored. */
function write(
  { name, plan, status, answerChanges }: Planned,
  fault: string | null,
): { readonly row: NameChange; readonly events: readonly Event[] } | undefined {
  const { id: subjectId, projectId, operatingStatus: before } = name;
  const after = fault === null ? status : { status: 'ERROR' as const, message: fault };
  const events: Event[] = [];
  const cmpObject = storedCmpObject(name);
  const subject = () => ({ projectId, subjectId, subjectVersion: name.version + events.length + 1, cmpObject });
  const operatingStatus = after.status ?? before;
  if (operatingStatus !== null && operatingChanges(before, operatingStatus))
    events.push({
      ...{ ...subject(), kind: 'gslb.operatingStatus', from: before, to: operatingStatus },
      reason: after.message,
    });
  if (answerChanges && plan !== null && name.plan !== null && !isSamePlan(untimed(plan), untimed(name.plan)))
    events.push({
      ...subject(),
      kind: 'gslb.answer',
      from: 'CHANGED',
      to: 'CHANGED',
      reason: answerReason(plan, name.plan),
    });
  if (events.length === 0 && !answerChanges && after.message === name.statusMessage) return undefined;
  const version = name.version + events.length;
  return {
    events,
    row: {
      plan: plan === null || !answerChanges ? plan : { ...plan, version },
      generation: name.generation + (answerChanges ? 1 : 0),
      ...{ operatingStatus, statusMessage: after.message, version },
    },
  };
}

function answerReason(plan: NamePlan, before: NamePlan): string {
  const was = new Map(before.members.map((member) => [member.memberId, member]));
  const serves = (member: NamePlan['members'][number] | undefined) => member?.up === true && !member.withheld;
  const [come, gone] = [true, false].map(
    (wanted) =>
      plan.members.filter((each) => serves(each) === wanted && serves(was.get(each.memberId)) !== wanted).length,
  );
  const serving = plan.members.filter(serves).length;
  const all = `${serving} of ${plan.members.length} members serve`;
  if (come === 0 && gone === 0) return `${all}, as before; how they are answered changed`;
  return `${all}: ${come} more and ${gone} fewer than before`;
}

function changesOf({ name, plan }: Planned): readonly ChangedName[] {
  const { zone, fqdn, id: gslbId } = name;
  const own = { zone, fqdn, gslbId };
  // Older name servers get the maps of a zone with its head.
  const mapChanges = plan?.clientMapHash !== name.plan?.clientMapHash;
  return mapChanges ? [{ zone, fqdn: null, gslbId: null }, own] : [own];
}

async function oweThaw(tx: Transaction, wake: Wake, names: readonly PlannedName[], nowMs: number): Promise<void> {
  for (const { id, frozenAt, frozenUntil } of names) {
    const leftMs = frozenAt === null || frozenUntil === null ? 0 : frozenUntil.getTime() - nowMs;
    if (leftMs > 0) await owe(tx, planKind, id, { dueInMs: Math.min(leftMs, longestAheadMs) }, wake);
  }
}
