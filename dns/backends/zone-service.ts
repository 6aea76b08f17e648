// Zones, as an administrator assigns them to backends, and the rights to create names in them. Runs inside the caller's transaction.
import type { Transaction } from '../../platform/database/database.ts';
import { refuse } from '../../platform/errors/errors.ts';
import { InputCheck } from '../../platform/input/input.ts';
import { owe } from '../../platform/owed/owed-work.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { nameFault, zoneFault } from '../names.ts';
import type { ZoneRule } from '../ownership/name-rules.ts';
import { capabilities } from '../records/backend-types.ts';
import { driftKind, zoneKind } from '../records/record-store.ts';
import { placeOf } from '../servers/transport.ts';
import { readBackend } from './backend-store.ts';
import {
  type AdminZone,
  changeZone,
  deleteZone,
  insertZone,
  lockZone,
  nameIn,
  readZoneById,
  readZoneNamed,
  type ZoneSpec,
} from './zone-store.ts';

export interface ZoneInput {
  readonly name: string;
  /** Null for the servers in the settings. */
  readonly backendId: string | null;
  readonly rules: readonly ZoneRule[];
  readonly spec: ZoneSpec;
}

const mostRules = 100;
const mostProjects = 1_000;
const mostServers = 13;

/** Refuses INVALID_INPUT, NOT_FOUND, NOT_SUPPORTED, IN_USE, ALREADY_EXISTS. */
export async function createZone(tx: Transaction, wake: Wake, input: ZoneInput): Promise<AdminZone> {
  await checkZone(tx, input);
  const before = (await lockZone(tx, input.name)) ? await readZoneNamed(tx, input.name) : undefined;
  if (before?.managed === true) refuse('ALREADY_EXISTS', `there is a zone ${input.name}`, { field: ['input', 'name'] });
  if (before === undefined) await insertZone(tx, input);
  else {
    // It was created with its first name.
    await refuseMoved(tx, before, input);
    await changeZone(tx, input);
  }
  await oweZone(tx, wake, input.name);
  return (await readZoneNamed(tx, input.name)) as AdminZone;
}

export async function updateZone(tx: Transaction, wake: Wake, id: string, input: ZoneInput): Promise<AdminZone> {
  const before = await lockById(tx, id);
  if (before.name !== input.name)
    refuse('INVALID_INPUT', `the zone is ${before.name}, which never changes: make another zone`, {
      field: ['input', 'name'],
    });
  await checkZone(tx, input);
  await refuseMoved(tx, before, input);
  await changeZone(tx, input);
  await oweZone(tx, wake, input.name);
  return (await readZoneNamed(tx, input.name)) as AdminZone;
}

/** The zone's name servers keep its records. Refuses NOT_FOUND, IN_USE. */
export async function removeZone(tx: Transaction, id: string): Promise<void> {
  const { name } = await lockById(tx, id);
  const used = await nameIn(tx, name);
  if (used !== undefined)
    refuse('IN_USE', `the zone has the name ${used}: delete its owner, and wait until the servers have removed it`);
  await deleteZone(tx, name);
}

async function lockById(tx: Transaction, id: string): Promise<AdminZone> {
  const found = await readZoneById(tx, id);
  if (found === undefined || !(await lockZone(tx, found.name)))
    return refuse('NOT_FOUND', 'there is no such zone', { field: ['input', 'id'] });
  return (await readZoneNamed(tx, found.name)) as AdminZone;
}

async function checkZone(tx: Transaction, input: ZoneInput): Promise<void> {
  checkZoneText(input);
  const { backendId, spec } = input;
  const backend = backendId === null ? undefined : await readBackend(tx, backendId);
  if (backendId !== null && backend === undefined)
    refuse('NOT_FOUND', 'there is no such DNS backend', { field: ['input', 'backendId'] });
  refuseUnable(backend?.type ?? 'RFC2136', spec);
}

function checkZoneText({ name, rules, spec }: ZoneInput): void {
  const check = new InputCheck();
  const wrong = zoneFault(name);
  if (wrong !== undefined) check.fault('name', wrong);
  if (rules.length > mostRules)
    check.fault('rules', `${rules.length} rules are given; at most ${mostRules} are allowed`);
  for (const [index, { suffix, projectIds }] of rules.entries()) {
    const fault = suffix === name ? undefined : nameFault(name, suffix);
    if (fault !== undefined) check.fault(`rules.${index}.suffix`, fault);
    if ((projectIds?.length ?? 0) > mostProjects)
      check.fault(`rules.${index}.projectIds`, `at most ${mostProjects} projects are allowed`);
  }
  for (const [field, list] of Object.entries({ nameServers: spec.nameServers, secondaries: spec.secondaries })) {
    if (list.length > mostServers) check.fault(field, `${list.length} are given; at most ${mostServers} are allowed`);
  }
  for (const [index, each] of spec.nameServers.entries()) {
    const fault = zoneFault(each);
    if (fault !== undefined) check.fault(`nameServers.${index}`, fault);
  }
  for (const [index, each] of spec.secondaries.entries()) {
    if (placeOf(each) === undefined) check.fault(`secondaries.${index}`, 'give ADDRESS:PORT, as 192.0.2.53:53');
  }
  check.throwIfAny();
}

/** Settings that the type of backend does not have. */
function refuseUnable(type: keyof typeof capabilities, spec: ZoneInput['spec']): void {
  const { makesZones, signsZones } = capabilities[type];
  if (spec.isSigned && !signsZones)
    refuse('NOT_SUPPORTED', `a backend of type ${type} does not sign zones by itself: set it up there`, {
      field: ['input', 'signed'],
    });
  if (spec.secondaries.length > 0 && type !== 'POWERDNS')
    refuse('NOT_SUPPORTED', `a backend of type ${type} has no secondaries from here: set them up there`, {
      field: ['input', 'secondaries'],
    });
  if (type === 'DESIGNATE' && spec.nameServers.length > 0)
    refuse('NOT_SUPPORTED', 'a zone at Designate has the name servers of its pool: omit nameServers', {
      field: ['input', 'nameServers'],
    });
  if (makesZones && type === 'POWERDNS' && spec.nameServers.length === 0)
    refuse('INVALID_INPUT', 'nameServers is empty: the zone is made with these NS records', {
      field: ['input', 'nameServers'],
    });
}

/** Published records would stay at the old backend. */
async function refuseMoved(tx: Transaction, before: AdminZone, { backendId }: ZoneInput): Promise<void> {
  if (before.backendId === backendId) return;
  const used = await nameIn(tx, before.name);
  if (used !== undefined)
    refuse('IN_USE', `the zone has the name ${used}, so it stays at its backend: delete its names first`, {
      field: ['input', 'backendId'],
    });
}

/** Owes the creation of the zone at its backend's servers, and a check of their answers. */
export async function oweZone(tx: Transaction, wake: Wake, zone: string): Promise<void> {
  await owe(tx, zoneKind, zone, {}, wake);
  await owe(tx, driftKind, zone, {}, wake);
}
