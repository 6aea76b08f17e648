// A secret in a text column: sealed for its place, so that a copy elsewhere does not open.
import { createHash } from 'node:crypto';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import { canonicalJson } from '../../../../platform/values/json.ts';
import type { MonitorSpec } from '../../spec/specs.ts';

export function sealedText(sealer: Sealer, plain: string, place: string): string {
  const { keyId, sealed } = sealer.seal(plain, place);
  return JSON.stringify({ keyId, sealed: sealed.toString('base64') });
}

/** Throws SealError. */
export function openText(sealer: Sealer, text: string, place: string): string {
  const { keyId, sealed } = JSON.parse(text) as { readonly keyId: string; readonly sealed: string };
  return sealer.open({ keyId, sealed: Buffer.from(sealed, 'base64') }, place);
}

/** Settings of a monitor that decide where and how its credentials are sent. They change only together with the credentials. */
export const boundSettings = ['targetHost', 'targetPort', 'parameters', 'authHosts'] as const;

/** Place of a monitor's credentials (`MonitorSecret` as JSON). They open only with these settings. */
export function monitorSecretPlace(
  monitorId: string,
  spec: Pick<MonitorSpec, 'type' | (typeof boundSettings)[number]>,
): string {
  const bound = ['type' as const, ...boundSettings].map((setting) => spec[setting] ?? null);
  const digest = createHash('sha256').update(canonicalJson(bound)).digest('hex');
  return `gslb-monitor/${monitorId}/secret for ${digest}`;
}

/** Place of a zone's keys (a list of `ZoneKey` as JSON). */
export function zoneKeysPlace(zone: string): string {
  return `gslb-zone/${zone}/keys`;
}
