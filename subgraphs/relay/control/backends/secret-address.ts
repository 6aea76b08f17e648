// The destination of a backend's secrets, and the proof of identity required there. Secrets are sealed for this address, and no
// change of a backend sends them to another one.
import { createHash } from 'node:crypto';
import type { CryptoProfile } from '../../../../platform/net/tls-profiles.ts';
import { canonicalJson } from '../../../../platform/values/json.ts';
import type { Driver, JsonObject } from '../../drivers/driver.ts';
import { withDefaults } from '../../drivers/options.ts';
import type { BackendRow } from './backend.ts';

const parts = [
  ...(['id', 'projectId', 'driver', 'host', 'port', 'cryptoProfile'] as const),
  ...(['hostKeySha256', 'certificateSha256', 'caCertificates', 'options'] as const),
] as const;

export type SecretAddress = Pick<BackendRow, (typeof parts)[number]>;

/** SHA-256 in hex: equal only for the same address. Its content is part of the sealed form: see credentials.ts. */
export function addressDigest(address: SecretAddress): string {
  return createHash('sha256')
    .update(JSON.stringify(parts.map((part) => address[part])))
    .digest('hex');
}

/** From strict to lax. */
const profiles: readonly CryptoProfile[] = ['MODERN', 'COMPAT', 'LEGACY'];

/**
 * The changed fields that could send secrets to another receiver, named like in inputs. If empty, the secrets may stay. A first
 * proof of identity, a stricter profile and a driver's harmless options do not count.
 */
export function movedFields(before: SecretAddress, after: SecretAddress, driver: Driver | undefined): string[] {
  const moved: string[] = [];
  if (before.host !== after.host) moved.push('host');
  if (before.port !== after.port) moved.push('port');
  moved.push(...movedOptions(before, after, driver));
  if (before.hostKeySha256 !== null && before.hostKeySha256 !== after.hostKeySha256) moved.push('hostKeySha256');
  if (before.certificateSha256 !== null && before.certificateSha256 !== after.certificateSha256)
    moved.push('certificateSha256');
  // Authorities beside a pinned certificate are not a first proof: they, not the pin, apply to other origins (Keystone).
  const hasProof = before.caCertificates !== null || before.certificateSha256 !== null;
  if (hasProof && before.caCertificates?.trim() !== after.caCertificates?.trim()) moved.push('caCertificates');
  if (profiles.indexOf(after.cryptoProfile) > profiles.indexOf(before.cryptoProfile)) moved.push('cryptoProfile');
  return moved;
}

/** An option counts unless its driver declares it harmless, so that a new one is safe. */
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
