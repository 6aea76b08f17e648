// A secret as it stands in a column of text: sealed for its place, so that a copy elsewhere does not open.
import type { Sealer } from '../../../platform/secrets/seal.ts';

export function sealedText(sealer: Sealer, plain: string, place: string): string {
  const { keyId, sealed } = sealer.seal(plain, place);
  return JSON.stringify({ keyId, sealed: sealed.toString('base64') });
}

/** Throws SealError. */
export function openText(sealer: Sealer, text: string, place: string): string {
  const { keyId, sealed } = JSON.parse(text) as { readonly keyId: string; readonly sealed: string };
  return sealer.open({ keyId, sealed: Buffer.from(sealed, 'base64') }, place);
}

/** Of a monitor's credentials (`MonitorSecret` as JSON). */
export function monitorSecretPlace(monitorId: string): string {
  return `gslb-monitor/${monitorId}/secret`;
}

/** Of a zone's keys (a list of `ZoneKey` as JSON). */
export function zoneKeysPlace(zone: string): string {
  return `gslb-zone/${zone}/keys`;
}
