// What the REST API and the command line of one simulated FortiGate share.

import type { Faults } from '../support/faults.ts';
import type { Accounts } from './accounts.ts';
import type { Cmdb } from './cmdb.ts';
import { BAD_VALUE, CmdbError } from './errors.ts';
import type { Settings } from './settings.ts';
import type { Features, FortiVersion } from './version.ts';

export interface Device {
  readonly version: FortiVersion;
  readonly features: Features;
  readonly serial: string;
  /** Whether there are virtual domains; without, there is only root. */
  readonly multiVdom: boolean;
  readonly settings: Settings;
  readonly cmdb: Cmdb;
  readonly accounts: Accounts;
  readonly faults: Faults;
  /** The number that the fault FAIL answers with. */
  readonly failCode: number;
  /** Whether a banner has to be confirmed after log-in, and the sessions that have not done so. */
  readonly postLoginBanner: boolean;
  readonly unconfirmed: Set<string>;
  /** When the configuration was last saved by `execute cfg save`, and how often. */
  readonly saves: Date[];
}

/** Types of an address that this version does not have. */
export function refuseUnknownType(device: Device, path: string, changes: Readonly<Record<string, unknown>>): void {
  if (path === 'firewall/address' && changes.type === 'wildcard-fqdn' && !device.features.wildcardFqdnType) {
    throw new CmdbError(BAD_VALUE, 'node_check_object fail! for type wildcard-fqdn');
  }
}

/** What every reply of the API ends with. */
export function stamp(device: Device): Readonly<Record<string, string | number>> {
  return { serial: device.serial, version: device.version.text, build: device.version.build };
}
