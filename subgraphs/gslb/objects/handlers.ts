// What is particular to each kind of GSLB object.
import { isIP } from 'node:net';
import { createZone, removeZone, updateZone, type ZoneInput } from '../../../dns/backends/zone-service.ts';
import { readZoneNamed } from '../../../dns/backends/zone-store.ts';
import { nameFault, zoneFault } from '../../../dns/names.ts';
import type { Sql, SqlValue, Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { appendStatus } from '../../../platform/events/append.ts';
import { checkCmpObject, cmpObjectOf } from '../../../platform/graph/cmp-object.ts';
import { decodeUuid, encodeId } from '../../../platform/ids.ts';
import type { InputCheck } from '../../../platform/input.ts';
import type { JsonObject } from '../../../platform/json.ts';
import { nameBeyond, nameBeyondMembers } from '../conductor/flavor-check-store.ts';
import { checkedPools, checkedVantagePoints, zonesOver } from '../conductor/name-check-store.ts';
import {
  databaseTime,
  deleteObject,
  lockObject,
  type MemberObject,
  type NameRow,
  readObjects,
  updateObject,
  type ZoneObject,
} from '../conductor/object-store.ts';
import { membersTouched, namesTouched, vantagePointTouched } from '../conductor/touched.ts';
import {
  countNamesOfFlavor,
  deletePoolContent,
  detachAll,
  membersIn,
  nameInZone,
  nameOfFlavor,
  namesUsing,
  poolUses,
  setPoolUses,
  usesOf,
} from '../conductor/use-store.ts';
import { refuseTooLarge, shareOf, takeZoneRoom } from '../conductor/zone-room.ts';
import { isAnswered, newZoneTopic, readZonesNamed } from '../conductor/zone-store.ts';
import { ruleFault } from '../engine/quorum.ts';
import { created, provisioningAfter } from '../engine/states.ts';
import { gslbEvents } from '../events.ts';
import { flavor, vantagePoint, zone } from '../parts/administered.ts';
import { gslb } from '../parts/gslb.ts';
import type { GslbKind } from '../parts/kind.ts';
import { monitor } from '../parts/monitor.ts';
import { member, pool } from '../parts/pool.ts';
import { checkMember, checkMonitor } from './member-checks.ts';
import { credentialColumns } from './monitor-credentials.ts';
import { checkName, nameWithoutRight } from './name-checks.ts';
import { nameSpec, readFqdn } from './name-spec.ts';
import { checkBackendNamed, heldBackendType } from './named-backends.ts';
import type { Handler, ServiceParts } from './object-service.ts';
import { columnsOf } from './shown-settings.ts';
import { type FlavorSpec, type MonitorSecret, type QuorumSpec, quorumRule, type ZoneSpec } from './specs.ts';
import { planBefore, refuseUnsaid } from './static-checks.ts';

type Named<Type extends string> = GslbKind & { readonly name: Type };

export function monitorHandler({ wake, egress, sealer }: ServiceParts): Handler<'GslbMonitor'> {
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
      await deleteObject(tx, 'GslbMonitor', id);
    },
  };
}

/** Names that use the members of a monitor allow its delay. */
async function checkDelays(sql: Sql, check: InputCheck, monitorId: string, delayMs: number): Promise<void> {
  const { poolIds, memberIds } = await usesOf(sql, monitorId);
  const ofMembers = await poolsOfMembers(sql, memberIds);
  const shortest = await shortestDelay(sql, [...poolIds, ...ofMembers]);
  if (shortest !== undefined && delayMs < shortest.delayMs)
    check.fault(
      'delayMs',
      `delayMs is ${delayMs}; the flavor ${shortest.flavor} of a name that uses it allows ${shortest.delayMs} and more`,
    );
}

async function poolsOfMembers(sql: Sql, memberIds: readonly string[]): Promise<readonly string[]> {
  return [...new Set([...(await readObjects(sql, 'GslbPoolMember', memberIds)).values()].map(({ poolId }) => poolId))];
}

/** The longest of the shortest delays that the flavors of names with these pools allow. */
export async function shortestDelay(
  sql: Sql,
  poolIds: readonly string[],
): Promise<{ readonly delayMs: number; readonly flavor: string } | undefined> {
  const names = [...(await readObjects(sql, 'Gslb', await namesUsing(sql, poolIds))).values()];
  const flavors = await readObjects(sql, 'GslbFlavor', [...new Set(names.map(({ flavorId }) => flavorId))]);
  const all = [...flavors.values()].map(({ name, spec }) => ({ flavor: name, delayMs: spec.shortestDelayMs }));
  return all.sort((one, other) => other.delayMs - one.delayMs)[0];
}

