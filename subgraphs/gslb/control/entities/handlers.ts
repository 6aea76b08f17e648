// The special rules of each kind of GSLB entity.
import { isIP } from 'node:net';
import { createZone, removeZone, updateZone, type ZoneInput } from '../../../../dns/backends/zone-service.ts';
import { readZoneNamed } from '../../../../dns/backends/zone-store.ts';
import { nameFault, zoneFault } from '../../../../dns/names.ts';
import { heldIn, shareName } from '../../../../dns/ownership/name-claims.ts';
import type { NameKind } from '../../../../dns/ownership/name-rules.ts';
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { refuse, unknownId } from '../../../../platform/errors/errors.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import {
  type CmpObjectInput,
  checkedCmpObject,
  cmpObjectOf,
  storedCmpObject,
} from '../../../../platform/pages/cmp-object.ts';
import { decodeUuid, encodeId } from '../../../../platform/values/ids.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { nearestName } from '../../../../platform/values/nearest-name.ts';
import { ruleFault } from '../../rules/quorum.ts';
import { created, provisioningAfter } from '../../rules/states.ts';
import { flavor, vantagePoint, zone } from '../../spec/administered.ts';
import { gslb } from '../../spec/gslb.ts';
import type { GslbKind } from '../../spec/kind.ts';
import { monitor } from '../../spec/monitor.ts';
import { member, pool } from '../../spec/pool.ts';
import { type FlavorSpec, type MonitorSecret, type QuorumSpec, quorumRule, type ZoneSpec } from '../../spec/specs.ts';
import { gslbEvents } from '../events.ts';
import { ownerOf } from '../plans/static-names.ts';
import { poolRules } from '../stores/standing-store.ts';
import { membersTouched, namesTouched, vantagePointTouched } from '../stores/touched.ts';
import { refuseManyMaps, refuseTooLarge, shareOf, takeZoneRoom } from '../stores/zone-room.ts';
import { beginZoneChanges, isAnswered, newZoneTopic, readZonesNamed } from '../stores/zone-store.ts';
import type { Handler, ServiceDependencies } from './entity-service.ts';
import {
  databaseTime,
  deleteEntity,
  lockEntity,
  type MemberEntity,
  type NameRow,
  readEntities,
  updateEntity,
  type ZoneEntity,
} from './entity-store.ts';
import { nameBeyond, nameBeyondMembers } from './flavor-check-store.ts';
import { writeMemberAddresses } from './member-address-store.ts';
import { checkMember, checkMonitor } from './member-checks.ts';
import { credentialColumns } from './monitor-credentials.ts';
import { checkedPools, checkedVantagePoints, zonesOver } from './name-check-store.ts';
import { checkName, nameWithoutRight, refuseCnames, rulesOf, takeName } from './name-checks.ts';
import { nameSpec, readFqdn } from './name-spec.ts';
import { checkBackendNamed, heldBackendType } from './named-backends.ts';
import { columnsOf } from './shown-settings.ts';
import { planBefore, refuseUnsaid } from './static-checks.ts';
import { type PoolTree, planTree, type TreeServices, usualFlavor, whyNoFlavor } from './tree.ts';
import {
  countNamesOfFlavor,
  deletePoolContent,
  detachAll,
  flavorsNaming,
  membersIn,
  nameInZone,
  nameOfFlavor,
  namesUsing,
  poolUses,
  setPoolUses,
  usesOf,
} from './use-store.ts';

type Named<Type extends string> = GslbKind & { readonly name: Type };

export function monitorHandler({ wake, egress, sealer }: ServiceDependencies): Handler<'GslbMonitor'> {
  type Input = { readonly auth?: Partial<MonitorSecret> | null };
  return {
    kind: monitor as Named<'GslbMonitor'>,
    async check(sql, check, settings, { id }) {
      await checkMonitor(sql, check, egress, { id, spec: settings });
      if (id !== undefined) await checkDelays(sql, check, id, Number(settings.delayMs));
    },
    checkInput(check, input) {
      const { auth } = input as Input;
      check.text('auth.username', auth?.username, { min: 1, max: 255 });
      check.text('auth.password', auth?.password, { min: 1, max: 1_024 });
      check.text('auth.token', auth?.token, { min: 1, max: 4_096 });
      if (auth != null && auth.username == null && auth.password == null && auth.token == null)
        check.fault('auth', 'auth is empty: give username and password, or token');
    },
    async columns(tx, input, { id, settings, before }) {
      return credentialColumns(tx, sealer, { id, settings, before, auth: (input as Input).auth });
    },
    async written(tx, id, _, before) {
      if (before !== undefined) await touchMonitored(tx, wake, id);
    },
    async remove(tx, { id, name }) {
      const { poolIds, memberIds } = await usesOf(tx, id);
      const [user] = [
        ...poolIds.map((each) => `the pool ${encodeId('GslbPool', each)}`),
        ...memberIds.map((each) => `the member ${encodeId('GslbPoolMember', each)}`),
      ];
      if (user !== undefined)
        refuse('IN_USE', `the monitor ${name} is used for ${user}: detach it first`, { field: ['input', 'id'] });
      await deleteEntity(tx, 'GslbMonitor', id);
    },
  };
}

