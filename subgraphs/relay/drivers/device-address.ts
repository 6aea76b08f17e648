// The place to which calls go. Two equal ones reach the same objects of the same device, so only there can be seen what a call did.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../platform/json.ts';
import type { Driver, JsonObject } from './driver.ts';
import { withDefaults } from './options.ts';

export interface DeviceAddress {
  /** Host and port. */
  readonly hostPort: string;
  /** Digest of the options that are not harmless: ports of other wires, and what they select on the device. */
  readonly options: string;
}

export function deviceAddress(
  driver: Driver,
  { host, port, options }: { readonly host: string; readonly port: number; readonly options: JsonObject },
): DeviceAddress {
  const harmless = new Set(driver.harmlessOptions ?? []);
  const given = Object.entries(withDefaults(options, driver)).filter(([name]) => !harmless.has(name));
  const digest = createHash('sha256')
    .update(canonicalJson(Object.fromEntries(given)))
    .digest('hex');
  return { hostPort: host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, options: digest.slice(0, 16) };
}
