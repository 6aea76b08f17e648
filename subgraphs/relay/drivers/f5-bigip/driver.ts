// F5 BIG-IP: local traffic objects and ASM security policies, over iControl REST. Written for 13.1, and tested against a simulator
// (simulators/f5-bigip).

import { defineDriver } from '../define-driver.ts';
import type { DriverOperation } from '../driver.ts';
import {
  policyDelete,
  policyGet,
  policyList,
  policyReader,
  policySetMode,
  policySetVirtualServers,
} from './asm-policies.ts';
import { policyApply, policyImport, taskGet } from './asm-tasks.ts';
import { operationsOf, readerOf } from './ltm-operations.ts';
import { monitor } from './monitors.ts';
import { node } from './nodes.ts';
import { poolMember } from './pool-members.ts';
import { pool } from './pools.ts';
import { sessionOptions, sessions } from './sessions.ts';
import { configSave, health, systemInfo } from './system.ts';
import { typedCalls } from './typed-calls.ts';
import { typedObjects } from './typed-objects.ts';
import { virtualServer } from './virtual-servers.ts';

const kinds = [node, pool, poolMember, monitor, virtualServer];

const operations: readonly DriverOperation[] = [
  systemInfo,
  ...kinds.flatMap(operationsOf),
  ...[policyList, policyGet, policyImport, policyApply, policySetMode, policySetVirtualServers, policyDelete, taskGet],
  configSave,
];

export const f5BigIp = defineDriver({
  name: 'f5-bigip',
  family: 'WAF',
  summary: 'BIG-IP 13.1 and later (LTM and ASM), over iControl REST.',
  versions: 'BIG-IP 13.1 and later',
  triedAgainst: 'a simulator of iControl REST',
  ports: { https: 443 },
  options: { properties: sessionOptions },
  harmlessOptions: ['tokenSeconds'],
  // The defaults of icrd.timeout, restjavad.timeout and restnoded.timeout (F5 K94602685): within them the device ends a request.
  actsForMs: 60_000,
  credentialFields: ['username', 'password'],
  operations,
  resources: {
    ...Object.fromEntries(kinds.map((kind) => [kind.resource, readerOf(kind)])),
    'asm-policy': policyReader,
  },
  ownership: {
    ...Object.fromEntries(kinds.map(({ resource }) => [resource, { by: 'MARK' }] as const)),
    'asm-policy': { by: 'ID' },
    configuration: { by: 'KEY', because: 'a device has one' },
  },
  health,
  https: sessions,
  typed: typedCalls,
  objects: typedObjects,
});
