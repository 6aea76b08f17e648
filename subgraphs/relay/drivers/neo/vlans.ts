// VLANs on switches. Made with command lines (Mellanox Onyx User Manual, VLANs), because NEO has no template for them; read from
// NEO's collected data (REST API Guide 2.7.20, Systems VLANs), which may lag behind a job by a few seconds.

import type { HttpReply, JsonObject, MappedObject, ResourceReader } from '../driver.ts';
import { argumentsSchema, given, isObject } from '../json.ts';
import { type JobGuard, jobOperation, runCli } from './actions.ts';
import { get, type NeoOperation, objectsIn, readAnswer, readOutcome } from './rest.ts';
import { devices, vlan } from './schema.ts';
import { devicesIn, systemsQuery } from './systems.ts';

const separator = ',';
/** VLAN 1 always exists. */
const ownVlan = { ...vlan, minimum: 2 } as const;

const vlanName = {
  type: 'string',
  maxLength: 40,
  pattern: '^[A-Za-z0-9._-]{1,40}$',
  description: '1 to 40 letters, digits, dots, hyphens and underscores.',
} as const;

const object = (args: JsonObject) => ({
  resource: 'vlan',
  scope: devicesIn(args.devices).join(separator),
  key: String(args.vlan),
});

export const vlanCreate: NeoOperation = jobOperation({
  name: 'vlan.create',
  summary: 'Creates a VLAN on switches. NEO runs a job, so the operation is ACCEPTED at first.',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      vlan: ownVlan,
      name: vlanName,
      devices,
      replaces: {
        ...argumentsSchema({ name: vlanName }),
        description:
          'The VLAN of this number that gets another name; without `name` one that has none. Any other one is left alone, and the call is refused. Default: as recorded in its mapping.',
      },
    },
    ['vlan', 'devices'],
  ),
  example: { vlan: 100, name: 'tenant-42', devices: ['10.224.15.29'] },
  object,
  mapping: 'creates',
  desired: ({ vlan: id, name, devices: on }) => ({ vlan: id, name, devices: devicesIn(on) }),
  recognised: (object) => (object.recorded === undefined ? {} : { replaces: nameOf(object) }),
  guard: ({ replaces, ...args }) => guardOf(args, isObject(replaces) ? [args, replaces] : [args], 'ALREADY_EXISTS'),
  call: ({ vlan: id, name, devices: on }) => {
    const named = name === undefined ? [] : [`vlan ${String(id)} name "${String(name)}"`];
    return runCli(devicesIn(on), [`vlan ${String(id)}`, 'exit', ...named]);
  },
});

export const vlanDelete: NeoOperation = jobOperation({
  name: 'vlan.delete',
  summary: 'Deletes a VLAN of this name from switches. NEO runs a job, so the operation is ACCEPTED at first.',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ vlan: ownVlan, name: vlanName, devices }, ['vlan', 'devices']),
  example: { vlan: 100, name: 'tenant-42', devices: ['10.224.15.29'] },
  object,
  mapping: 'deletes',
  recognised: nameOf,
  guard: (args) => guardOf(args, [args], 'CHANGED'),
  call: ({ vlan: id, devices: on }) => runCli(devicesIn(on), [`no vlan ${String(id)}`]),
});

/** A VLAN is recognised by its name on each switch. What NEO has not collected yet is no obstacle. */
function guardOf(args: JsonObject, own: readonly JsonObject[], code: string): JobGuard {
  const on = devicesIn(args.devices);
  const names = own.map(({ name }) => String(name ?? ''));
  return {
    path: vlansPath(on),
    obstacle(reply) {
      const answer = readAnswer(reply);
      const vlans = answer.kind === 'value' ? objectsIn(answer.value)?.map(describe) : undefined;
      if (vlans === undefined) {
        const words = answer.kind === 'value' ? "NEO's answer does not fit the request." : answer.message;
        return {
          state: 'FAILED',
          code: 'DEVICE_BUSY',
          message: `The VLANs could not be read, so nothing was sent. ${words}`,
        };
      }
      const other = vlans.find(
        ({ vlan: id, device, name }) =>
          id === args.vlan && on.includes(String(device)) && !names.includes(String(name ?? '')),
      );
      if (other === undefined) return undefined;
      const message = `VLAN ${String(args.vlan)} has the name ${JSON.stringify(other.name)} on ${String(other.device)}: somebody else made it, or changed it. Nothing was sent: verify the mapping.`;
      return { state: 'FAILED', code, message };
    },
  };
}

const vlansPath = (on: readonly string[]) => `/neo/resources/vlans${systemsQuery(on)}`;

/** Names that differ between switches are recorded together, and then no switch has the name. */
function nameOf({ recorded }: Pick<MappedObject, 'recorded'>): JsonObject {
  const name = recorded?.name;
  return given({ name: typeof name === 'string' && name !== '' ? name : undefined });
}

function describe(one: JsonObject): JsonObject {
  return {
    vlan: one.vlanID ?? null,
    name: one.vlanName ?? null,
    device: one.systemIP ?? null,
    ports: Array.isArray(one.portNames) ? one.portNames.map(String).sort() : [],
  };
}

export const vlanList: NeoOperation = {
  name: 'vlan.list',
  summary: 'Lists the VLANs of switches.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ devices }),
  example: { devices: ['10.224.15.29'] },
  render: (args) => get(vlansPath(devicesIn(args.devices))),
  interpret: (reply) =>
    readOutcome(reply, (value) => {
      const vlans = objectsIn(value);
      return vlans && { vlans: vlans.map(describe) };
    }),
};

/** The switches of a mapping; entries that are not addresses are left out. */
const devicesOf = (scope: string): readonly string[] =>
  scope.split(separator).filter((each) => /^[0-9.]{7,15}$/.test(each));

/** One VLAN on several switches is one object: present if at least one has it, and `devices` lists those. */
export const vlanReader: ResourceReader<HttpReply> = {
  lists: { devices: 'SET' },
  own: ['name'],
  render: ({ scope }) => get(vlansPath(devicesOf(scope))),
  interpret(reply, { scope, key }) {
    const answer = readAnswer(reply);
    if (answer.kind !== 'value') return { finding: 'UNREADABLE', message: answer.message };
    const vlans = objectsIn(answer.value)?.map(describe);
    if (!vlans) return { finding: 'UNREADABLE', message: "NEO's answer does not fit the request." };
    const found = vlans.filter((each) => String(each.vlan) === key && devicesOf(scope).includes(String(each.device)));
    if (found.length === 0) return { finding: 'ABSENT' };
    const names = [...new Set(found.map((each) => String(each.name ?? '')))].sort();
    const on = found.map((each) => String(each.device)).sort();
    // Different names on different switches are all listed.
    return { finding: 'PRESENT', values: { vlan: Number(key), name: names.join(separator), devices: on } };
  },
  remove: (object) => ({
    operation: 'vlan.delete',
    arguments: { vlan: Number(object.key), devices: devicesOf(object.scope), ...nameOf(object) },
  }),
};
