// Ports of switches: their VLANs, and whether they are enabled. Set by command lines (Mellanox Onyx User Manual, VLANs), because
// the REST API Guide 2.7.20 documents no arguments of a suitable template; read from NEO's collected data.

import type { ArgumentFault, HttpReply, JsonObject, JsonValue, ResourceReader } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { jobOperation, provisionPorts, runCli } from './actions.ts';
import { get, type NeoOperation, objectsIn, readAnswer, readOutcome } from './rest.ts';
import { device, devices, port, templateArguments, templateName, vlan } from './schema.ts';
import { devicesIn, systemsQuery } from './systems.ts';

/** `1/4` for 1/4, Eth1/4 and eth1/4. */
const numberOf = (value: JsonValue | undefined): string => String(value).replace(/^eth/i, '');
const captionOf = (value: JsonValue | undefined): string => `Eth${numberOf(value)}`;

const object = (args: JsonObject) => ({
  resource: 'port',
  scope: String(args.device),
  key: numberOf(args.port),
});

function vlanFaults(args: JsonObject): readonly ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  if ((args.vlan === undefined) === (args.mode !== 'trunk')) {
    faults.push({ path: ['vlan'], message: 'is required for the modes access and hybrid, and not allowed otherwise' });
  }
  if ((args.allowedVlans === undefined) === (args.mode !== 'access')) {
    faults.push({
      path: ['allowedVlans'],
      message: 'is required for the modes trunk and hybrid, and not allowed otherwise',
    });
  }
  return faults;
}

function numbersIn(value: JsonValue | undefined): readonly number[] {
  return Array.isArray(value) ? value.map(Number).sort((a, b) => a - b) : [];
}

export const portSetVlans: NeoOperation = jobOperation({
  name: 'port.setVlans',
  summary:
    'Sets the VLANs that a port carries. All VLANs are set again, which briefly interrupts the tagged ones. NEO runs a job, so the operation is ACCEPTED at first.',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      device,
      port,
      mode: { type: 'string', enum: ['access', 'trunk', 'hybrid'] },
      vlan: { ...vlan, description: 'The untagged VLAN, for access and hybrid.' },
      allowedVlans: {
        type: 'array',
        items: vlan,
        minItems: 1,
        maxItems: 256,
        uniqueItems: true,
        description: 'The tagged VLANs, for trunk and hybrid.',
      },
    },
    ['device', 'port', 'mode'],
  ),
  example: { device: '10.224.15.29', port: '1/4', mode: 'access', vlan: 100 },
  refine: vlanFaults,
  object,
  mapping: 'creates',
  desired: (args) => ({
    device: args.device,
    port: numberOf(args.port),
    mode: args.mode,
    vlan: args.vlan,
    ...(args.allowedVlans === undefined ? {} : { allowedVlans: numbersIn(args.allowedVlans) }),
  }),
  call: ({ device: on, port: which, mode, vlan: untagged, allowedVlans }) => {
    const line = (words: string): string => `interface ethernet ${numberOf(which)} switchport ${words}`;
    const allowed = (words: string): string => line(`${String(mode)} allowed-vlan ${words}`);
    return runCli(
      [String(on)],
      [
        line(`mode ${String(mode)}`),
        ...(untagged === undefined ? [] : [line(`access vlan ${String(untagged)}`)]),
        ...(allowedVlans === undefined ? [] : [allowed('none')]),
        ...numbersIn(allowedVlans).map((id) => allowed(`add ${id}`)),
      ],
    );
  },
});

export const portReset: NeoOperation = jobOperation({
  name: 'port.reset',
  summary: 'Returns a port to the default VLAN, untagged. NEO runs a job, so the operation is ACCEPTED at first.',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ device, port }, ['device', 'port']),
  example: { device: '10.224.15.29', port: '1/4' },
  object,
  mapping: 'deletes',
  call: ({ device: on, port: which }) => {
    const line = (words: string): string => `interface ethernet ${numberOf(which)} switchport ${words}`;
    return runCli([String(on)], [line('mode access'), line('access vlan 1')]);
  },
});

