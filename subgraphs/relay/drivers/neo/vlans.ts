// VLANs on switches. Made with command lines (Mellanox Onyx User Manual, VLANs), because NEO has no template for them; read from
// NEO's collected data (REST API Guide 2.7.20, Systems VLANs), which may lag behind a job by a few seconds.

import type { HttpReply, JsonObject, ResourceReader } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { jobOperation, runCli } from './actions.ts';
import { get, type NeoOperation, objectsIn, readAnswer, readOutcome } from './rest.ts';
import { devices, vlan } from './schema.ts';
import { devicesIn, systemsQuery } from './systems.ts';

const separator = ',';
/** VLAN 1 always exists. */
const ownVlan = { ...vlan, minimum: 2 } as const;

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
      name: {
        type: 'string',
        maxLength: 40,
        pattern: '^[A-Za-z0-9._-]{1,40}$',
        description: '1 to 40 letters, digits, dots, hyphens and underscores.',
      },
      devices,
    },
    ['vlan', 'devices'],
  ),
  example: { vlan: 100, name: 'tenant-42', devices: ['10.224.15.29'] },
  object,
  mapping: 'creates',
  desired: ({ vlan: id, name, devices: on }) => ({ vlan: id, name, devices: devicesIn(on) }),
  call: ({ vlan: id, name, devices: on }) => {
    const named = name === undefined ? [] : [`vlan ${String(id)} name "${String(name)}"`];
    return runCli(devicesIn(on), [`vlan ${String(id)}`, 'exit', ...named]);
  },
});

export const vlanDelete: NeoOperation = jobOperation({
  name: 'vlan.delete',
  summary: 'Deletes a VLAN from switches. NEO runs a job, so the operation is ACCEPTED at first.',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ vlan: ownVlan, devices }, ['vlan', 'devices']),
  example: { vlan: 100, devices: ['10.224.15.29'] },
  object,
  mapping: 'deletes',
  call: ({ vlan: id, devices: on }) => runCli(devicesIn(on), [`no vlan ${String(id)}`]),
});

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
  render: (args) => get(`/neo/resources/vlans${systemsQuery(devicesIn(args.devices))}`),
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
  render: ({ scope }) => get(`/neo/resources/vlans${systemsQuery(devicesOf(scope))}`),
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
  remove: ({ scope, key }) => ({
    operation: 'vlan.delete',
    arguments: { vlan: Number(key), devices: devicesOf(scope) },
  }),
};
