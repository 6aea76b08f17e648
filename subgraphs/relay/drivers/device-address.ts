// The place to which calls go. Two equal addresses reach the same objects of the same device. So the effect of a call can be seen
// only through an equal address.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../platform/values/json.ts';
import type { Driver, JsonObject } from './driver.ts';
import { withDefaults } from './options.ts';

export interface DeviceAddress {
  /** Host and port. */
  readonly hostPort: string;
  /** Digest of the options that are not harmless: ports of other wires, and options that select a part of the device. */
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
