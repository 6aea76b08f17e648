// Checks of a name beyond its own settings: its zone and the right to use it, its flavor, its pools, and the names around it.
// They run before the transaction to report all faults at once, and again inside it.

import { claimFault, claimName, type NameClaim } from '../../../../dns/ownership/name-claims.ts';
import { projectLabels, rulingOf, type ZoneRule } from '../../../../dns/ownership/name-rules.ts';
import { cnameLoop } from '../../../../dns/policy/cname-loop.ts';
import { capabilities } from '../../../../dns/records/backend-types.ts';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { projectsNamed } from '../../../../platform/edge/projects.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { encodeId } from '../../../../platform/values/ids.ts';
import type { JsonObject } from '../../../../platform/values/json.ts';
import { ruleFault } from '../../rules/quorum.ts';
import { type FlavorSpec, type GslbSpec, quorumRule, type ZoneSpec } from '../../spec/specs.ts';
import { ownerOf } from '../plans/static-names.ts';
import { readEntities } from './entity-store.ts';
import { namesOfZone } from './flavor-check-store.ts';
import {
  type CheckedPool,
  type CheckedZone,
  checkedPools,
  checkedVantagePoints,
  cnamesOfNames,
  zonesOver,
} from './name-check-store.ts';
import { nameSpec } from './name-spec.ts';
import { isSameBackend } from './named-backends.ts';
import { staticFaults } from './static-checks.ts';

interface CheckedName {
  /** Undefined if it is new. */
  readonly id: string | undefined;
  readonly projectId: string;
  readonly fqdn: string;
  /** Valid settings. */
  readonly given: JsonObject;
}

/** The name of the zone. Undefined if faults were added to `check`. */
export async function checkName(sql: Sql, check: InputCheck, name: CheckedName): Promise<string | undefined> {
  const { id, projectId, fqdn, given } = name;
  const spec = nameSpec(given);
  const zone = await checkZone(sql, check, { id, projectId, fqdn });
  const flavorId = String(given.flavor);
  const flavor = (await readEntities(sql, 'GslbFlavor', [flavorId])).get(flavorId);
  if (flavor !== undefined && !flavor.deleted) checkFlavor(check, flavor.name, flavor.spec, spec);
  // What is no id of a flavor has its fault already.
  else if (flavorId !== '')
    check.fault('flavorId', `there is no GslbFlavor ${encodeId('GslbFlavor', flavorId)}`, 'NOT_FOUND');
  const pools = await checkPools(sql, check, projectId, given);
  if (zone === undefined || flavor === undefined || flavor.deleted || pools === undefined) return undefined;
  const backend = { id: zone.backendId, type: zone.backendType };
  if (!isSameBackend({ id: flavor.spec.backend, type: flavor.spec.backendType }, backend))
    check.fault(
      'flavorId',
      `the flavor ${flavor.name} is for a DNS backend of another type (${flavor.spec.backendType}) than the zone ${zone.name} (${zone.backendType})`,
    );
  checkMembers(check, { name: flavor.name, spec: flavor.spec }, pools);
  await checkRules(sql, check, flavor.spec, pools);
  await checkCnames(sql, check, name, zone.name, spec, pools);
  if (!capabilities[zone.backendType].policies)
    for (const { field, message } of staticFaults({ fqdn, zone: zone.name, type: zone.backendType, spec, pools }))
      check.fault(field, message, 'NOT_SUPPORTED');
  return zone.name;
}

async function checkZone(
  sql: Sql,
  check: InputCheck,
  { id, projectId, fqdn }: Pick<CheckedName, 'id' | 'projectId' | 'fqdn'>,
): Promise<CheckedZone | undefined> {
  const [zone] = await zonesOver(sql, fqdn.replace(/^\*\./, ''));
  if (zone === undefined) {
    check.fault('fqdn', `fqdn is ${fqdn}, which is in no zone in which this project may create names`);
    return undefined;
  }
  // An existing name stays, even if the rights have changed.
  if (id !== undefined) return zone;
  const fault = await claimFault(sql, await claimOf(sql, { id: '', projectId, fqdn }, zone));
  if (fault === undefined) return zone;
  check.fault('fqdn', `fqdn is ${fqdn}; ${fault.message}`, fault.code === 'NO_RIGHT' ? 'INVALID_INPUT' : fault.code);
  return undefined;
}

/** Runs in the transaction that has inserted the GSLB. Refuses NAME_TAKEN, INVALID_INPUT. */
export async function takeName(
  tx: Transaction,
  name: { readonly id: string; readonly projectId: string; readonly fqdn: string },
): Promise<void> {
  const [zone] = await zonesOver(tx, name.fqdn.replace(/^\*\./, ''));
  const field = { field: ['input', 'fqdn'] };
  if (zone === undefined) return refuse('INVALID_INPUT', `fqdn is ${name.fqdn}, whose zone was deleted`, field);
  const fault = await claimName(tx, await claimOf(tx, name, zone));
  if (fault !== undefined)
    refuse(fault.code === 'NO_RIGHT' ? 'INVALID_INPUT' : fault.code, `fqdn is ${name.fqdn}; ${fault.message}`, field);
}

