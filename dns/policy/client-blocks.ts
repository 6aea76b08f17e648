// Blocks of clients that a plan refers to by their content: the ID of such a map is the digest of its blocks, so a map never changes,
// and a damaged one is noticed.
import { createHash } from 'node:crypto';
import type { ClientBlocks } from './plan.ts';

const ownMapId = /^[0-9a-f]{64}$/;

/** Whether a plan's `clientMapId` refers to a map by its content. The others are in the zone's head. */
export function isOwnMapId(mapId: string): boolean {
  return ownMapId.test(mapId);
}

/** JSON, the same for equal blocks. */
export function textOfBlocks(blocks: ClientBlocks): string {
  return JSON.stringify(blocks.map(({ cidr, region }) => ({ cidr, region })));
}

export function mapIdOfText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function mapIdOf(blocks: ClientBlocks): string {
  return mapIdOfText(textOfBlocks(blocks));
}
