// Mellanox and NVIDIA switches with MLNX-OS or Onyx 3.6 to 3.10, over their command line (SSH) or their JSON API (HTTPS). Written
// from the Onyx User Manual and Ansible's modules for it, and tested against a simulator (simulators/onyx).

import { defineDriver } from '../define-driver.ts';
import type { DriverOperation } from '../driver.ts';
import {
  lacpEnable,
  lagCreate,
  lagDelete,
  lagList,
  lagMemberAdd,
  lagMemberReader,
  lagMemberRemove,
  lagReader,
} from './lags.ts';
import { mlagVipDelete, mlagVipRead, mlagVipReader, mlagVipSet } from './mlag.ts';
import { portList, portReader, portVlanSet } from './ports.ts';
import { cli, https } from './sessions.ts';
import { configSave, health, systemRead } from './system.ts';
import { typedCalls } from './typed-calls.ts';
import { typedObjects } from './typed-objects.ts';
import { vlanCreate, vlanDelete, vlanList, vlanReader } from './vlans.ts';

const operations: readonly DriverOperation[] = [
  ...[systemRead, configSave],
  ...[vlanList, vlanCreate, vlanDelete],
  ...[portList, portVlanSet],
  ...[lagList, lagCreate, lagDelete, lagMemberAdd, lagMemberRemove, lacpEnable],
  ...[mlagVipRead, mlagVipSet, mlagVipDelete],
];

export const onyx = defineDriver({
  name: 'onyx',
  family: 'SWITCH',
  summary: 'Mellanox and NVIDIA switches (MLNX-OS, Onyx), over their command line or JSON API.',
  versions: 'MLNX-OS and Onyx 3.7 to 3.10',
  triedAgainst: 'a simulator of the command line and the JSON API; the command line also works with netmiko',
  ports: { ssh: 22, https: 443 },
  // Not documented, so this is a figure on the safe side for a switch that continues with a list of commands.
  actsForMs: 60_000,
  credentialFields: ['username', 'password', 'privateKey', 'passphrase'],
  operations,
  resources: {
    vlan: vlanReader,
    port: portReader,
    lag: lagReader,
    'lag-member': lagMemberReader,
    'mlag-vip': mlagVipReader,
  },
  ownership: {
    vlan: { by: 'SETTINGS' },
    ...{ lag: { by: 'SETTINGS' }, 'lag-member': { by: 'SETTINGS' }, 'mlag-vip': { by: 'SETTINGS' } },
    port: { by: 'KEY', because: 'it is a port of the device, which calls set and do not make' },
    lacp: { by: 'KEY', because: 'a device has one' },
    configuration: { by: 'KEY', because: 'a device has one' },
  },
  health,
  https,
  cli,
  typed: typedCalls,
  objects: typedObjects,
});
