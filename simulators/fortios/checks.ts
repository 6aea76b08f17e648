// The checks of the configuration database before it accepts or deletes an entry: references exist, names do not clash, a deleted
// entry is not in use.

import {
  BAD_VALUE,
  BAD_VIP,
  CmdbError,
  DUPLICATE_NAME,
  EMPTY_VALUE,
  IN_USE,
  NAME_IS_ADDRESS,
  NAME_IS_GROUP,
  NAME_IS_VIP,
  NOT_FOUND,
} from './errors.ts';
import { type Table, type TablePath, tables } from './tables.ts';
import { type Entry, numberOf, type Value } from './values.ts';

/** The checks' view of the database, for one VDOM. */
export interface View {
  has(path: TablePath, key: string): boolean;
  entries(path: TablePath): Iterable<readonly [key: string, entry: Entry]>;
}

export function checkEntry(view: View, table: Table, key: string, entry: Entry): void {
  for (const name of table.required) {
    if (isEmpty(entry[name])) throw new CmdbError(EMPTY_VALUE, `object check operator error, ${EMPTY_VALUE}`);
  }
  for (const [name, attribute] of Object.entries(table.attributes)) {
    if (attribute.kind === 'reference' || attribute.kind === 'references') {
      checkReferences(view, attribute.to, entry[name] ?? '');
    }
  }
  if (table.path === 'firewall/address') checkAddress(entry);
  if (table.path === 'firewall/addrgrp' && asList(entry.member).includes(key)) throw discarded(BAD_VALUE);
  if (table.path === 'firewall/vip') checkVip(view, key, entry);
  if (table.path === 'firewall/policy') checkPolicyName(view, key, entry);
}

/** For `set` on the command line, which checks at once. */
export function checkReferences(view: View, to: readonly TablePath[], value: Value): void {
  for (const name of asList(value)) {
    // `any` is an interface without an entry in a table.
    const isThere = (to.includes('system/interface') && name === 'any') || to.some((path) => view.has(path, name));
    if (!isThere) throw new CmdbError(NOT_FOUND, 'entry not found in datasource');
  }
}

/** Addresses, their groups and VIPs share one name space, since policies name them in one list. */
export function checkNewName(view: View, table: Table, key: string): void {
  const clashes: readonly (readonly [TablePath, number])[] = [
    ['firewall/addrgrp', NAME_IS_GROUP],
    ['firewall/address', NAME_IS_ADDRESS],
    ['firewall/vip', NAME_IS_VIP],
    ['firewall/vipgrp', NAME_IS_VIP],
  ];
  if (!clashes.some(([path]) => path === table.path)) return;
  for (const [path, code] of clashes) if (path !== table.path && view.has(path, key)) throw discarded(code);
}

export function checkUnused(view: View, table: Table, key: string): void {
  const users = [...tables.values()].reduce((sum, other) => sum + usesIn(view, other, table.path, key), 0);
  if (users > 0) throw new CmdbError(IN_USE, `The entry is used by other ${users} entries`);
}

function usesIn(view: View, table: Table, path: TablePath, key: string): number {
  const names = Object.entries(table.attributes)
    .filter(([, each]) => (each.kind === 'reference' || each.kind === 'references') && each.to.includes(path))
    .map(([name]) => name);
  let uses = 0;
  for (const [, entry] of view.entries(table.path)) {
    for (const name of names) if (asList(entry[name]).includes(key)) uses += 1;
  }
  return uses;
}

function checkAddress(entry: Entry): void {
  if (entry.type === 'iprange') {
    const [first, last] = [numberOf(String(entry['start-ip'])), numberOf(String(entry['end-ip']))];
    if (!first || !last || first > last) throw discarded(BAD_VALUE);
  }
  if (entry.type === 'fqdn' && isEmpty(entry.fqdn)) throw discarded(EMPTY_VALUE);
  if (entry.type === 'wildcard-fqdn' && isEmpty(entry['wildcard-fqdn'])) throw discarded(EMPTY_VALUE);
}

/** Two VIPs may not match the same traffic. */
function checkVip(view: View, key: string, entry: Entry): void {
  if (isEmpty(entry.extip)) throw discarded(EMPTY_VALUE);
  const traffic = (vip: Entry): string => {
    const port = vip.portforward === 'enable' ? `${vip.protocol} ${vip.extport}` : '';
    return `${vip.extintf} ${vip.extip} ${port}`;
  };
  if (entry.portforward === 'enable' && isEmpty(entry.extport)) throw discarded(BAD_VIP);
  for (const [other, vip] of view.entries('firewall/vip')) {
    if (other !== key && traffic(vip) === traffic(entry)) throw discarded(BAD_VIP);
  }
}

function checkPolicyName(view: View, key: string, entry: Entry): void {
  if (isEmpty(entry.name)) return;
  for (const [other, policy] of view.entries('firewall/policy')) {
    if (other !== key && policy.name === entry.name) throw discarded(DUPLICATE_NAME);
  }
}

function discarded(code: number): CmdbError {
  return new CmdbError(code, `object check operator error, ${code}, discard the setting`);
}

function asList(value: Value | undefined): readonly string[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === '' ? [] : [String(value)];
}

function isEmpty(value: Value | undefined): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}
