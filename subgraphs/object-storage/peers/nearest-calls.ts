// What another cluster's replica has of a name, and how old that may be, as a call between their servers.
import { z } from 'zod';
import type { NearestAnswer } from '../namespace/nearest.ts';
import type { RegisterKey } from '../store/register.ts';
import type { PeerClient } from './peer-client.ts';
import { type PeerCalls, peerCall } from './peer-server.ts';
import { nameShape, ringShape, scopeShape, valueShape, versionShape } from './peer-wire.ts';

export interface NearestPeer {
  /** Undefined: it has no replica of it that votes. */
  read(key: RegisterKey): Promise<NearestAnswer | undefined>;
}

const request = z.object({ ring: ringShape, scope: scopeShape, name: nameShape });
/** `ageMs`: null where it is not known. Clocks of two hosts have no moment in common. */
const told = z.object({
  ...{ isClosed: z.boolean(), version: versionShape, value: valueShape.optional() },
  ageMs: z.number().min(0).nullable(),
});
const answer = z.object({ told: told.nullable() });

/** For the server: what this cluster's replica has. */
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

/** The other cluster. */
export function nearestPeer(client: PeerClient): NearestPeer {
  return {
    read: async (key) => {
      // It answers later than it is asked: how much later nobody knows.
      const askedMs = performance.now();
      const { told } = await client.call('nearest', key, answer);
      if (told === null) return undefined;
      const { ageMs, isClosed, version, value } = told;
      return { isClosed, version, value, asOfMs: ageMs === null ? undefined : askedMs - ageMs };
    },
  };
}
