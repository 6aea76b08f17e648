// A backend's secret at rest: sealed for exactly these servers, so that no change of the row redirects it.
import { createHash } from 'node:crypto';
import { refuse } from '../../platform/errors/errors.ts';
import { SealError, type Sealed, type Sealer } from '../../platform/secrets/seal.ts';
import { canonicalJson, type JsonValue } from '../../platform/values/json.ts';
import type { BackendRow, BackendSecret, BackendSpec } from './backend.ts';

export function sealSecret(sealer: Sealer, id: string, spec: BackendSpec, secret: BackendSecret): Sealed {
  return sealer.seal(JSON.stringify(secret), placeOf(id, spec));
}

/** Empty if the backend has no secrets. Refuses CREDENTIALS_UNUSABLE. */
export function openSecret(sealer: Sealer, { id, name, spec, keyId, sealedSecret }: BackendRow): BackendSecret {
  if (keyId === null || sealedSecret === null) return {};
  try {
    return JSON.parse(sealer.open({ keyId, sealed: sealedSecret }, placeOf(id, spec))) as BackendSecret;
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    const why =
      error.why === 'KEY_MISSING'
        ? `the key file lacks the key ${keyId} that sealed it`
        : 'it was stored for other servers, or was changed';
    return refuse(
      'CREDENTIALS_UNUSABLE',
      `the secret of DNS backend ${name} can't be used: ${why}; send it again with dnsBackendUpdate`,
    );
  }
}

function placeOf(id: string, spec: BackendSpec): string {
  const digest = createHash('sha256')
    .update(canonicalJson(spec as unknown as JsonValue))
    .digest('hex');
  return `dns-backend/${id}/secret for ${digest}`;
}