/** Members for which a monitor is used. */
export async function touchMonitored(tx: Transaction, wake: ServiceParts['wake'], monitorId: string): Promise<void> {
  const { poolIds, memberIds } = await usesOf(tx, monitorId);
  await membersTouched(tx, wake, [...new Set([...(await membersIn(tx, poolIds)), ...memberIds])]);
}

export function poolHandler({ wake, heartbeatMs }: ServiceParts): Handler<'GslbPool'> {
  return {
    kind: pool as Named<'GslbPool'>,
    async check(sql, check, settings) {
      const { freshMs } = settings.quorum as unknown as QuorumSpec;
      if (freshMs != null && freshMs < 2 * heartbeatMs)
        check.fault(
          'quorum.freshMs',
          `quorum.freshMs is ${freshMs}: votes would be too old before a checker is heard again; give at least two heartbeats, ${2 * heartbeatMs}`,
        );
      const regions = (await checkedVantagePoints(sql)).map(({ region }) => region);
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
      await deleteObject(tx, 'GslbPool', id);
      await membersTouched(tx, wake, members);
    },
  };
}

const mostInPool = 1_000;

export function memberHandler(
  { wake, egress }: ServiceParts,
  parent: NonNullable<Handler['parent']>,
): Handler<'GslbPoolMember'> {
  const touch = async (tx: Transaction, id: string, poolId: string) => {
    await membersTouched(tx, wake, [id]);
    await namesTouched(tx, wake, await namesUsing(tx, [poolId]));
  };
  return {
    kind: member as Named<'GslbPoolMember'>,
    parent,
    // Those of a load balancer are followed.
    given: (settings) => (settings.type === 'LOADBALANCER' ? { ...settings, addresses: [] } : settings),
    async columns(_, __, { settings, before }): Promise<Readonly<Record<string, SqlValue>>> {
      if (settings.type !== 'LOADBALANCER' || before === undefined) return {};
      if (before.spec.loadBalancerId !== settings.loadBalancerId) return {};
      const { spec } = columnsOf('GslbPoolMember', settings);
      return { spec: JSON.stringify({ ...JSON.parse(String(spec)), addresses: before.spec.addresses }) };
    },
    async check(sql, check, settings, { id, poolId = '' }) {
      const { loadBalancerId } = settings;
      if (typeof loadBalancerId === 'string' && decodeUuid('LoadBalancer', loadBalancerId) === undefined)
        check.fault('loadBalancerId', `there is no LoadBalancer ${loadBalancerId}`, 'NOT_FOUND');
      await checkMember(sql, check, egress, { id, poolId, spec: settings });
    },
    async written(tx, id, _, before) {
      const row = before ?? (await lockObject(tx, 'GslbPoolMember', id));
      if (row === undefined) return;
      if (before === undefined) await checkRoom(tx, row.poolId);
      const field = before === undefined ? 'poolId' : 'id';
      await refuseUnsaid(tx, [row.poolId], field);
      await checkMemberRoom(tx, row, field);
      await touch(tx, id, row.poolId);
    },
    async remove(tx, { id, poolId }) {
      await detachAll(tx, id);
      await deleteObject(tx, 'GslbPoolMember', id);
      await touch(tx, id, poolId);
    },
  };
}

