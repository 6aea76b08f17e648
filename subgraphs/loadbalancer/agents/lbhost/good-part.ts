// Finds what a node can run when HAProxy refuses its document: the document that was last in effect, or otherwise everything but the
// listeners and pools that HAProxy names. A listener is dropped as a whole: without one of its policies it would accept requests that it
// must reject.
import type { WantedNode, WantedPart } from '../../wire/wanted-node.ts';
import { RefusedError } from './haproxy/haproxy.ts';
import { partsNamedIn } from './haproxy/refusal.ts';
import { RuntimeError } from './haproxy/runtime-socket.ts';

interface Opened {
  /** The document in effect. Generation 0 marks the wanted document without the refused parts. */
  readonly node: WantedNode;
  /** Why it is not the whole wanted document. Undefined if it is. */
  readonly refusal: Error | undefined;
}

/**
 * `open` brings HAProxy to a document. It must reject with RefusedError if nothing of it is in effect, and with RuntimeError if only a
 * member or a file is not. Rejects if HAProxy accepts nothing of the document, or names no part.
 */
export async function openGood(
  wanted: WantedNode,
  before: WantedNode | undefined,
  open: (node: WantedNode) => Promise<void>,
): Promise<Opened> {
  const refusal = await refusalOf(open, wanted);
  if (refusal === undefined) return { node: wanted, refusal };
  if (refusal instanceof RuntimeError) return { node: inPart(wanted), refusal };
  // The state that is wanted now may differ from the old one.
  const last = before === undefined ? undefined : { ...before, state: wanted.state };
  if (last !== undefined && isOpen(await refusalOf(open, last))) return { node: last, refusal };
  let named: Error = refusal;
  for (let node = withoutRefused(wanted, named); node !== undefined; node = withoutRefused(node, named)) {
    const next = await refusalOf(open, node);
    if (isOpen(next)) return { node, refusal };
    named = next;
  }
  throw refusal;
}

type Refusal = RefusedError | RuntimeError;

async function refusalOf(open: (node: WantedNode) => Promise<void>, node: WantedNode): Promise<Refusal | undefined> {
  try {
    await open(node);
    return undefined;
  } catch (error) {
    if (error instanceof RefusedError || error instanceof RuntimeError) return error;
    throw error;
  }
}

function isOpen(refusal: Refusal | undefined): refusal is RuntimeError | undefined {
  return !(refusal instanceof RefusedError);
}

/** Removes the listeners and pools that the refusal names, and listeners that need such a pool. Undefined if it names none of the node's. */
function withoutRefused(node: WantedNode, { message }: Error): WantedNode | undefined {
  const named = partsNamedIn(message);
  const gone = new Set(node.parts.filter(({ id }) => named.has(id)).map(({ id }) => id));
  if (gone.size === 0) return undefined;
  const needs = ({ spec }: WantedPart) => gone.has(String(spec.defaultPool)) || gone.has(String(spec.redirectPool));
  for (const part of node.parts.filter(needs)) gone.add(part.kind === 'L7Policy' ? part.parentId : part.id);
  // Parts are unordered: rules belong to policies, and policies to listeners.
  for (let level = 0; level < 2; level += 1)
    for (const { id, parentId } of node.parts) if (gone.has(parentId)) gone.add(id);
  return inPart({ ...node, parts: node.parts.filter(({ id }) => !gone.has(id)) });
}

function inPart(node: WantedNode): WantedNode {
  return { ...node, generation: 0, loadBalancer: { ...node.loadBalancer, generation: 0 } };
}
