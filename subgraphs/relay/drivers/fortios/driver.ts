// FortiGate firewalls: FortiOS 5.6 to 7.6 over its REST API, and its command line for features that the API lacks. Tested only
// against the simulator (simulators/fortios), which follows vendor documents and the experience of open clients.

import { defineDriver } from '../define-driver.ts';
import type { DriverOperation } from '../driver.ts';
import { address } from './addresses.ts';
import { addressGroup, vipGroup } from './groups.ts';
import type { Kind } from './kind.ts';
import { readerOf } from './kind-reader.ts';
import { sessions } from './login.ts';
import { operationsOf } from './object-operations.ts';
import { policy, policyMove } from './policies.ts';
import { service } from './services.ts';
import { configSave, dialect, health, systemInfo } from './system.ts';
import { typedCalls } from './typed-calls.ts';
import { typedObjects } from './typed-objects.ts';
import { vdomCreate, vdomDelete, vdomList, vdomReader } from './vdoms.ts';
import { vip } from './vips.ts';

const kinds: readonly Kind[] = [address, addressGroup, service, vip, vipGroup, policy];

const operations: readonly DriverOperation[] = [
  systemInfo,
  vdomList,
  vdomCreate,
  vdomDelete,
  ...kinds.flatMap(operationsOf),
  policyMove,
  configSave,
];

export const fortios = defineDriver({
  name: 'fortios',
  family: 'FIREWALL',
  summary: 'FortiGate firewalls (FortiOS 5.6 to 7.6), over their REST API and command line.',
  versions: 'FortiOS 5.6 to 7.6',
  triedAgainst: 'a simulator with the login and the replies of each version; its command line also works with netmiko',
  ports: { https: 443, ssh: 22 },
  options: {
    properties: {
      multiVdom: {
        type: 'boolean',
        default: false,
        description:
          'Whether virtual domains are enabled on the device. They change the structure of its command line.',
      },
    },
  },
  harmlessOptions: ['multiVdom'],
  // Not documented (error -360 is a timeout of unknown length), so this is a figure on the safe side.
  actsForMs: 60_000,
  credentialFields: ['username', 'password', 'privateKey', 'passphrase', 'apiToken'],
  operations,
  resources: { vdom: vdomReader, ...Object.fromEntries(kinds.map((kind) => [kind.resource, readerOf(kind)])) },
  ownership: {
    // A virtual domain has no comment, and no setting of its own but the name.
    vdom: { by: 'KEY_ALONE' },
    ...Object.fromEntries(kinds.map(({ resource }) => [resource, { by: 'MARK' }] as const)),
    configuration: { by: 'KEY', because: 'a device has one' },
  },
  health,
  https: sessions,
  cli: dialect,
  typed: typedCalls,
  objects: typedObjects,
});