/** Checks that the names with members of a monitor allow its interval. */
async function checkDelays(sql: Sql, check: InputCheck, monitorId: string, delayMs: number): Promise<void> {
  const { poolIds, memberIds } = await usesOf(sql, monitorId);
  const ofMembers = await poolsOfMembers(sql, memberIds);
  const shortest = await shortestDelay(sql, [...poolIds, ...ofMembers]);
  if (shortest !== undefined && delayMs < shortest.delayMs)
    check.fault(
      'intervalMs',
      `intervalMs is ${delayMs}; the flavor ${shortest.flavor} of a name that uses it allows ${shortest.delayMs} and more`,
    );
}

async function poolsOfMembers(sql: Sql, memberIds: readonly string[]): Promise<readonly string[]> {
  return [...new Set([...(await readEntities(sql, 'GslbPoolMember', memberIds)).values()].map(({ poolId }) => poolId))];
}

/** The longest of the shortest delays that the flavors of names with these pools allow. */
export async function shortestDelay(
  sql: Sql,
  poolIds: readonly string[],
): Promise<{ readonly delayMs: number; readonly flavor: string } | undefined> {
  const names = [...(await readEntities(sql, 'Gslb', await namesUsing(sql, poolIds))).values()];
  const flavors = await readEntities(sql, 'GslbFlavor', [...new Set(names.map(({ flavorId }) => flavorId))]);
  const all = [...flavors.values()].map(({ name, spec }) => ({ flavor: name, delayMs: spec.shortestDelayMs }));
  return all.sort((one, other) => other.delayMs - one.delayMs)[0];
}

/** Members that use a monitor. */
async function touchMonitored(tx: Transaction, wake: ServiceDependencies['wake'], monitorId: string): Promise<void> {
  const { poolIds, memberIds } = await usesOf(tx, monitorId);
  await membersTouched(tx, wake, [...new Set([...(await membersIn(tx, poolIds)), ...memberIds])]);
}

export function poolHandler({ wake, heartbeatMs }: ServiceDependencies): Handler<'GslbPool'> {
  return {
    kind: pool as Named<'GslbPool'>,
    async check(sql, check, settings, { id }) {
      const { freshMs } = settings.quorum as unknown as QuorumSpec;
      if (freshMs != null && freshMs < 2 * heartbeatMs)
        check.fault(
          'quorum.freshMs',
          `quorum.freshMs is ${freshMs}: votes would be too old before the next report of a checker; give at least two heartbeats, ${2 * heartbeatMs}`,
        );
      // The flavors of its names decide who votes.
      const only = id === undefined ? undefined : (await poolRules(sql, [id])).get(id)?.vantagePoints;
      const regions = (await checkedVantagePoints(sql))
        .filter(({ name }) => only === undefined || only.size === 0 || only.has(name))
        .map(({ region }) => region);
      const fault =
        regions.length === 0
          ? undefined
          : ruleFault(quorumRule(settings.quorum as unknown as QuorumSpec, regions.length, 0), regions);
      if (fault !== undefined) check.fault('quorum', `quorum can't be met: ${fault}`);
    },
    async written(tx, id, _, before) {
      if (before === undefined) return;
      await refuseUnsaid(tx, [id], 'id');
      await membersTouched(tx, wake, await membersIn(tx, [id]));
      await namesTouched(tx, wake, await namesUsing(tx, [id]));
    },
    async remove(tx, { id, name }) {
      const [user] = await namesUsing(tx, [id]);
      if (user !== undefined)
        refuse('IN_USE', `the GSLB ${encodeId('Gslb', user)} uses the pool ${name}: change that first`, {
          field: ['input', 'id'],
        });
      const members = await membersIn(tx, [id]);
      await deletePoolContent(tx, id);
      await deleteEntity(tx, 'GslbPool', id);
      await membersTouched(tx, wake, members);
    },
  };
}

