// Typed mutations of routers: static routes, BGP neighbours and entries of prefix lists.
import {
  addressBlockField,
  addressField,
  asNumberField,
  booleanField,
  enumField,
  integerField,
  nameField,
  required,
  secretField,
  textField,
} from '../../../platform/graph/fields.ts';
import type { ArgumentFault, JsonObject } from '../drivers/driver.ts';
import type { TypedMutation } from './typed-mutation.ts';

const family = 'ROUTER';
const vrf = nameField('The VRF (routing instance). Default: the default one of the router.');

function routeFaults({ destination, nextHop, interface: outgoing, discard }: JsonObject): readonly ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  const hasTarget = nextHop !== undefined || outgoing !== undefined;
  if (hasTarget === (discard === true))
    faults.push({ path: ['nextHop'], message: 'give either nextHop, interface or both of them, or discard: true' });
  if (nextHop !== undefined && isIpv6(nextHop) !== isIpv6(destination))
    faults.push({ path: ['nextHop'], message: 'nextHop has another IP version than destination' });
  return faults;
}

function entryFaults({ prefix, minLength, maxLength }: JsonObject): readonly ArgumentFault[] {
  const longest = isIpv6(prefix) ? 128 : 32;
  const own = Number(String(prefix).split('/')[1] ?? longest);
  const faults: ArgumentFault[] = [];
  let least = own;
  for (const [name, value] of Object.entries({ minLength, maxLength })) {
    if (value === undefined) continue;
    if (Number(value) < least || Number(value) > longest)
      faults.push({ path: [name], message: `${name} must be from ${least} to ${longest} with this prefix` });
    least = Math.max(least, Number(value));
  }
  return faults;
}

function isIpv6(address: unknown): boolean {
  return String(address).includes(':');
}

export const routerMutations: readonly TypedMutation[] = [
  {
    name: 'routerStaticRouteCreate',
    family,
    summary: 'Creates a static route on a router.',
    makes: { type: 'RouterStaticRoute', description: 'A static route on a router, as it is wanted.' },
    fields: {
      destination: required(addressBlockField('The destination: an address block. IPv4 or IPv6.')),
      vrf,
      nextHop: addressField('The address of the next router. Not allowed with discard.'),
      interface: nameField('The interface on which packets leave. Not allowed with discard.'),
      discard: booleanField('If true, packets to the destination are dropped without an answer.'),
      distance: integerField(
        'The administrative distance, 1 to 255. The route with the lowest distance is used. Default: that of the router, usually 1.',
        1,
        255,
      ),
    },
    refine: routeFaults,
  },
  {
    name: 'routerBgpNeighborCreate',
    family,
    summary: 'Creates a BGP neighbour (peer) of a router. The BGP instance must exist.',
    makes: { type: 'RouterBgpNeighbor', description: 'A BGP neighbour of a router, as it is wanted.' },
    fields: {
      localAs: required(asNumberField("The AS number of the router's BGP instance.")),
      vrf,
      address: required(addressField("The neighbour's address. IPv4 or IPv6.")),
      remoteAs: required(asNumberField("The neighbour's AS number.")),
      description: textField('Free text, stored with the neighbour.', 80),
      password: secretField('The password of TCP MD5 signatures (RFC 2385). It is never shown again.', 80),
      multihopTtl: integerField(
        'How many hops away an external neighbour may be. Default: 1, directly connected.',
        2,
        255,
      ),
      sourceAddress: addressField(
        'The local address of the connection. Default: the address of the outgoing interface.',
      ),
    },
    refine: ({ localAs, remoteAs, multihopTtl, address, sourceAddress }) => [
      ...(multihopTtl !== undefined && localAs === remoteAs
        ? [{ path: ['multihopTtl'], message: 'an internal neighbour (of the same AS) has no multihopTtl' }]
        : []),
      ...(sourceAddress !== undefined && isIpv6(sourceAddress) !== isIpv6(address)
        ? [{ path: ['sourceAddress'], message: 'sourceAddress has another IP version than address' }]
        : []),
    ],
  },
  {
    name: 'routerPrefixListEntryCreate',
    family,
    summary: 'Creates an entry of a prefix list on a router. The list exists as soon as it has an entry.',
    makes: { type: 'RouterPrefixListEntry', description: 'An entry of a prefix list on a router, as it is wanted.' },
    fields: {
      list: required(nameField('The name of the prefix list on the router.')),
      sequence: required(
        integerField('Its place in the list: entries are tried in ascending order.', 1, 1_000_000_000),
      ),
      action: required(
        enumField('The action on a matching prefix.', {
          name: 'RouterPrefixListAction',
          description: 'The action of an entry of a prefix list.',
          values: { PERMIT: 'The prefix matches the list.', DENY: 'The prefix does not match the list.' },
        }),
      ),
      prefix: required(addressBlockField('The prefix. Its IP version is that of the list.')),
      minLength: integerField(
        "The shortest prefix length that matches, from the prefix's own. Default: the prefix's own.",
        0,
        128,
      ),
      maxLength: integerField(
        "The longest prefix length that matches. Default: any with minLength, else the prefix's own.",
        0,
        128,
      ),
    },
    refine: entryFaults,
  },
];
