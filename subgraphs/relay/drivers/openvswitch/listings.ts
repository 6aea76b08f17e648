// Reads that need several tables: ports with their bridges and interfaces, and the switch itself.

import type { JsonObject, OperationSpec } from '../driver.ts';
import { argumentsSchema, plainRead } from '../json.ts';
import { describePort, interfaceColumns, portColumns } from './ports.ts';
import { name } from './schema.ts';
import { readOutcome, render, type SwitchReply, select } from './transact.ts';
import { mapOf, optional, setOf, uuidOf } from './values.ts';

/** All selects of one transaction see the same state (RFC 7047 section 4.1.3). */
export const portTables = (port?: string): readonly JsonObject[] => {
  const where = port === undefined ? [] : [['name', '==', port] as const];
  return [
    select('Port', where, portColumns),
    select('Interface', port === undefined ? [] : where, interfaceColumns),
    select('Bridge', [], ['name', 'ports']),
  ];
};

/** The rows of the tables that `portTables` reads. */
export function portsOf([ports = [], interfaces = [], bridges = []]: readonly JsonObject[][]): readonly JsonObject[] {
  const byId = new Map(interfaces.map((row) => [uuidOf(row._uuid) ?? '', row]));
  const bridgeOf = new Map(
    bridges.flatMap((bridge) => setOf(bridge.ports).map((port) => [uuidOf(port), bridge.name ?? null] as const)),
  );
  return ports.map((port) => describePort(port, bridgeOf.get(uuidOf(port._uuid)) ?? null, byId));
}

export const portList: OperationSpec<{ bridge?: string }, SwitchReply> = {
  name: 'port.list',
  summary: 'Lists the ports of one bridge or of all bridges, with their state.',
  category: 'USER',
  effect: 'READ',
  argumentsSchema: argumentsSchema({ bridge: name }),
  example: { bridge: 'br-lab' },
  render: (_args, context) => render(portTables(), context),
  interpret: (reply, { bridge }) =>
    readOutcome(reply, (tables) => ({
      ports: portsOf(tables).filter((port) => bridge === undefined || port.bridge === bridge),
    })),
};

export const switchColumns = ['ovs_version', 'db_version', 'external_ids', 'next_cfg', 'cur_cfg', 'datapath_types'];

export const switchRead: OperationSpec<Record<string, never>, SwitchReply> = {
  name: 'switch.read',
  summary: 'Reads the state of the switch and how much of the configuration in its database it has applied.',
  ...plainRead,
  render: (_args, context) => render([select('Open_vSwitch', [], switchColumns)], context),
  interpret: (reply) =>
    readOutcome(reply, ([[row = {}] = []]) => ({
      version: optional(row.ovs_version),
      schemaVersion: optional(row.db_version),
      externalIds: mapOf(row.external_ids),
      datapathTypes: [...setOf(row.datapath_types)].map(String).sort(),
      configuration: row.next_cfg ?? null,
      applied: row.cur_cfg ?? null,
    })),
};
