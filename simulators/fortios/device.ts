// The common state of a simulated FortiGate's REST API and command line.

import type { Faults } from '../support/faults.ts';
import type { Accounts } from './accounts.ts';
import type { Cmdb } from './cmdb.ts';
import { BAD_VALUE, CmdbError } from './errors.ts';
import type { Settings } from './settings.ts';
import type { Table } from './tables.ts';
import type { Features, FortiVersion } from './version.ts';

export interface Device {
  readonly version: FortiVersion;
  readonly features: Features;
  /** Tables of its release, by path. */
  readonly tables: ReadonlyMap<string, Table>;
  readonly serial: string;
  /** Whether there are virtual domains; if not, root is the only one. */
  readonly multiVdom: boolean;
  readonly settings: Settings;
  readonly cmdb: Cmdb;
  readonly accounts: Accounts;
  readonly faults: Faults;
  /** The error number for the fault FAIL. */
  readonly failCode: number;
  /** Whether a banner must be confirmed after login, and the sessions that have not confirmed it. */
  readonly postLoginBanner: boolean;
  readonly unconfirmed: Set<string>;
  /** The times of `execute cfg save`. */
  readonly saves: Date[];
}

/** Refuses types of an address that this version does not have. */
export function refuseUnknownType(device: Device, path: string, changes: Readonly<Record<string, unknown>>): void {
  if (path === 'firewall/address' && changes.type === 'wildcard-fqdn' && !device.features.wildcardFqdnType) {
    throw new CmdbError(BAD_VALUE, 'node_check_object fail! for type wildcard-fqdn');
  }
}

/** The fields at the end of every reply of the API. */
export function stamp(device: Device): Readonly<Record<string, string | number>> {
  return { serial: device.serial, version: device.version.text, build: device.version.build };
}
