// Mellanox NEO: a controller that provisions many switches with jobs. Written from the REST API Guide 2.7.20 for 2.7, and tested
// against a simulator (simulators/neo).

import { defineDriver, longestActsForMs } from '../define-driver.ts';
import type { DriverOperation } from '../driver.ts';
import { jobList, jobStatus } from './jobs.ts';
import { portList, portProvision, portReader, portReset, portSetEnabled, portSetVlans } from './ports.ts';
import { sessionOptions, sessions } from './sessions.ts';
import { health, systemList } from './systems.ts';
import { templateGet, templateList, templateRun } from './templates.ts';
import { typedCalls } from './typed-calls.ts';
import { typedObjects } from './typed-objects.ts';
import { vlanCreate, vlanDelete, vlanList, vlanReader } from './vlans.ts';

const operations: readonly DriverOperation[] = [
  systemList,
  ...[vlanList, vlanCreate, vlanDelete],
  ...[portList, portSetVlans, portReset, portSetEnabled, portProvision],
  ...[templateList, templateGet, templateRun],
  ...[jobStatus, jobList],
];

export const neo = defineDriver({
  name: 'neo',
  family: 'SWITCH_CONTROLLER',
  summary: 'Mellanox NEO 2.7, over its REST interface.',
  versions: 'NEO 2.7',
  triedAgainst: 'a simulator',
  ports: { https: 443 },
  options: { properties: sessionOptions },
  harmlessOptions: ['restVersion'],
  // A job has no documented limit. So this is the longest time that a driver may declare.
  actsForMs: longestActsForMs,
  credentialFields: ['username', 'password'],
  operations,
  resources: { vlan: vlanReader, port: portReader },
  ownership: {
    vlan: { by: 'SETTINGS' },
    port: { by: 'KEY', because: 'it is a port of the device, which calls set and do not make' },
    switch: { by: 'KEY', because: 'it is the device itself' },
  },
  health,
  https: sessions,
  typed: typedCalls,
  objects: typedObjects,
});
