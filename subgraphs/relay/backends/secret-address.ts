// Where a backend's secrets go, and by what the receiver has to prove to be the right one. Secrets are sealed for this
// address, and no change of a backend takes them to another one.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../platform/json.ts';
import type { CryptoProfile } from '../../../platform/net/tls-profiles.ts';
import type { Driver, JsonObject } from '../drivers/driver.ts';
import { withDefaults } from '../drivers/options.ts';
import type { BackendRow } from './backend.ts';

const parts = [
  ...(['id', 'projectId', 'driver', 'host', 'port', 'cryptoProfile'] as const),
  ...(['hostKeySha256', 'certificateSha256', 'caCertificates', 'options'] as const),
] as const;

export type SecretAddress = Pick<BackendRow, (typeof parts)[number]>;

/** SHA-256 in hex: equal for the same address, for no other one. What it covers is part of the sealed form: see credentials.ts. */
export function addressDigest(address: SecretAddress): string {
  return createHash('sha256')
    .update(JSON.stringify(parts.map((part) => address[part])))
    .digest('hex');
}

/** From strict to lax. */
const profiles: readonly CryptoProfile[] = ['MODERN', 'COMPAT', 'LEGACY'];

/**
 * The fields by whose change secrets could get to another receiver, as inputs name them; empty: they may stay. A first
 * proof of identity, a stricter profile and options that the driver calls harmless are no such change.
 */
export function movedFields(before: SecretAddress, after: SecretAddress, driver: Driver | undefined): string[] {
  const moved: string[] = [];
  if (before.host !== after.host) moved.push('host');
  if (before.port !== after.port) moved.push('port');
  moved.push(...movedOptions(before, after, driver));
  if (before.hostKeySha256 !== null && before.hostKeySha256 !== after.hostKeySha256) moved.push('hostKeySha256');
  if (before.certificateSha256 !== null && before.certificateSha256 !== after.certificateSha256)
    moved.push('certificateSha256');
  // Authorities beside a pinned certificate are no first proof: other origins (Keystone) are checked by them instead of the pin.
  const hasProof = before.caCertificates !== null || before.certificateSha256 !== null;
  if (hasProof && before.caCertificates?.trim() !== after.caCertificates?.trim()) moved.push('caCertificates');
  if (profiles.indexOf(after.cryptoProfile) > profiles.indexOf(before.cryptoProfile)) moved.push('cryptoProfile');
  return moved;
}

/** An option counts unless its driver says that it is harmless: a new one is on the safe side. */
function movedOptions(before: SecretAddress, after: SecretAddress, driver: Driver | undefined): string[] {
  if (before.options === after.options) return [];
  const [old, wanted] = [before, after].map(
    ({ options }) => withDefaults(JSON.parse(options), driver) as JsonObject,
  ) as [JsonObject, JsonObject];
  const harmless = new Set(driver?.harmlessOptions ?? []);
  return [...new Set([...Object.keys(old), ...Object.keys(wanted)])]
    .filter((name) => !harmless.has(name) && canonicalJson(old[name]) !== canonicalJson(wanted[name]))
    .sort()
    .map((name) => `options.${name}`);
}