export const portSetEnabled: NeoOperation = jobOperation({
  name: 'port.setEnabled',
  summary:
    'Enables or disables a port with the template Enable-Ports or Disable-Ports. NEO runs a job, so the operation is ACCEPTED at first.',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ device, port, enabled: { type: 'boolean' } }, ['device', 'port', 'enabled']),
  example: { device: '10.224.15.29', port: '1/4', enabled: true },
  object,
  mapping: 'updates',
  desired: ({ enabled }) => ({ enabled }),
  call: ({ device: on, port: which, enabled }) =>
    provisionPorts(enabled === true ? 'Enable-Ports' : 'Disable-Ports', String(on), [captionOf(which)], {}),
});

export const portProvision: NeoOperation = jobOperation({
  name: 'port.provision',
  summary:
    'Runs a template for ports of a switch, for example Set-MTU. NEO runs a job, so the operation is ACCEPTED at first.',
  effect: 'NON_IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      template: templateName,
      device,
      ports: { type: 'array', items: port, minItems: 1, maxItems: 128, uniqueItems: true },
      arguments: templateArguments,
    },
    ['template', 'device', 'ports'],
  ),
  example: { template: 'Set-MTU', device: '10.224.15.29', ports: ['1/4'], arguments: { mtu: 9216 } },
  object: (args) => ({ resource: 'switch', scope: '', key: String(args.device) }),
  call: (args) => {
    const ports = Array.isArray(args.ports) ? args.ports.map(captionOf) : [];
    return provisionPorts(String(args.template), String(args.device), ports, args.arguments ?? {});
  },
});

function describe(one: JsonObject): JsonObject {
  const mode = String(one.vlanMode).toLowerCase();
  return {
    device: one.systemIP ?? null,
    port: numberOf(one.name),
    mode,
    // A trunk's untagged VLAN has no meaning, nor have an access port's tagged ones.
    ...(mode === 'trunk' ? {} : { vlan: one.accessVlan }),
    ...(mode === 'access' ? {} : { allowedVlans: numbersIn(one.allowedVlans) }),
    enabled: one.adminState === 'Enabled',
  };
}

export const portList: NeoOperation = {
  name: 'port.list',
  summary: 'Lists the ports of switches.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ devices }),
  example: { devices: ['10.224.15.29'] },
  render: (args) => get(`/neo/resources/ports${systemsQuery(devicesIn(args.devices))}`),
  interpret: (reply) =>
    readOutcome(reply, (value) => {
      const ports = objectsIn(value);
      const more = (one: JsonObject) => ({
        operational: one.operationalState ?? null,
        mtu: one.mtu ?? null,
        speed: one.activeSpeed ?? null,
        description: one.description ?? null,
      });
      return ports && { ports: ports.map((one) => ({ ...describe(one), ...more(one) })) };
    }),
};

const isDevice = (scope: string): boolean => /^[0-9.]{7,15}$/.test(scope);

export const portReader: ResourceReader<HttpReply> = {
  lists: { allowedVlans: 'SET' },
  own: ['enabled'],
  render: ({ scope }) => get(`/neo/resources/ports${systemsQuery(isDevice(scope) ? [scope] : [])}`),
  interpret(reply, { scope, key }) {
    const answer = readAnswer(reply);
    if (answer.kind !== 'value') return { finding: 'UNREADABLE', message: answer.message };
    const ports = objectsIn(answer.value);
    if (!ports) return { finding: 'UNREADABLE', message: "NEO's answer does not fit the request." };
    const one = ports.map(describe).find((each) => each.device === scope && each.port === key);
    return one ? { finding: 'PRESENT', values: one } : { finding: 'ABSENT' };
  },
  remove: ({ scope, key }) => ({ operation: 'port.reset', arguments: { device: scope, port: key } }),
};
