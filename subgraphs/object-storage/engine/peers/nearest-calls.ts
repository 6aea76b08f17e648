// The value of a name at another cluster's replica, and its age, as a call between their servers.
import { z } from 'zod';
import type { NearestAnswer } from '../namespace/nearest.ts';
import type { RegisterKey } from '../store/register.ts';
import type { PeerClient } from './peer-client.ts';
import { type PeerCalls, peerCall } from './peer-server.ts';
import { nameShape, ringShape, scopeShape, valueShape, versionShape } from './peer-wire.ts';

export interface NearestPeer {
  /** Undefined if the cluster has no voting replica of it. */
  read(key: RegisterKey): Promise<NearestAnswer | undefined>;
}

const request = z.object({ ring: ringShape, scope: scopeShape, name: nameShape });
/** `ageMs`: null if unknown. It is an age because the clocks of two hosts share no origin. */
const told = z.object({
  ...{ isClosed: z.boolean(), version: versionShape, value: valueShape.optional() },
  ageMs: z.number().min(0).nullable(),
});
const answer = z.object({ told: told.nullable() });

/** Server side: the values of this cluster's replica. */
export function nearestCalls(own: (key: RegisterKey) => Promise<NearestAnswer | undefined>): PeerCalls {
  return {
    nearest: peerCall({
      input: request,
      answer: async (_, key) => {
        const found = await own(key);
        if (found === undefined) return { told: null };
        const { asOfMs, ...rest } = found;
        return { told: { ...rest, ageMs: asOfMs === undefined ? null : performance.now() - asOfMs } };
      },
    }),
  };
}

/** Client side: another cluster. */
export function nearestPeer(client: PeerClient): NearestPeer {
  return {
    read: async (key) => {
      // The answer is made some unknown time after this, so counting from here is safe.
      const askedMs = performance.now();
      const { told } = await client.call('nearest', key, answer);
      if (told === null) return undefined;
      const { ageMs, isClosed, version, value } = told;
      return { isClosed, version, value, asOfMs: ageMs === null ? undefined : askedMs - ageMs };
    },
  };
}