const mostInPool = 1_000;

export function memberHandler(
  { wake, egress }: ServiceDependencies,
  parent: NonNullable<Handler['parent']>,
): Handler<'GslbPoolMember'> {
  const touch = async (tx: Transaction, id: string, poolId: string) => {
    await membersTouched(tx, wake, [id]);
    await namesTouched(tx, wake, await namesUsing(tx, [poolId]));
  };
  return {
    kind: member as Named<'GslbPoolMember'>,
    parent,
    // Addresses of a load balancer are followed.
    given: (settings) => (settings.memberType === 'LOADBALANCER' ? { ...settings, addresses: [] } : settings),
    async columns(_, __, { settings, before }): Promise<Readonly<Record<string, SqlValue>>> {
      if (settings.type !== 'LOADBALANCER' || before === undefined) return {};
      if (before.spec.loadBalancerId !== settings.loadBalancerId) return {};
      const { spec } = columnsOf('GslbPoolMember', settings);
      return { spec: JSON.stringify({ ...JSON.parse(String(spec)), addresses: before.spec.addresses }) };
    },
    async check(sql, check, settings, { id, poolId = '' }) {
      const { loadBalancerId } = settings;
      if (typeof loadBalancerId === 'string' && decodeUuid('LoadBalancer', loadBalancerId) === undefined)
        check.fault('loadBalancerId', unknownId('LoadBalancer', loadBalancerId), 'NOT_FOUND');
      await checkMember(sql, check, egress, { id, poolId, spec: settings });
    },
    async written(tx, id, settings, before) {
      const row = before ?? (await lockEntity(tx, 'GslbPoolMember', id));
      if (row === undefined) return;
      await writeMemberAddresses(tx, row, settings, before?.spec);
      if (before === undefined) await checkRoom(tx, row.poolId);
      const field = before === undefined ? 'poolId' : 'id';
      await refuseUnsaid(tx, [row.poolId], field);
      await checkMemberRoom(tx, row, field);
      if (settings.cname !== null) await refuseCnames(tx, await namesUsing(tx, [row.poolId]));
      await touch(tx, id, row.poolId);
    },
    async remove(tx, { id, poolId }) {
      await detachAll(tx, id);
      await deleteEntity(tx, 'GslbPoolMember', id);
      await touch(tx, id, poolId);
    },
  };
}

/** Checks for room in its pool, which it locks, and in the names that use the pool. */
async function checkRoom(tx: Transaction, poolId: string): Promise<void> {
  const field = { field: ['input', 'poolId'] };
  if ((await lockEntity(tx, 'GslbPool', poolId)) === undefined) refuse('NOT_FOUND', 'the pool was deleted', field);
  const count = (await membersIn(tx, [poolId])).length;
  if (count > mostInPool) refuse('LIMIT_REACHED', `the pool has ${mostInPool} members; more are not allowed`, field);
  const beyond = await nameBeyondMembers(tx, poolId);
  if (beyond !== undefined)
    refuse(
      'LIMIT_REACHED',
      `the GSLB ${beyond.fqdn} would have ${beyond.has} members; its flavor ${beyond.flavor} allows ${beyond.most}`,
      field,
    );
}

