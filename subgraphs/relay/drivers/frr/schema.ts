// Parts of the schemas of arguments. vtysh has no quoting, so text that it would misinterpret is refused.
import type { ArgumentFault, BackendContext, JsonObject } from '../driver.ts';

export const destination: JsonObject = {
  type: 'string',
  format: 'address-block',
  maxLength: 49,
  description: 'An address block, IPv4 or IPv6',
};
export const address: JsonObject = {
  type: 'string',
  format: 'address',
  // Without a zone.
  pattern: '^[0-9A-Fa-f.:]*$',
  maxLength: 45,
  description: 'An address, IPv4 or IPv6',
};
export const asNumber: JsonObject = {
  type: 'integer',
  minimum: 1,
  maximum: 4_294_967_295,
  description: 'An AS number, 1 to 4294967295',
};
export const name: JsonObject = {
  type: 'string',
  pattern: '^[A-Za-z0-9._-]{1,63}$',
  description: '1 to 63 letters, digits, dots, hyphens and underscores',
};
/** VRF_NAMSIZ of FRR is 36. */
export const vrf: JsonObject = {
  type: 'string',
  pattern: '^[A-Za-z0-9._-]{1,35}$',
  description: 'A VRF: 1 to 35 letters, digits, dots, hyphens and underscores. Default: the default VRF',
};

/** The words that `ip route` may have in the place of an interface; FRR also accepts the beginning of a word. */
const routeWords = ['blackhole', 'reject', 'null0', 'tag', 'vrf', 'table', 'label', 'nexthop-vrf', 'onlink', 'color'];

export const outgoingInterface: JsonObject = {
  type: 'string',
  pattern: '^[A-Za-z][A-Za-z0-9._-]{0,14}$',
  description: 'An interface: a letter, then up to 14 letters, digits, dots, hyphens and underscores',
};

export function isRouteWord(text: string): boolean {
  return routeWords.some((word) => word.startsWith(text.toLowerCase()));
}

/** Blanks alone, at an end, or several in a row are lost; `|` and `?` mean something to vtysh. */
const letter = "[A-Za-z0-9._:/,;@+=()&%*'\\[\\]-]";
export const description: JsonObject = {
  type: 'string',
  maxLength: 80,
  pattern: `^(?:${letter}+(?: ${letter}+)*)?$`,
  description: "Words of letters, digits and . _ : / , ; @ + = ( ) & % * ' [ ] -, with single spaces between them",
};
/** TCP_MD5SIG_MAXKEYLEN of Linux is 80. */
export const password: JsonObject = {
  type: 'string',
  writeOnly: true,
  minLength: 4,
  maxLength: 80,
  pattern: '^[!->@-{}~]*$',
  description: 'Printable ASCII without spaces, | and ?',
};

export function isIpv6(text: string): boolean {
  return text.includes(':');
}

/** `ip` or `ipv6`, as commands of that version begin. */
export function versionWord(text: string): 'ip' | 'ipv6' {
  return isIpv6(text) ? 'ipv6' : 'ip';
}

/** A block with its length, as FRR shows it. */
export function withLength(block: string): string {
  if (block.includes('/')) return block;
  return `${block}/${isIpv6(block) ? 128 : 32}`;
}

/** The default VRF has no name in the configuration. */
export function vrfOf(given: string | undefined): string | undefined {
  return given === 'default' ? undefined : given;
}

/** A text of the router's own configuration. */
const shownText = { type: 'string', minLength: 1, maxLength: 1_024, pattern: '^[^\0\n\r]*$', description: 'One line' };

/** The argument `was`: the settings of an object as its reader shows them, with lines that this driver does not write. */
export function wasOf(properties: JsonObject, required: readonly string[] = []): JsonObject {
  const other = { type: 'array', items: shownText, maxItems: 100, description: 'Its other lines' };
  return {
    type: 'object',
    properties: { ...properties, ...('description' in properties ? { description: shownText } : {}), other },
    required,
    additionalProperties: false,
    description: 'Its settings as the router shows them: only an object with exactly these is deleted.',
  };
}

/** A deletion names what it deletes, and not only the place. */
export function identified(
  args: { readonly madeBy?: readonly string[]; readonly was?: object },
  backend?: BackendContext,
): readonly ArgumentFault[] {
  if (backend === undefined || args.madeBy !== undefined || args.was !== undefined) return [];
  const message =
    'give madeBy, the ids of the calls that made it, or was, its settings: another object may have its place';
  return [{ path: ['madeBy'], message }];
}

/** Expressions for the line with the mark of one of the calls. Default: of any call. Some kinds of awk know no repetition `{36}`. */
export function markLines(start: string, calls: readonly string[] = ['[0-9a-f-]+']): string[] {
  return calls.map((call) => `\t${start} tg:${call}( |$)`);
}