/** In its pool, which is locked for it, and in the names that use the pool. */
async function checkRoom(tx: Transaction, poolId: string): Promise<void> {
  const field = { field: ['input', 'poolId'] };
  if ((await lockObject(tx, 'GslbPool', poolId)) === undefined) refuse('NOT_FOUND', 'the pool was deleted', field);
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

export function gslbHandler({ wake }: ServiceParts): Handler<'Gslb'> {
  return {
    kind: gslb as Named<'Gslb'>,
    async check(sql, check, settings, { projectId }) {
      const read = readFqdn(String(settings.fqdn));
      if (read.fault !== undefined) return check.fault('fqdn', read.fault);
      await checkName(sql, check, { projectId: projectId ?? '', fqdn: read.fqdn, given: settings });
    },
    async hold(tx, { fqdn, flavor: flavorId }) {
      const read = readFqdn(String(fqdn));
      if (read.fault === undefined) await zonesOver(tx, read.fqdn.replace(/^\*\./, ''), 'LOCK IN SHARE MODE');
      await lockObject(tx, 'GslbFlavor', String(flavorId), 'LOCK IN SHARE MODE');
    },
    checkInput(check, input) {
      const { cmpObject } = input as { readonly cmpObject?: Parameters<typeof cmpObjectOf>[0] | null };
      if (cmpObject != null) checkCmpObject(check, 'cmpObject', cmpObjectOf(cmpObject));
    },
    async columns(tx, input, { settings, before }) {
      const { cmpObject } = input as { readonly cmpObject?: Parameters<typeof cmpObjectOf>[0] | null };
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
      const row = await lockObject(tx, 'Gslb', id);
      if (row === undefined) return;
      if (before === undefined) await checkNameCount(tx, row);
      await tellProvisioning(tx, wake, row, before?.provisioningStatus ?? null);
      // Which vantage points watch a member is what the flavors of its names say.
      const now = (await poolUses(tx, [id])).map(({ poolId }) => poolId);
      const changed = [...used, ...now].filter((each) => !(used.includes(each) && now.includes(each)));
      await membersTouched(tx, wake, await membersIn(tx, changed));
      await takeRoom(tx, row, now, before === undefined ? 'fqdn' : 'poolIds');
      await namesTouched(tx, wake, [id]);
    },
    async remove(tx, row) {
      const now = { status: row.provisioningStatus, action: row.action };
      const { status, action } = provisioningAfter(now, 'DELETE_ACCEPTED');
      const since = { provisioning_reason: null, pending_since: await databaseTime(tx) };
      const pending = { provisioning_status: status, action, ...since };
      await updateObject(tx, 'Gslb', row.id, pending);
      const after = { ...row, provisioningStatus: status, version: row.version + 1 };
      await tellProvisioning(tx, wake, after, row.provisioningStatus);
      await namesTouched(tx, wake, [row.id]);
    },
  };
}

/** In its zone, if our own name servers answer it. */
async function takeRoom(
  tx: Transaction,
  { id, fqdn, zone: zoneName, spec }: NameRow,
  poolIds: readonly string[],
  field: string,
) {
  if (!isAnswered((await readZonesNamed(tx, [zoneName])).get(zoneName))) return;
  const pools = [...(await checkedPools(tx, poolIds)).values()];
  const plan = JSON.stringify(planBefore({ fqdn, spec, pools }));
  await takeZoneRoom(tx, { id, zone: zoneName, field }, shareOf(plan, spec.clientBlocks));
}

/** The same for a new or changed member, in all names that have its pool. */
async function checkMemberRoom(tx: Transaction, { poolId, spec }: MemberObject, field: string): Promise<void> {
  const gslbIds = await namesUsing(tx, [poolId]);
  const names = [...(await readObjects(tx, 'Gslb', gslbIds)).values()];
  const zones = await readZonesNamed(tx, [...new Set(names.map((each) => each.zone))]);
  const answered = [...zones.values()].filter(isAnswered).map(({ name }) => name);
  const bytes = Buffer.byteLength(JSON.stringify(spec));
  await refuseTooLarge(tx, { gslbIds, bytes, zones: answered, field });
}

async function checkNameCount(tx: Transaction, { projectId, flavorId }: NameRow): Promise<void> {
  const flavorRow = await lockObject(tx, 'GslbFlavor', flavorId, 'LOCK IN SHARE MODE');
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
  wake: ServiceParts['wake'],
  {
    id,
    projectId,
    version,
    provisioningStatus: to,
  }: Pick<NameRow, 'id' | 'projectId' | 'version' | 'provisioningStatus'>,
  from: NameRow['provisioningStatus'] | null,
): Promise<void> {
  const subject = { projectId, subjectId: id, subjectVersion: version };
  await appendStatus(tx, gslbEvents, [{ ...subject, kind: 'gslb.provisioningStatus', from, to }], wake);
}

export function flavorHandler({ wake }: ServiceParts): Handler<'GslbFlavor'> {
  return {
    kind: flavor as Named<'GslbFlavor'>,
    async check(sql, check, settings, { id }) {
      await checkBackendNamed(sql, check, settings);
      if (id !== undefined) await checkNamesOfFlavor(sql, check, id, settings as unknown as FlavorSpec);
      const known = new Set((await checkedVantagePoints(sql)).map(({ name }) => name));
      for (const [at, name] of (settings.vantagePoints as readonly string[]).entries())
        if (!known.has(name))
          check.fault(`vantagePoints.${at}`, `there is no vantage point named ${name}`, 'NOT_FOUND');
    },
    async columns(tx, _, { settings: { name: _name, ...settings } }) {
      return { spec: JSON.stringify({ ...settings, backendType: await heldBackendType(tx, settings) }) };
    },
    async remove(tx, { id, name }) {
      const user = await nameOfFlavor(tx, id);
      if (user !== undefined)
        refuse('IN_USE', `the GSLB ${user} has the flavor ${name}: delete it first`, { field: ['input', 'id'] });
      await deleteObject(tx, 'GslbFlavor', id);
      tx.afterCommit(() => wake.notify('status'));
    },
  };
}

/** What it has allowed until now, and names of it have. */
async function checkNamesOfFlavor(sql: Sql, check: InputCheck, id: string, spec: FlavorSpec): Promise<void> {
  const before = (await readObjects(sql, 'GslbFlavor', [id])).get(id)?.spec;
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
      check.fault(bound, `the GSLB ${name.fqdn} has ${name.has}, which this would no longer allow`, 'IN_USE');
  }
}

