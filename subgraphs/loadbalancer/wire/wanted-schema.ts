// Parses documents of nodes and their changes, from the link or from disk.
import { z } from 'zod';
import { isObject } from '../../../platform/values/json.ts';
import { positionShape } from '../../../platform/values/positions.ts';
import { type PartSpec, partNames } from '../spec/part-kind.ts';
import type { WantedChange, WantedNode } from './wanted-node.ts';

const uuid = z.uuid();
const address = z.union([z.ipv4(), z.ipv6()]);
const count = z.number().int().nonnegative();

const part = z.object({
  id: uuid,
  kind: z.enum(partNames),
  parentId: uuid,
  spec: z.custom<PartSpec>(isObject),
  drainUntil: z.iso.datetime().nullable(),
});

const certificate = z.object({ id: uuid, version: count, pem: z.string().max(131_072) });

const head = z.object({
  id: uuid,
  /** Used as the name of files, interfaces and namespaces. */
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  projectId: uuid.optional(),
  loadBalancer: z.object({ id: uuid, name: z.string().max(63), generation: count }),
  state: z.enum(['RUN', 'DRAIN']),
  address,
  managementAddress: address,
  subnet: z
    .object({ address, cidr: z.string().max(49), vni: count.max(0xff_ff_ff), peers: z.array(address).max(1_000) })
    .nullable(),
  floating: z.object({ address, routerId: count.min(1).max(255), priority: count.min(1).max(254) }).nullable(),
  size: z.object({ connections: count, threads: count }),
  cookieKey: z.string().max(255),
});

const { history } = positionShape.shape;
const node = head.extend({ history, generation: count, parts: z.array(part), certificates: z.array(certificate) });

const change = z.object({
  history,
  from: count,
  to: count,
  node: head.optional(),
  parts: z.array(part),
  removedParts: z.array(uuid),
  certificates: z.array(certificate),
  removedCertificates: z.array(uuid),
});

/** Undefined if it is not the document of a node. */
export function readWantedNode(value: unknown): WantedNode | undefined {
  const read = node.safeParse(value);
  return read.success ? read.data : undefined;
}

/** Why it is not the document of a node, without its values, because some are secret. Undefined if it is one. */
export function wantedNodeFault(value: unknown): string | undefined {
  const read = node.safeParse(value);
  const [first] = read.error?.issues ?? [];
  return first === undefined ? undefined : `${first.path.join('.') || 'it'}: ${first.message}`;
}

/** Undefined if it is not a change. */
export function readWantedChange(value: unknown): WantedChange | undefined {
  const read = change.safeParse(value);
  if (!read.success) return undefined;
  const { node: changed, ...rest } = read.data;
  return changed === undefined ? rest : { ...rest, node: changed };
}
