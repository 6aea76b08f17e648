// `set`, `unset`, `append` and `unselect`: their effect on the entry being edited, checked at once.

import { checkReferences } from './checks.ts';
import { type EntryContext, unknownName } from './cli-context.ts';
import { type Device, refuseUnknownType } from './device.ts';
import { defaultOf, type Entry, fromWords, type Value } from './values.ts';

export type SetCommand = 'set' | 'unset' | 'append' | 'unselect';

export function changedBy(
  device: Device,
  vdom: string,
  here: EntryContext,
  [command, name, ...words]: readonly [SetCommand, string, ...string[]],
): Entry {
  const attribute = here.table.attributes[name];
  if (!attribute || (command !== 'unset' && words.length === 0)) throw unknownName(name);
  if (command === 'unset') return { ...here.changes, [name]: defaultOf(attribute) };
  let value: Value = fromWords(name, attribute, words);
  if (command !== 'set') {
    const old = merged(device, vdom, here)[name];
    const kept = Array.isArray(old) ? old.filter((each) => !words.includes(each)) : [];
    value = command === 'append' && Array.isArray(value) ? [...kept, ...value] : kept;
  }
  if (attribute.kind === 'reference' || attribute.kind === 'references') {
    checkReferences(device.cmdb.view(vdom), attribute.to, value);
  }
  refuseUnknownType(device, here.table.path, { [name]: value });
  return { ...here.changes, [name]: value };
}

/** The entry with the pending changes. */
export function merged(device: Device, vdom: string, here: EntryContext): Entry {
  const defaults = Object.entries(here.table.attributes).map(([name, each]) => [name, defaultOf(each)]);
  return { ...Object.fromEntries(defaults), ...device.cmdb.get(vdom, here.table, here.key), ...here.changes };
}