async function claimOf(
  sql: Sql,
  { id, projectId, fqdn }: { readonly id: string; readonly projectId: string; readonly fqdn: string },
  { name, spec, backendType }: CheckedZone,
): Promise<NameClaim> {
  const [project] = await projectsNamed(sql, { ids: [projectId] });
  return {
    ...{ name: fqdn, owner: ownerOf({ id }), project: { id: projectId, name: project?.name ?? '' } },
    zone: {
      ...{ name, rules: rulesOf(spec.rights, name), nameServers: spec.nameServers ?? [] },
      hasOwnServers: capabilities[backendType].policies,
    },
  };
}

type Rights = ZoneSpec['rights'];

/** Nobody may create names in a zone without rights. */
export function rulesOf(rights: Rights, zone = ''): readonly ZoneRule[] {
  if (rights.length === 0) return [{ suffix: zone, projectIds: [] }];
  return rights.map(({ suffix, projectId, allows = [] }) => ({
    ...{ suffix, projectIds: projectId === null ? null : [projectId], allows },
  }));
}

const namesAtOnce = 1_000;

/** A name of the zone that the rights `before` allow and the rights `after` do not. Undefined if there is none. */
export async function nameWithoutRight(
  sql: Sql,
  zone: string,
  { before, after }: { readonly before: Rights; readonly after: Rights },
): Promise<string | undefined> {
  const [old, next] = [rulesOf(before, zone), rulesOf(after, zone)];
  const projects = new Map<string, string>();
  const names = new Map<string, string>();
  const look = async (wanted: Parameters<typeof projectsNamed>[1]) => {
    for (const { id, name } of await projectsNamed(sql, wanted)) {
      projects.set(name, id);
      names.set(id, name);
    }
  };
  const asked = new Set<string>();
  for (let from = ''; ; ) {
    const page = await namesOfZone(sql, zone, from, namesAtOnce);
    await look({ ids: [...new Set(page.map(({ projectId }) => projectId))].filter((id) => !names.has(id)) });
    for (const { fqdn } of page)
      for (const label of projectLabels([...old, ...next], { name: fqdn, zone })) {
        if (!projects.has(label) && !asked.has(label)) await look({ name: label });
        asked.add(label);
      }
    const may = (rules: readonly ZoneRule[], fqdn: string, id: string) =>
      rulingOf(rules, { name: fqdn, zone, project: { id, name: names.get(id) ?? '' } }, projects).allowed;
    const left = page.find(({ fqdn, projectId }) => may(old, fqdn, projectId) && !may(next, fqdn, projectId));
    if (left !== undefined || page.length < namesAtOnce) return left?.fqdn;
    from = page.at(-1)?.fqdn ?? '';
  }
}

function checkFlavor(check: InputCheck, name: string, flavor: FlavorSpec, spec: GslbSpec): void {
  const { policies, shortestTtlSeconds: least, longestTtlSeconds: most } = flavor;
  const { preset } = spec.policy;
  if (policies.length > 0 && !policies.includes(preset))
    check.fault('policy', `policy is ${preset}; the flavor ${name} has ${policies.join(', ')}`, 'NOT_SUPPORTED');
  for (const field of ['ttlSeconds', 'degradedTtlSeconds'] as const) {
    const value = spec[field];
    if (value !== null && (value < least || value > most))
      check.fault(field, `${field} is ${value}; the flavor ${name} allows ${least} to ${most}`);
  }
}

async function checkPools(
  sql: Sql,
  check: InputCheck,
  projectId: string,
  given: JsonObject,
): Promise<readonly CheckedPool[] | undefined> {
  const ids = given.pools as readonly string[];
  const fallback = given.fallbackPool as string | null;
  const found = await checkedPools(sql, fallback === null ? ids : [...ids, fallback]);
  const named = [
    ...ids.map((id, at) => [`poolIds.${at}`, id] as const),
    ...(fallback === null ? [] : [['fallbackPoolId', fallback] as const]),
  ];
  const before = check.errors.length;
  // An empty one has its fault already.
  for (const [field, id] of named)
    if (id !== '' && found.get(id)?.projectId !== projectId)
      check.fault(field, `there is no GslbPool ${encodeId('GslbPool', id)}`, 'NOT_FOUND');
  if (fallback !== null && ids.includes(fallback))
    check.fault(
      'fallbackPoolId',
      'fallbackPoolId is one of poolIds, so the pool would fall back to itself; give another pool',
    );
  return check.errors.length > before || ids.includes('') ? undefined : named.flatMap(([, id]) => found.get(id) ?? []);
}

