// FortiGate firewalls: FortiOS 5.6 to 7.6 by its REST API, and its command line for what the API lacks. Proved against the
// simulator only (simulators/fortios), which follows vendor documents and what open clients have met.

import type { Driver, DriverOperation, ResourceReader } from '../driver.ts';
import { optionsSchema } from '../options.ts';
import { address } from './addresses.ts';
import { addressGroup, vipGroup } from './groups.ts';
import type { Kind } from './kind.ts';
import { operationsOf } from './kind-operations.ts';
import { readerOf } from './kind-reader.ts';
import { sessions } from './login.ts';
import { policy, policyMove } from './policies.ts';
import { service } from './services.ts';
import { configSave, dialect, health, systemInfo } from './system.ts';
import { typedCalls } from './typed-calls.ts';
import { vdomCreate, vdomDelete, vdomList, vdomReader } from './vdoms.ts';
import { vip } from './vips.ts';

const kinds: readonly Kind[] = [address, addressGroup, service, vip, vipGroup, policy];

const operations = [
  systemInfo,
  vdomList,
  vdomCreate,
  vdomDelete,
  ...kinds.flatMap(operationsOf),
  policyMove,
  configSave,
] as readonly DriverOperation[];

const resources: readonly (readonly [string, ResourceReader])[] = [
  ['vdom', vdomReader as ResourceReader],
  ...kinds.map((kind) => [kind.resource, readerOf(kind) as ResourceReader] as const),
];

const ports = { https: 443, ssh: 22 } as const;

export const fortios: Driver = {
  name: 'fortios',
  family: 'FIREWALL',
  summary: 'FortiGate firewalls (FortiOS 5.6 to 7.6), over their REST API and command line.',
  ports,
  optionsSchema: optionsSchema(ports, {
    multiVdom: {
      type: 'boolean',
      default: false,
      description: 'Whether the device has virtual domains: its command line begins elsewhere then.',
    },
  }),
  credentialFields: ['username', 'password', 'privateKey', 'passphrase', 'apiToken'],
  operations: new Map(operations.map((operation) => [operation.name, operation])),
  resources: new Map(resources),
  health,
  https: sessions,
  cli: dialect,
  typed: typedCalls,
};
