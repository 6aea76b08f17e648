// Addresses and blocks between their canonical text and nft's JSON form.

import { isIPv6 } from 'node:net';
import { canonicalAddressBlock, canonicalText, isInBlock, isInRange } from '../../../../platform/net/address-block.ts';
import type { JsonValue } from '../driver.ts';
import { isObject } from '../json.ts';

export function ipVersionOf(text: string): 4 | 6 {
  return isIPv6(text.split('/')[0] ?? '') ? 6 : 4;
}

/** Canonical text to an expression of libnftables-json(5). */
export function toExpression(text: string): JsonValue {
  const [addr = '', length] = canonicalText(text).split('/');
  return length === undefined ? addr : { prefix: { addr, len: Number(length) } };
}

/** An element as nft lists it to canonical text; undefined for ranges and anything that is not an address. */
export function fromElement(element: JsonValue | undefined): string | undefined {
  if (typeof element === 'string') return canonicalAddressBlock(element);
  if (!isObject(element)) return undefined;
  if (isObject(element.elem)) return fromElement(element.elem.val);
  const { prefix } = element;
  return isObject(prefix) ? canonicalAddressBlock(`${String(prefix.addr)}/${String(prefix.len)}`) : undefined;
}

/** Whether the first address of `text` is in an element as listed by nft: an address, a block or a range. */
export function covers(element: JsonValue, text: string): boolean {
  if (isObject(element) && isObject(element.elem)) return covers(element.elem.val ?? null, text);
  const [first = ''] = text.split('/');
  const block = fromElement(element);
  if (block !== undefined) return isInBlock(first, block);
  const [low, high] = isObject(element) && Array.isArray(element.range) ? element.range.map(String) : [];
  return low !== undefined && high !== undefined && isInRange(first, low, high);
}