export function gslbHandler({ wake, db }: ServiceDependencies, services: TreeServices): Handler<'Gslb'> {
  return {
    before: (check, input, { projectId }) => beforeName(db, services, check, input, projectId ?? ''),
    kind: gslb as Named<'Gslb'>,
    // Counts members of its pools, and bytes in its zone.
    counts: true,
    async check(sql, check, settings, { id, projectId }) {
      for (const [at, each] of (settings.sharedWithProjectIds as readonly string[]).entries())
        if (projectUuid(each) === undefined)
          check.fault(`sharedWithProjectIds.${at}`, `there is no Project ${each}`, 'NOT_FOUND');
      const read = readFqdn(String(settings.fqdn));
      if (read.fault !== undefined) return check.fault('fqdn', read.fault);
      await checkName(sql, check, { id, projectId: projectId ?? '', fqdn: read.fqdn, given: settings });
    },
    async hold(tx, { fqdn, flavor: flavorId }) {
      const read = readFqdn(String(fqdn));
      if (read.fault === undefined) await zonesOver(tx, read.fqdn.replace(/^\*\./, ''), 'LOCK IN SHARE MODE');
      await lockEntity(tx, 'GslbFlavor', String(flavorId), 'LOCK IN SHARE MODE');
    },
    checkInput(check, input) {
      checkedCmpObject(check, (input as { readonly cmpObject?: CmpObjectInput | null }).cmpObject);
    },
    async columns(tx, input, { settings, before }) {
      const { cmpObject } = input as { readonly cmpObject?: CmpObjectInput | null };
      const { fqdn = '' } = readFqdn(String(settings.fqdn)) as { readonly fqdn?: string };
      const next =
        before === undefined
          ? created
          : provisioningAfter({ status: before.provisioningStatus, action: before.action }, 'UPDATE_ACCEPTED');
      const cmp = cmpObject == null ? undefined : cmpObjectOf(cmpObject);
      const isNew = {
        ...{ fqdn, live_fqdn: fqdn, zone: (await zonesOver(tx, fqdn.replace(/^\*\./, '')))[0]?.name ?? '' },
        ...{ flavor_id: String(settings.flavor), cmp_namespace: cmp?.namespace ?? null },
        ...{ cmp_type: cmp?.type ?? null, cmp_id: cmp?.externalId ?? null },
      };
      return {
        ...(before === undefined ? isNew : {}),
        ...{ appliance_id: settings.applianceId as string | null, spec: JSON.stringify(nameSpec(settings)) },
        ...{ action: next.action, provisioning_status: next.status, provisioning_reason: null },
        pending_since: await databaseTime(tx),
      };
    },
    async written(tx, id, settings, before) {
      const pools = settings.pools as readonly string[];
      const used = (await poolUses(tx, [id])).map(({ poolId }) => poolId);
      await setPoolUses(tx, id, pools, settings.fallbackPool as string | null);
      const row = await lockEntity(tx, 'Gslb', id);
      if (row === undefined) return;
      if (before === undefined) {
        await checkNameCount(tx, row);
        await takeName(tx, row);
      }
      const shared = (settings.sharedWithProjectIds as readonly string[]).flatMap((each) => projectUuid(each) ?? []);
      await shareName(tx, { name: row.fqdn, owner: ownerOf({ id }) }, shared);
      await tellProvisioning(tx, wake, row, before?.provisioningStatus ?? null);
      // The flavors of a member's names decide which vantage points watch it.
      const now = (await poolUses(tx, [id])).map(({ poolId }) => poolId);
      const changed = [...used, ...now].filter((each) => !(used.includes(each) && now.includes(each)));
      await membersTouched(tx, wake, await membersIn(tx, changed));
      await takeRoom(tx, row, now, before === undefined ? 'fqdn' : 'poolIds');
      const hadBlocks = (before?.spec.clientBlocks ?? []).length > 0;
      if (!hadBlocks && row.spec.clientBlocks.length > 0) await refuseManyMaps(tx, row.zone, row.projectId);
      await namesTouched(tx, wake, [id]);
    },
    async remove(tx, row) {
      const now = { status: row.provisioningStatus, action: row.action };
      const { status, action } = provisioningAfter(now, 'DELETE_ACCEPTED');
      const since = { provisioning_reason: null, pending_since: await databaseTime(tx) };
      const pending = { provisioning_status: status, action, ...since };
      await updateEntity(tx, 'Gslb', row.id, pending);
      const after = { ...row, provisioningStatus: status, version: row.version + 1 };
      await tellProvisioning(tx, wake, after, row.provisioningStatus);
      await namesTouched(tx, wake, [row.id]);
    },
  };
}

