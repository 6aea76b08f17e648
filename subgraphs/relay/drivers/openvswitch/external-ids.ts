// external_ids of bridges, ports and interfaces, in which other systems store their own ids (iface-id of Neutron and OVN).

import type { JsonObject, OperationSpec } from '../driver.ts';
import { argumentsSchema } from '../json.ts';
import { changedUuid, externalIdChanges, name } from './schema.ts';
import {
  checkOutcome,
  isMeant,
  recognised,
  renderWrite,
  renderWriteCheck,
  rowOf,
  type SwitchReply,
  writeOutcome,
} from './transact.ts';
import { map, set } from './values.ts';

type SetArguments = {
  object: 'bridge' | 'port' | 'interface';
  name: string;
  uuid?: string;
  externalIds: Readonly<Record<string, string | null>>;
};

const tables = { bridge: 'Bridge', port: 'Port', interface: 'Interface' } as const;

const guards = (args: SetArguments) => isMeant(tables[args.object], args.name, args.uuid);

/** An insert does not change the value of an existing key (RFC 7047 section 5.1, mutation): it is deleted first. */
function changes({ object, name: named, uuid, externalIds }: SetArguments): readonly JsonObject[] {
  const kept = Object.entries(externalIds).filter((entry): entry is [string, string] => entry[1] !== null);
  const mutations = [
    ['external_ids', 'delete', set(Object.keys(externalIds))],
    ['external_ids', 'insert', map(Object.fromEntries(kept))],
  ];
  return [{ op: 'mutate', table: tables[object], where: rowOf(named, uuid), mutations }];
}

export const externalIdsSet: OperationSpec<SetArguments, SwitchReply> = {
  name: 'externalIds.set',
  summary: 'Sets external ids of a bridge, port or interface. Others keep their values.',
  category: 'USER',
  effect: 'IDEMPOTENT',
  argumentsSchema: argumentsSchema(
    {
      object: { type: 'string', enum: ['bridge', 'port', 'interface'] },
      name,
      uuid: changedUuid,
      externalIds: { ...externalIdChanges, description: 'The external ids to set; null removes one.' },
    },
    ['object', 'name', 'externalIds'],
  ),
  example: { object: 'port', name: 'tenant42', externalIds: { 'cmp-id': '42' } },
  object: (args) => ({ resource: args.object, scope: '', key: args.name }),
  mapping: 'updates',
  recognised,
  desired: ({ externalIds }) => ({ externalIds }),
  render: (args, context) => renderWrite(guards(args), changes(args), context),
  renderDryRun: (args, context) => renderWriteCheck(guards(args), changes(args), context),
  interpretDryRun: (reply, args) => checkOutcome(reply, guards(args)),
  interpret: (reply, args) =>
    writeOutcome(reply, guards(args), ([mutated]) =>
      mutated?.count === 1 ? { result: { name: args.name } } : undefined,
    ),
};
