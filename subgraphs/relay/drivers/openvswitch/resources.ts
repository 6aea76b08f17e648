// Readers of this driver's objects: bridges, ports and interfaces, each by its name, which is unique on the switch.

import type { JsonObject, ResourceFinding, ResourceReader } from '../driver.ts';
import { bridgeColumns, describeBridge } from './bridges.ts';
import { portsOf, portTables } from './listings.ts';
import { readMarks } from './marks.ts';
import { interfaceColumns, plainOptions } from './ports.ts';
import { name, plainIds } from './schema.ts';
import { readAnswer, render, rowsOf, type SwitchReply, select } from './transact.ts';
import { mapOf, uuidOf } from './values.ts';

/** Other systems add their own. */
const othersIds = 'externalIds';
const freeForm = { interfaceOptions: plainOptions, [othersIds]: plainIds };

/** The tables of a read, or the meaning of another reply. */
function look(reply: SwitchReply, read: (tables: JsonObject[][]) => ResourceFinding): ResourceFinding {
  const answer = readAnswer(reply);
  if (answer.kind !== 'results') return { finding: 'UNREADABLE', message: answer.message };
  if (!answer.results.every((result) => Array.isArray(result.rows))) {
    return { finding: 'UNREADABLE', message: 'The switch did not return a list of rows.' };
  }
  return read(answer.results.map(rowsOf));
}

/** Turns a description with uuid and mark into a finding. */
function present({ uuid, operationId, ...values }: JsonObject): ResourceFinding {
  return {
    finding: 'PRESENT',
    ...(typeof uuid === 'string' ? { uuid } : {}),
    ...(typeof operationId === 'string' ? { operationId } : {}),
    values,
  };
}

const bridge: ResourceReader<SwitchReply> = {
  lists: {},
  own: ['datapathType', othersIds],
  freeForm,
  render: ({ key }, context) => render([select('Bridge', [['name', '==', key]], bridgeColumns)], context),
  interpret: (reply) =>
    look(reply, ([rows]) => {
      const row = rows?.[0];
      if (row === undefined) return { finding: 'ABSENT' };
      const { datapathId: _id, failMode: _mode, ports: _ports, ...settings } = describeBridge(row);
      return present(settings);
    }),
  remove: ({ key, uuid }) =>
    uuid === null ? undefined : { operation: 'bridge.delete', arguments: { bridge: key, uuid } },
};

const port: ResourceReader<SwitchReply> = {
  lists: { allowedVlans: 'SET' },
  own: [othersIds],
  freeForm,
  render: ({ key }, context) => render(portTables(key), context),
  interpret: (reply) =>
    look(reply, (tables) => {
      const [row] = portsOf(tables);
      if (row === undefined) return { finding: 'ABSENT' };
      const { openFlowPort: _number, linkState: _state, error: _error, ...settings } = row;
      return present(settings);
    }),
  remove: ({ key, uuid }) => (uuid === null ? undefined : { operation: 'port.delete', arguments: { port: key, uuid } }),
};

const networkInterface: ResourceReader<SwitchReply> = {
  lists: {},
  own: [othersIds],
  freeForm,
  render: ({ key }, context) => render([select('Interface', [['name', '==', key]], interfaceColumns)], context),
  interpret: (reply) =>
    look(reply, ([rows]) => {
      const row = rows?.[0];
      if (row === undefined) return { finding: 'ABSENT' };
      return present({
        uuid: uuidOf(row._uuid) ?? null,
        interfaceType: row.type === '' ? 'system' : (row.type ?? null),
        interfaceOptions: mapOf(row.options),
        externalIds: readMarks(row.external_ids).externalIds,
      });
    }),
  names: new RegExp(name.pattern),
};

export const resources = { bridge, port, interface: networkInterface };