/** The flavor and the new pools of a new name. */
async function beforeName(
  db: ServiceDependencies['db'],
  services: TreeServices,
  check: InputCheck,
  input: object,
  projectId: string,
) {
  const given = input as {
    readonly fqdn: string;
    readonly flavorId?: string | null;
    readonly poolIds?: readonly string[] | null;
    readonly pools?: readonly PoolTree[] | null;
  };
  const flavor = given.flavorId == null ? await usualFlavor(db) : undefined;
  const flavorId = given.flavorId ?? (flavor === undefined ? undefined : encodeId('GslbFlavor', flavor));
  if (flavorId === undefined) check.fault('flavorId', `Choose a flavor: ${await whyNoFlavor(db)}`);
  const trees = given.pools ?? [];
  if (trees.length + (given.poolIds?.length ?? 0) === 0)
    check.fault('pools', 'pools is empty: give a new pool with its members, or poolIds');
  // The largest number of pools of a name bounds the work.
  if (trees.length > 16) check.fault('pools', `pools has ${trees.length} entries; at most 16 are allowed`, 'TOO_LONG');
  check.throwIfAny();
  const tree = trees.length === 0 ? undefined : await planTree(services, check, { fqdn: given.fqdn, projectId, trees });
  const poolIds = [...(tree?.poolIds ?? []).map((id) => encodeId('GslbPool', id)), ...(given.poolIds ?? [])];
  return { input: { flavorId, poolIds }, tree };
}

/** Reserves room in the zone, if our own name servers answer it. */
async function takeRoom(
  tx: Transaction,
  { id, projectId, fqdn, zone: zoneName, spec }: NameRow,
  poolIds: readonly string[],
  field: string,
) {
  if (!isAnswered((await readZonesNamed(tx, [zoneName])).get(zoneName))) return;
  const pools = [...(await checkedPools(tx, poolIds)).values()];
  const plan = JSON.stringify(planBefore({ fqdn, spec, pools }));
  await takeZoneRoom(tx, { id, projectId, zone: zoneName, field }, shareOf(plan, spec.clientBlocks));
}

/** The same check for a new or changed member, in all names that have its pool. */
async function checkMemberRoom(
  tx: Transaction,
  { poolId, projectId, spec }: MemberEntity,
  field: string,
): Promise<void> {
  const gslbIds = await namesUsing(tx, [poolId]);
  const names = [...(await readEntities(tx, 'Gslb', gslbIds)).values()];
  const zones = await readZonesNamed(tx, [...new Set(names.map((each) => each.zone))]);
  const answered = [...zones.values()].filter(isAnswered).map(({ name }) => name);
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  await refuseTooLarge(tx, { gslbIds, projectId, bytes, zones: answered, field });
}

async function checkNameCount(tx: Transaction, { projectId, flavorId }: NameRow): Promise<void> {
  const flavorRow = await lockEntity(tx, 'GslbFlavor', flavorId, 'LOCK IN SHARE MODE');
  if (flavorRow === undefined) refuse('NOT_FOUND', 'the flavor was deleted', { field: ['input', 'flavorId'] });
  const { mostNames } = flavorRow.spec;
  if (mostNames !== null && (await countNamesOfFlavor(tx, projectId, flavorId)) > mostNames)
    refuse(
      'QUOTA_EXCEEDED',
      `the project has ${mostNames} GSLBs of the flavor ${flavorRow.name}; more are not allowed`,
      {
        field: ['input', 'flavorId'],
      },
    );
}

async function tellProvisioning(
  tx: Transaction,
  wake: ServiceDependencies['wake'],
  row: Pick<NameRow, 'id' | 'projectId' | 'version' | 'provisioningStatus' | 'cmpNamespace' | 'cmpType' | 'cmpId'>,
  from: NameRow['provisioningStatus'] | null,
): Promise<void> {
  const { id, projectId, version, provisioningStatus: to } = row;
  const subject = { projectId, subjectId: id, subjectVersion: version, cmpObject: storedCmpObject(row) };
  await appendStatus(tx, gslbEvents, [{ ...subject, kind: 'gslb.provisioningStatus', from, to }], wake);
}

function unknownVantagePoint(name: string, known: Iterable<string>): string {
  const near = nearestName(name, known);
  return `there is no vantage point named ${name}${near === undefined ? '' : `; ${near} is near`}`;
}

export function flavorHandler({ wake }: ServiceDependencies): Handler<'GslbFlavor'> {
  return {
    kind: flavor as Named<'GslbFlavor'>,
    async check(sql, check, settings, { id }) {
      await checkBackendNamed(sql, check, settings);
      if (id !== undefined) await checkNamesOfFlavor(sql, check, id, settings as unknown as FlavorSpec);
      const known = new Set((await checkedVantagePoints(sql)).map(({ name }) => name));
      for (const [at, name] of (settings.vantagePoints as readonly string[]).entries())
        if (!known.has(name)) check.fault(`vantagePointNames.${at}`, unknownVantagePoint(name, known), 'NOT_FOUND');
    },
    async columns(tx, _, { settings: { name: _name, ...settings } }) {
      return { spec: JSON.stringify({ ...settings, backendType: await heldBackendType(tx, settings) }) };
    },
    async remove(tx, { id, name }) {
      const user = await nameOfFlavor(tx, id);
      if (user !== undefined)
        refuse('IN_USE', `the GSLB ${user} has the flavor ${name}: delete it first`, { field: ['input', 'id'] });
      await deleteEntity(tx, 'GslbFlavor', id);
      tx.afterCommit(() => wake.notify('status'));
    },
  };
}

