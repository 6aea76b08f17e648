// Builds the documents of clusters and options from their rows. Documents of rings are written where a ring is made.
import type { Transaction } from '../../../../platform/database/database.ts';
import { invariant } from '../../../../platform/errors/errors.ts';
import type { Ring } from '../../../../platform/rings/ring.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { documentName, type RingDocument } from '../../wire/documents/documents.ts';
import { groupOf } from '../../wire/documents/ring-clusters.ts';
import { formerNames, liveClusters } from './cluster-store.ts';
import { documentNamed, putDocument } from './document-store.ts';
import { liveOptions } from './option-store.ts';

export async function tellClusters(tx: Transaction, wake: Wake): Promise<void> {
  const formers = await formerNames(tx);
  const clusters = (await liveClusters(tx)).map(
    ({ number, id, name, zone, weight, state, peerUrls, controllerUrls, s3Urls, publicKey }) => ({
      ...{ number, id, name, zone, weight, state, publicKey },
      ...{ peerUrls: [...peerUrls], controllerUrls: [...controllerUrls], s3Urls: [...s3Urls] },
      ...(formers.has(name) ? { former: [...(formers.get(name) ?? [])] } : {}),
    }),
  );
  await putDocument(tx, wake, ['clusters'], { clusters });
}

export async function tellOptions(tx: Transaction, wake: Wake): Promise<void> {
  const options = (await liveOptions(tx)).map(({ number, id, name, replicas, nearestReads, isDefault }) => ({
    ...{ number, id, name, replicas, nearestReads, isDefault },
  }));
  await putDocument(tx, wake, ['options'], { options });
}

interface ToldRing {
  readonly number: number;
  readonly epoch: number;
  readonly ring: Ring;
  /** During a step: the next ring. */
  readonly next?: Ring | undefined;
  readonly isEmpty?: boolean;
  readonly isPaused?: boolean;
  /** Numbers of clusters. */
  readonly recovering?: readonly number[];
}

export async function tellRing(
  tx: Transaction,
  wake: Wake,
  { number, epoch, ring, next, isEmpty = false, isPaused = false, recovering = [] }: ToldRing,
): Promise<void> {
  const rings = next === undefined ? [ring] : [ring, next];
  await putDocument(tx, wake, ['ring', number], {
    ...{ ring: number, epoch, isEmpty, isPaused, recovering: [...recovering], isEnding: false },
    members: (next ?? ring).members.map((member) => ({ ...member })),
    groups: rings.map(groupOf),
  });
}

/** Publishes the last published ring again under the next epoch, and returns that epoch. The ring must not be changing. */
export async function tellEnding(tx: Transaction, wake: Wake, number: number, isEnding: boolean): Promise<number> {
  const told = await documentNamed(tx, documentName('ring', number));
  invariant(told !== undefined, `ring ${number} has no document`);
  const body = JSON.parse(told.body) as RingDocument;
  const epoch = body.epoch + 1;
  await putDocument(tx, wake, ['ring', number], { ...body, epoch, isEnding });
  return epoch;
}