function checkMembers(
  check: InputCheck,
  flavor: { readonly name: string; readonly spec: FlavorSpec },
  pools: readonly CheckedPool[],
): void {
  const { mostMembers, shortestDelayMs } = flavor.spec;
  const count = pools.reduce((sum, { members }) => sum + members.length, 0);
  if (count > mostMembers)
    check.fault(
      'poolIds',
      `the pools have ${count} members; the flavor ${flavor.name} allows ${mostMembers}`,
      'LIMIT_REACHED',
    );
  const hasty = pools.flatMap(({ monitors }) => monitors).find(({ spec }) => spec.delayMs < shortestDelayMs);
  if (hasty !== undefined)
    check.fault(
      'poolIds',
      `the monitor ${hasty.name} has intervalMs ${hasty.spec.delayMs}; the flavor ${flavor.name} allows ${shortestDelayMs} and more`,
    );
}

/** Refuses rules that no votes could ever meet. */
async function checkRules(
  sql: Sql,
  check: InputCheck,
  { vantagePoints: names }: FlavorSpec,
  pools: readonly CheckedPool[],
): Promise<void> {
  const watching = (await checkedVantagePoints(sql)).filter(({ name }) => names.length === 0 || names.includes(name));
  if (watching.length === 0) return;
  const regions = watching.map(({ region }) => region);
  for (const { name, spec } of pools) {
    const fault = ruleFault(quorumRule(spec.quorum, regions.length, 0), regions);
    if (fault !== undefined) check.fault('poolIds', `the quorum of the pool ${name} can't be met: ${fault}`);
  }
}

/** Length of a chain of CNAMEs with all its branches. Resolvers give up long before. */
const mostFollowed = 10_000;
const followedAtOnce = 200;

async function checkCnames(
  sql: Sql,
  check: InputCheck,
  { fqdn, given }: CheckedName,
  zone: string,
  spec: GslbSpec,
  pools: readonly CheckedPool[],
): Promise<void> {
  const ofMembers = pools.flatMap(({ members }) => members.flatMap((member) => member.spec.cname ?? []));
  const { noneUp } = spec;
  if (fqdn === zone && ofMembers.length > 0)
    check.fault('poolIds', `${fqdn} is the zone itself: it can't be a CNAME, and the pools have members of type FQDN`);
  if (fqdn === zone && noneUp.do === 'CNAME')
    check.fault('fallbackCname', `${fqdn} is the zone itself: it can't be a CNAME; choose another noneUp`);
  const own = [...ofMembers, ...(noneUp.do === 'CNAME' ? [noneUp.target] : [])].map((each) => each.toLowerCase());
  const loop = await findLoop(sql, new Map([[fqdn, own]]));
  if (loop !== undefined)
    check.fault(given.noneUp === 'CNAME' ? 'fallbackCname' : 'poolIds', `CNAMEs lead back: ${loop.join(' → ')}`);
}

/** The same check for names whose pools have a new member of type FQDN. Refuses INVALID_INPUT. */
export async function refuseCnames(tx: Transaction, gslbIds: readonly string[]): Promise<void> {
  const field = { field: ['input', 'cname'] };
  const names = [...(await readEntities(tx, 'Gslb', gslbIds)).values()];
  const apex = names.find(({ fqdn, zone }) => fqdn === zone);
  if (apex !== undefined)
    refuse('INVALID_INPUT', `${apex.fqdn} has the pool, and is the zone itself: it can't be a CNAME`, field);
  const loop = await findLoop(
    tx,
    await cnamesOfNames(
      tx,
      names.map(({ fqdn }) => fqdn),
    ),
  );
  if (loop !== undefined) refuse('INVALID_INPUT', `CNAMEs lead back: ${loop.join(' → ')}`, field);
}

/** `from`: names with their possible targets. */
async function findLoop(
  sql: Sql,
  from: ReadonlyMap<string, readonly string[]>,
): Promise<readonly string[] | undefined> {
  const targets = new Map(from);
  const asked = new Set(from.keys());
  const left = new Set([...from.values()].flat());
  while (asked.size < mostFollowed) {
    const unknown = [...left].filter((name) => !asked.has(name)).slice(0, followedAtOnce);
    if (unknown.length === 0) break;
    for (const name of unknown) {
      asked.add(name);
      left.delete(name);
    }
    for (const [name, to] of await cnamesOfNames(sql, unknown)) {
      if (targets.has(name)) continue;
      targets.set(name, to);
      for (const each of to) left.add(each);
    }
  }
  return cnameLoop(targets);
}