/** Checks that the changed flavor still allows its names. */
async function checkNamesOfFlavor(sql: Sql, check: InputCheck, id: string, spec: FlavorSpec): Promise<void> {
  const before = (await readEntities(sql, 'GslbFlavor', [id])).get(id)?.spec;
  if (before === undefined) return;
  const allows = (policy: FlavorSpec['policies'][number]) => spec.policies.includes(policy);
  const narrower = {
    policies: spec.policies.length > 0 && (before.policies.length === 0 || !before.policies.every(allows)),
    shortestTtlSeconds: spec.shortestTtlSeconds > before.shortestTtlSeconds,
    longestTtlSeconds: spec.longestTtlSeconds < before.longestTtlSeconds,
    shortestDelayMs: spec.shortestDelayMs > before.shortestDelayMs,
    mostMembers: spec.mostMembers < before.mostMembers,
  };
  for (const [bound, isNarrower] of Object.entries(narrower) as [keyof typeof narrower, boolean][]) {
    const name = isNarrower ? await nameBeyond(sql, id, bound, spec) : undefined;
    if (name !== undefined)
      check.fault(
        bound === 'shortestDelayMs' ? 'shortestIntervalMs' : bound,
        `the GSLB ${name.fqdn} has ${name.has}, which this would no longer allow`,
        'IN_USE',
      );
  }
}

export function vantagePointHandler({ wake, egress }: ServiceDependencies): Handler<'GslbVantagePoint'> {
  return {
    kind: vantagePoint as Named<'GslbVantagePoint'>,
    async check(_, check, settings) {
      for (const [at, { host, port }] of (settings.beacons as readonly { host: string; port: number }[]).entries()) {
        const denial = isIP(host) === 0 ? undefined : egress.denial(host, port);
        if (denial !== undefined) check.fault(`beacons.${at}.host`, denial.reason, 'EGRESS_DENIED');
      }
    },
    written: (tx, id) => vantagePointTouched(tx, wake, id),
    async remove(tx, { id, name }) {
      const others = new Set((await checkedVantagePoints(tx)).flatMap((each) => (each.name === name ? [] : each.name)));
      const left = (await flavorsNaming(tx, name)).find(
        ({ spec }) => !spec.vantagePoints.some((each) => others.has(each)),
      );
      if (left !== undefined)
        refuse(
          'IN_USE',
          `the flavor ${left.name} has no other vantage point, so nobody would check the members of its names: delete the flavor first`,
          { field: ['input', 'id'] },
        );
      await deleteEntity(tx, 'GslbVantagePoint', id);
      await vantagePointTouched(tx, wake, id);
    },
  };
}

