// Groups of addresses, and of virtual IPs. FortiOS CLI reference, firewall addrgrp and vipgrp.

import type { JsonObject } from '../driver.ts';
import { given } from '../json.ts';
import type { Kind } from './kind.ts';
import { fromMembers, sorted, toMembers } from './members.ts';
import { nameOf, namesOf } from './schema.ts';

function sortedMembers(args: JsonObject): JsonObject {
  return given({ members: Array.isArray(args.members) ? sorted(args.members.map(String)) : undefined });
}

export const addressGroup: Kind = {
  resource: 'address-group',
  prefix: 'addressGroup',
  one: 'an address group',
  many: 'address groups',
  listKey: 'addressGroups',
  table: 'firewall/addrgrp',
  nameMax: 79,
  comment: 'comment',
  properties: { members: namesOf('The name of an address or address group.') },
  lists: { members: 'SET' },
  own: [],
  required: ['members'],
  example: { name: 'servers', members: ['web'] },
  reads: ['uuid', 'member'],
  settle: sortedMembers,
  toDevice: ({ members }) => given({ member: toMembers(members) }),
  values: ({ member }) => ({ members: fromMembers(member) }),
};

export const vipGroup: Kind = {
  resource: 'vip-group',
  prefix: 'vipGroup',
  one: 'a virtual IP group',
  many: 'virtual IP groups',
  listKey: 'vipGroups',
  table: 'firewall/vipgrp',
  nameMax: 79,
  comment: 'comments',
  properties: {
    interface: nameOf(35, 'The interface of all its members, or any.'),
    members: namesOf('The name of a virtual IP.'),
  },
  lists: { members: 'SET' },
  own: [],
  required: ['interface', 'members'],
  example: { name: 'published', interface: 'any', members: ['shop'] },
  reads: ['uuid', 'interface', 'member'],
  settle: (args) => ({ ...given({ interface: args.interface }), ...sortedMembers(args) }),
  toDevice: ({ interface: on, members }) => given({ interface: on, member: toMembers(members) }),
  values: ({ interface: on, member }) => ({ interface: on, members: fromMembers(member) }),
};
