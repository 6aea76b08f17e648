// A channel's secret at rest: sealed for exactly its address, so that no change of the row sends it elsewhere.
import { createHash } from 'node:crypto';
import { SealError, type Sealed, type Sealer } from '../../../../platform/secrets/seal.ts';
import { canonicalJson } from '../../../../platform/values/json.ts';
import type { AlertChannel, ChannelPlace, ChannelSecret } from '../stores/alert-channel.ts';

export function sealChannelSecret(sealer: Sealer, id: string, place: ChannelPlace, secret: ChannelSecret): Sealed {
  return sealer.seal(JSON.stringify(secret), placeOf(id, place));
}

/** Throws an Error with a remedy for people. */
export function openChannelSecret(sealer: Sealer, { id, name, spec, sealed }: AlertChannel): ChannelSecret {
  try {
    return JSON.parse(sealer.open(sealed, placeOf(id, spec.place))) as ChannelSecret;
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    const why =
      error.why === 'KEY_MISSING'
        ? `the key file lacks the key ${sealed.keyId} that sealed it`
        : 'it was stored for another address, or was changed';
    throw new Error(`the secret of alert channel ${name} can't be used: ${why}; send its target again`, {
      cause: error,
    });
  }
}

function placeOf(id: string, place: ChannelPlace): string {
  const digest = createHash('sha256').update(canonicalJson(place)).digest('hex');
  return `alert-channel/${id}/secret for ${digest}`;
}
