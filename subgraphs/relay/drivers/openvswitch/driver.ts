// Open vSwitch 3.1: its configuration database, over OVSDB (RFC 7047) with mutual TLS, or over SSH with ovsdb-client. The
// schema is the one of ovs-vswitchd.conf.db(5).

import { defineDriver } from '../define-driver.ts';
import type { DriverOperation, Health } from '../driver.ts';
import { bridgeCreate, bridgeDelete, bridgeList } from './bridges.ts';
import { externalIdsSet } from './external-ids.ts';
import { portList, switchColumns, switchRead } from './listings.ts';
import { portAdd, portDelete, portVlanSet } from './ports.ts';
import { resources } from './resources.ts';
import { readAnswer, render, rowsOf, type SwitchReply, select } from './transact.ts';
import { typedCalls } from './typed-calls.ts';
import { typedObjects } from './typed-objects.ts';
import { mapOf, optional } from './values.ts';

const operations: readonly DriverOperation[] = [
  switchRead,
  bridgeList,
  bridgeCreate,
  bridgeDelete,
  portList,
  portAdd,
  portDelete,
  portVlanSet,
  externalIdsSet,
];

const health: Health<SwitchReply> = {
  render: (context) => render([select('Open_vSwitch', [], switchColumns)], context),
  interpret(reply) {
    const answer = readAnswer(reply);
    const [row] = answer.kind === 'results' ? rowsOf(answer.results[0]) : [];
    if (row === undefined) return undefined;
    // The scripts that start the switch write them (ovs-ctl(8)); a standalone database has neither.
    const version = optional(row.ovs_version) ?? 'of unknown version';
    const serial = mapOf(row.external_ids)['system-id'] ?? null;
    return { softwareVersion: `Open vSwitch ${String(version)}`.slice(0, 255), serial: serial?.slice(0, 255) ?? null };
  },
};

export const openVswitch = defineDriver({
  name: 'openvswitch',
  family: 'SWITCH',
  summary: 'Open vSwitch, over OVSDB with mutual TLS or over SSH.',
  versions: 'Open vSwitch 2.13 and later',
  triedAgainst: 'real Open vSwitch 3.1',
  ports: { ovsdb: 6640, ssh: 22 },
  options: {
    properties: {
      datapathType: {
        type: 'string',
        enum: ['system', 'netdev'],
        default: 'system',
        description: 'The datapath of new bridges: system in the kernel, netdev in user space.',
      },
    },
  },
  harmlessOptions: ['datapathType'],
  checks:
    'the whole transaction against the database as it is now, but not whether the switch can then open the interface',
  credentialFields: ['username', 'password', 'privateKey', 'passphrase', 'clientCertificate'],
  operations,
  resources,
  ownership: { bridge: { by: 'ID' }, port: { by: 'ID' }, interface: { by: 'ID' } },
  health,
  typed: typedCalls,
  objects: typedObjects,
});
