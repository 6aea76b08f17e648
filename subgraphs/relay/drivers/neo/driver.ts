// Mellanox NEO: a controller that provisions many switches by jobs. Written for 2.7 by its REST API Guide 2.7.20, and tried on a
// simulator of it (simulators/neo).

import type { Driver, DriverOperation, ResourceReader } from '../driver.ts';
import { optionsSchema } from '../options.ts';
import { jobList, jobStatus } from './jobs.ts';
import { portList, portProvision, portReader, portReset, portSetEnabled, portSetVlans } from './ports.ts';
import { sessionOptions, sessions } from './sessions.ts';
import { health, systemList } from './systems.ts';
import { templateGet, templateList, templateRun } from './templates.ts';
import { typedCalls } from './typed-calls.ts';
import { vlanCreate, vlanDelete, vlanList, vlanReader } from './vlans.ts';

const operations: readonly DriverOperation[] = [
  systemList,
  ...[vlanList, vlanCreate, vlanDelete],
  ...[portList, portSetVlans, portReset, portSetEnabled, portProvision],
  ...[templateList, templateGet, templateRun],
  ...[jobStatus, jobList],
];

const resources = new Map<string, ResourceReader>([
  ['vlan', vlanReader],
  ['port', portReader],
]);

const ports = { https: 443 } as const;

export const neo: Driver = {
  name: 'neo',
  family: 'SWITCH_CONTROLLER',
  summary: 'Mellanox NEO 2.7, over its REST interface.',
  ports,
  optionsSchema: optionsSchema(ports, sessionOptions),
  credentialFields: ['username', 'password'],
  operations: new Map(operations.map((operation) => [operation.name, operation])),
  resources,
  health,
  https: sessions,
  typed: typedCalls,
};
