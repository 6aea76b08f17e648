// Catching up between clusters, as calls between their servers: both ends of the store's ports.
import { z } from 'zod';
import { type CatchUpPeer, mostForgottenAtOnce, mostWantedAtOnce, type TombstonePeer } from '../store/catch-up.ts';
import { headPacking, pack, packedShape } from './packed.ts';
import type { PeerClient } from './peer-client.ts';
import { type PeerCalls, peerCall } from './peer-server.ts';
import { count, nameShape, placeShape, ringShape, scopeShape, valueShape, versionShape } from './peer-wire.ts';

const mostRings = 65_536;
/** One head for each partition of a ring. */
const mostHeads = 64 * 4_096;
/** A page of changes, or all heads, is larger than the usual answer. */
const deadlineMs = 10_000;

const log = z.string().regex(/^[0-9a-f]{32}$/);
const markShape = z.string().max(1_000);

const headsRequest = z.object({ mark: markShape });
const heads = z.object({
  mark: markShape,
  heads: packedShape(headPacking, mostHeads),
  whole: z
    .object({ agoMs: z.number().min(0), rings: z.array(z.object({ ring: ringShape, epoch: count })).max(mostRings) })
    .optional(),
});

const changesRequest = z.object({
  wanted: z.array(placeShape.extend({ epoch: count, log, after: count })).max(mostWantedAtOnce),
});
const change = z
  .object({ number: count, scope: scopeShape, name: nameShape, version: versionShape, value: valueShape.optional() })
  .transform((each) => ({ ...each, value: each.value }));
const changes = z
  .array(placeShape.extend({ log, upTo: count, isWhole: z.boolean(), changes: z.array(change) }))
  .max(mostWantedAtOnce);

const tombstone = z.object({ scope: scopeShape, name: nameShape, version: versionShape });
const forgetRequest = placeShape.extend({ epoch: count, tombstones: z.array(tombstone).max(mostForgottenAtOnce) });
const confirmed = z.array(z.boolean()).max(mostForgottenAtOnce);

/** Server side: what this cluster returns to others. */
export function catchUpCalls(changeLog: CatchUpPeer, tombstones: TombstonePeer): PeerCalls {
  return {
    heads: peerCall({ input: headsRequest, answer: (_, { mark }) => packedHeads(changeLog, mark) }),
    changes: peerCall({ input: changesRequest, answer: (_, { wanted }) => changeLog.changes(wanted) }),
    confirms: peerCall({ input: forgetRequest, answer: (_, request) => tombstones.confirms(request) }),
    forget: peerCall({ input: forgetRequest, answer: (_, request) => tombstones.forget(request) }),
  };
}

async function packedHeads(changeLog: CatchUpPeer, last: string) {
  const { heads: told, ...more } = await changeLog.heads(last);
  return { ...more, heads: pack(headPacking, told) };
}

/** Client side: another cluster, as the store's port. */
export function catchUpPeer(client: PeerClient): CatchUpPeer & TombstonePeer {
  return {
    heads: (mark) => client.call('heads', { mark }, heads, { deadlineMs }),
    changes: (wanted) => client.call('changes', { wanted }, changes, { deadlineMs }),
    confirms: (request) => client.call('confirms', request, confirmed),
    async forget(request) {
      await client.call('forget', request, z.unknown());
    },
  };
}