export function vantagePointHandler({ wake, egress }: ServiceParts): Handler<'GslbVantagePoint'> {
  return {
    kind: vantagePoint as Named<'GslbVantagePoint'>,
    async check(_, check, settings) {
      for (const [at, { host, port }] of (settings.beacons as readonly { host: string; port: number }[]).entries()) {
        const denial = isIP(host) === 0 ? undefined : egress.denial(host, port);
        if (denial !== undefined) check.fault(`beacons.${at}.host`, denial.reason, 'EGRESS_DENIED');
      }
    },
    written: (tx, id) => vantagePointTouched(tx, wake, id),
    async remove(tx, { id }) {
      await deleteObject(tx, 'GslbVantagePoint', id);
      await vantagePointTouched(tx, wake, id);
    },
  };
}

export function zoneHandler({ wake }: ServiceParts): Handler<'DnsZone'> {
  return {
    kind: zone as Named<'DnsZone'>,
    async check(sql, check, settings, { id }) {
      const name = String(settings.name);
      const fault = zoneFault(name);
      if (fault !== undefined) check.fault('name', fault);
      const type = await checkBackendNamed(sql, check, settings);
      if (type === 'ANSWERER') checkOwnHead(check, settings);
      for (const [at, { suffix, projectId }] of (settings.rights as unknown as readonly Right[]).entries()) {
        const wrong = suffix === name ? undefined : nameFault(name, suffix);
        if (wrong !== undefined) check.fault(`rights.${at}.suffix`, wrong);
        if (projectId != null && decodeUuid('Project', projectId) === undefined && !uuid.test(projectId))
          check.fault(`rights.${at}.projectId`, `there is no Project ${projectId}`, 'NOT_FOUND');
      }
      const left = id === undefined ? undefined : await nameWithoutRight(sql, name, storedRights(settings));
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
      const row = await lockObject(tx, 'DnsZone', id);
      if (row === undefined) return;
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
      await deleteObject(tx, 'DnsZone', id);
    },
  };
}

/** With the UUIDs of projects. */
function storedRights({ rights }: JsonObject): ZoneSpec['rights'] {
  return (rights as unknown as readonly Right[]).map(({ suffix, projectId }) => ({
    suffix,
    projectId: projectId == null ? null : (decodeUuid('Project', projectId) ?? projectId),
  }));
}

/** What our own name servers say of themselves. */
function checkOwnHead(check: InputCheck, { nameServers, signed, secondaries }: JsonObject): void {
  if ((nameServers as readonly string[]).length > 0)
    check.fault('nameServers', 'nameServers are those that have joined with the role dns: leave it out');
  if (signed === true)
    check.fault('signed', 'whether our own name servers sign is the setting gslb.signZones: leave it out');
  if ((secondaries as readonly string[]).length > 0)
    check.fault('secondaries', 'our own name servers transfer no zones: start more of them instead', 'NOT_SUPPORTED');
}

/** As dns/ has it, where others publish names too. A zone without rights is nobody's. */
function publishedZone({ name, backendId, spec }: ZoneObject): ZoneInput {
  const bySuffix = Map.groupBy(spec.rights, ({ suffix }) => suffix);
  const rules = [...bySuffix].map(([suffix, rights]) => {
    const projectIds = rights.flatMap(({ projectId }) => projectId ?? []);
    return { suffix, projectIds: projectIds.length < rights.length ? null : projectIds };
  });
  const { nameServers, signed: isSigned, secondaries } = spec;
  const nobody = { suffix: name, projectIds: [] };
  return { name, backendId, rules: rules.length > 0 ? rules : [nobody], spec: { nameServers, isSigned, secondaries } };
}

async function zoneIdOf(tx: Transaction, name: string): Promise<string> {
  return (await readZoneNamed(tx, name))?.id ?? '';
}

interface Right {
  readonly suffix: string;
  readonly projectId?: string | null;
}

const uuid = /^[0-9a-f-]{36}$/;
