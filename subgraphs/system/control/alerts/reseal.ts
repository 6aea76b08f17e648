// Re-encrypts the secrets of alert channels with the active key. Sends nothing, because the secrets stay the same.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import type { Resealed, ResealOptions } from '../../../../platform/process/subgraph-row.ts';
import { lockChannel, staleChannels, storeChannelSecret } from '../stores/alert-channel-store.ts';
import { openChannelSecret, sealChannelSecret } from './channel-secret.ts';

/** Reseals one channel after the other. A channel whose secret can't be opened is reported, and the others are resealed. */
export async function resealChannels(db: Database, options: ResealOptions): Promise<Resealed> {
  let resealed = 0;
  const failed: string[] = [];
  for (const id of await staleChannels(db, options.keyId)) {
    const fault = await db.transaction((tx) => resealOne(tx, id, options));
    if (fault === undefined) resealed += 1;
    else failed.push(fault);
  }
  return { resealed, trusted: [], failed };
}

/** Undefined if it is sealed with the active key. */
async function resealOne(tx: Transaction, id: string, { sealer }: ResealOptions): Promise<string | undefined> {
  const channel = await lockChannel(tx, id);
  if (channel === undefined) return undefined;
  try {
    const secret = openChannelSecret(sealer, channel);
    await storeChannelSecret(tx, id, sealChannelSecret(sealer, id, channel.spec.place, secret));
    return undefined;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('the secret of')) return error.message;
    throw error;
  }
}