export function zoneHandler({ wake }: ServiceDependencies): Handler<'DnsZone'> {
  return {
    kind: zone as Named<'DnsZone'>,
    async check(sql, check, settings, { id }) {
      const name = String(settings.name);
      const fault = zoneFault(name);
      if (fault !== undefined) check.fault('name', fault);
      const type = await checkBackendNamed(sql, check, settings);
      if (type === 'ANSWERER') {
        if (name.length > longestOwnZone)
          check.fault(
            'name',
            `name has ${name.length} characters; a zone of our own name servers has at most ${longestOwnZone}, so that their names fit before it`,
          );
        checkOwnHead(check, settings);
      }
      for (const [at, { suffix, projectId }] of (settings.rights as unknown as readonly Right[]).entries()) {
        const wrong = suffix === name ? undefined : nameFault(name, suffix);
        if (wrong !== undefined) check.fault(`rights.${at}.suffix`, wrong);
        if (projectId != null && projectUuid(projectId) === undefined)
          check.fault(`rights.${at}.projectId`, `there is no Project ${projectId}`, 'NOT_FOUND');
      }
      const zoneBefore = id === undefined ? undefined : (await readEntities(sql, 'DnsZone', [id])).get(id);
      const rights = { before: zoneBefore?.spec.rights ?? [], after: storedRights(settings) };
      const left = zoneBefore === undefined ? undefined : await nameWithoutRight(sql, name, rights);
      if (left !== undefined)
        check.fault('rights', `the GSLB ${left} is in the zone by a right that would go: delete it first`, 'IN_USE');
    },
    async columns(tx, _, { id, settings, before }) {
      const { name: _name, backend, ...rest } = settings;
      const rights = storedRights(settings);
      const isNew = { id, backend_id: backend as string | null, backend_type: await heldBackendType(tx, settings) };
      return { ...(before === undefined ? isNew : {}), spec: JSON.stringify({ ...rest, rights }) };
    },
    async written(tx, id, _, before) {
      const row = await lockEntity(tx, 'DnsZone', id);
      if (row === undefined) return;
      if (before === undefined) {
        await refuseShadowed(tx, row.name);
        await beginZoneChanges(tx, row.name);
      }
      if (isAnswered(row)) {
        if (before === undefined) tx.afterCommit(() => wake.notify(newZoneTopic));
        return;
      }
      const wanted = publishedZone(row);
      if (before === undefined) await createZone(tx, wake, wanted);
      else await updateZone(tx, wake, await zoneIdOf(tx, row.name), wanted);
    },
    async remove(tx, row) {
      const { id, name } = row;
      const user = await nameInZone(tx, name);
      if (user !== undefined)
        refuse('IN_USE', `the GSLB ${user} is in the zone ${name}: delete it first`, { field: ['input', 'id'] });
      if (!isAnswered(row)) await removeZone(tx, await zoneIdOf(tx, name));
      await deleteEntity(tx, 'DnsZone', id);
    },
  };
}

/** Name servers answer a name from its longest zone, so names of the zone above would no longer be answered. */
async function refuseShadowed(tx: Transaction, zoneName: string): Promise<void> {
  // The creation of a name locks its zone.
  await zonesOver(tx, zoneName, 'FOR UPDATE');
  const held = await heldIn(tx, zoneName, 'gslb');
  if (held !== undefined)
    refuse(
      'IN_USE',
      `the GSLB ${held.name} of the zone ${held.zone} would not be answered any more: delete it first, then create it in this zone`,
      { field: ['input', 'name'] },
    );
}

/** Replaces project ids by UUIDs. */
function storedRights({ rights }: JsonObject): ZoneSpec['rights'] {
  return (rights as unknown as readonly Right[]).map(({ suffix, projectId, allows }) => ({
    ...{ suffix, allows: allows ?? [] },
    projectId: projectId == null ? null : (projectUuid(projectId) ?? projectId),
  }));
}

/** Leaves room in the 253 characters of a name (RFC 1035 section 2.3.4) for a machine's name of 63 and a dot. */
const longestOwnZone = 189;

/** The installation's own name servers publish their own head. */
function checkOwnHead(check: InputCheck, { nameServers, signed, secondaries }: JsonObject): void {
  if ((nameServers as readonly string[]).length > 0)
    check.fault('nameServers', 'nameServers follows from the machines that joined with the role dns: leave it out');
  if (signed === true)
    check.fault('signed', 'whether our own name servers sign is the setting gslb.signZones: leave it out');
  if ((secondaries as readonly string[]).length > 0)
    check.fault(
      'secondaries',
      'our own name servers transfer no zones: start more name servers instead',
      'NOT_SUPPORTED',
    );
}

/** The zone in the form of dns/, where others publish names too. A zone without rights belongs to nobody. */
function publishedZone({ name, backendId, spec }: ZoneEntity): ZoneInput {
  const { nameServers, signed: isSigned, secondaries } = spec;
  return { name, backendId, rules: rulesOf(spec.rights, name), spec: { nameServers, isSigned, secondaries } };
}

async function zoneIdOf(tx: Transaction, name: string): Promise<string> {
  return (await readZoneNamed(tx, name))?.id ?? '';
}

interface Right {
  readonly suffix: string;
  readonly projectId?: string | null;
  readonly allows?: readonly NameKind[] | null;
}

const uuid = /^[0-9a-f-]{36}$/;

/** The UUID of a project, from its global id or its UUID. */
export function projectUuid(id: string): string | undefined {
  return decodeUuid('Project', id) ?? (uuid.test(id) ? id : undefined);
}
