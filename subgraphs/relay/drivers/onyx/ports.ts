// The VLANs of a port or port-channel: `switchport` (Mellanox Onyx User Manual 3.7 to 3.10, VLANs).

import type { ArgumentFault, JsonObject, OperationSpec, ResourceReader } from '../driver.ts';
import { argumentsSchema, plainRead } from '../json.ts';
import { type PortMode, type PortVlans, portVlanFaults, portVlans } from '../port-vlans.ts';
import { onlyOf, read, readOutcome, type SwitchReply, shownIn, write, writeOutcome } from './commands.ts';
import { canonicalPort, canonicalPortPattern, interfaceWords, port as portSchema } from './schema.ts';
import { vlanRanges, vlansIn } from './vlan-ranges.ts';

type SetArguments = PortVlans & { port: string; mode: PortMode };

/**
 * A new list replaces the old one: it is emptied, then filled with ranges. Tagged traffic of VLANs that stay is interrupted
 * between the two lines; the current VLANs of the port are not known here.
 */
function setLines({ port, mode, vlan, allowedVlans }: SetArguments): readonly string[] {
  const at = `interface ${interfaceWords(port)} switchport`;
  return [
    `${at} mode ${mode}`,
    ...(vlan === undefined ? [] : [`${at} access vlan ${vlan}`]),
    ...(allowedVlans === undefined ? [] : [`${at} ${mode} allowed-vlan none`]),
    ...vlanRanges(allowedVlans ?? []).map((range) => `${at} ${mode} allowed-vlan add ${range}`),
  ];
}

export const portVlanSet: OperationSpec<SetArguments, SwitchReply> = {
  name: 'port.vlan.set',
  summary: 'Sets the VLANs that a port or port-channel carries.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema({ port: portSchema, ...portVlans }, ['port', 'mode']),
  example: { port: '1/4', mode: 'access', vlan: 1 },
  refine: (args): readonly ArgumentFault[] => portVlanFaults(args),
  object: ({ port }) => ({ resource: 'port', scope: '', key: canonicalPort(port) }),
  mapping: 'updates',
  // Settings of the previous mode that the new one lacks are removed.
  desired: ({ port, mode, vlan, allowedVlans }) => ({
    ...{ port: canonicalPort(port), mode, vlan: vlan ?? null },
    allowedVlans: allowedVlans === undefined ? null : [...allowedVlans].sort((a, b) => a - b),
  }),
  render: (args, context) => write(setLines(args), context),
  interpret: (reply, args) => writeOutcome(reply, setLines(args), { port: canonicalPort(args.port) }),
};

/** From `show interfaces switchport`; undefined when it lists no port. One that can't be read has no mode. */
function portsOf(data: JsonObject): readonly JsonObject[] | undefined {
  const ports = Object.entries(data)
    .filter(([name]) => /^(Eth|Po|Mpo)\d/.test(name))
    .map(([name, value]) => describe(name, onlyOf(value)));
  return ports.length > 0 ? ports : undefined;
}

/**
 * A trunk's access VLAN is `N/A`. Modes that this driver does not set (`access-dcb` and `dot1q-tunnel`, choices of the modules for
 * MLNX-OS) are shown in the switch's own words.
 */
function describe(port: string, fields: JsonObject): JsonObject {
  const mode = fields.Mode;
  const vlan = Number(fields['Access vlan']);
  const allowed = vlansIn(String(fields['Allowed vlans'] ?? ''));
  if (typeof mode !== 'string' || mode === '' || allowed === undefined) return { port, mode: null };
  const isTagged = mode === 'trunk' || mode === 'hybrid' || allowed.length > 0;
  return {
    port,
    mode,
    ...(mode !== 'trunk' && vlan > 0 ? { vlan } : {}),
    ...(isTagged && mode !== 'access' ? { allowedVlans: [...allowed] } : {}),
  };
}

export const portList: OperationSpec<Record<string, never>, SwitchReply> = {
  name: 'port.list',
  summary: 'Lists ports and port-channels with their VLANs, without the members of port-channels.',
  ...plainRead,
  render: (_args, context) => read('show interfaces switchport', context),
  interpret: (reply) =>
    readOutcome(reply, (data) => {
      const ports = portsOf(data);
      return ports && { ports };
    }),
};

/** A port can't be absent: one that is not listed is a member of a port-channel, or not on this switch. */
export const portReader: ResourceReader<SwitchReply> = {
  lists: { allowedVlans: 'SET' },
  own: [],
  render: (_object, context) => read('show interfaces switchport', context),
  interpret(reply, { key }) {
    const shown = shownIn(reply);
    if (shown.kind !== 'shown') return { finding: 'UNREADABLE', message: shown.message };
    const values = portsOf(shown.data)?.find(({ port }) => port === key);
    if (values === undefined) {
      return { finding: 'UNREADABLE', message: `The switch does not list ${key} among its ports.` };
    }
    if (values.mode === null)
      return { finding: 'UNREADABLE', message: `What the switch says of ${key} is unreadable.` };
    return { finding: 'PRESENT', values };
  },
  names: canonicalPortPattern,
};
