// Values in three forms: in JSON as in RFC 7951, as elements of XML, and in a common form for comparison. XML has no types: there a
// number is its text, a list is one element after the other, and a list of one entry looks like a container.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import { canonicalJson } from '../../../../platform/values/json.ts';
import { element, escapeXml } from '../../../../platform/xml/write-xml.ts';
import type { ArgumentFault, JsonValue, XmlElement } from '../driver.ts';
import { isObject } from '../json.ts';
import { type Modules, moduleName, moduleWith, type Node, namespaceOf } from './modules.ts';

const deepest = 24;
const longestText = 65_536;
const memberPattern = new RegExp(`^(?:(${moduleName}):)?([A-Za-z_][A-Za-z0-9_.-]{0,63})$`);
const prefixed = /^([A-Za-z_][A-Za-z0-9_.-]*):([A-Za-z_][A-Za-z0-9_.-]*)$/;

/**
 * Characters of XML (RFC 7950, section 9.4) without control characters other than the line feed. A server may remove blanks at the
 * ends of a text (netconfd does). The stored text would then differ from the sent one.
 */
export function sayable(text: string): boolean {
  return (
    text.length <= longestText &&
    text.trim() === text &&
    text.isWellFormed() &&
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
    !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\ufffe\uffff]/.test(text)
  );
}

/** Faults that a JSON Schema can't express. `modules`: absent, any may be named. */
export function valueFaults(value: JsonValue, at: readonly string[], modules?: Modules, depth = 0): ArgumentFault[] {
  const fault = (message: string): ArgumentFault[] => [{ path: at, message }];
  if (depth > deepest) return fault(`nests deeper than ${deepest} levels`);
  if (value === null) return fault('is null; the value of a leaf of type empty is [null]');
  if (typeof value === 'string')
    return sayable(value)
      ? []
      : fault(
          `must be at most ${longestText} characters, without control characters but line feeds, and without blanks at its ends`,
        );
  if (typeof value === 'number')
    return Number.isSafeInteger(value)
      ? []
      : fault(
          'must be an integer of at most 53 bits; larger ones and decimal numbers are texts (RFC 7951, section 6.1)',
        );
  if (typeof value === 'boolean' || isEmptyLeaf(value)) return [];
  if (Array.isArray(value))
    return value.flatMap((each, index) =>
      Array.isArray(each)
        ? [{ path: [...at, String(index)], message: 'is a list in a list' }]
        : valueFaults(each, [...at, String(index)], modules, depth + 1),
    );
  return Object.entries(value).flatMap(([member, each]) => {
    const [whole, module] = memberPattern.exec(member) ?? [];
    const where = [...at, member];
    if (whole === undefined) return [{ path: where, message: 'is not the name of a node: module:name or name' }];
    if (module !== undefined && modules !== undefined && !Object.hasOwn(modules, module))
      return [{ path: where, message: `names a module that is not among the backend's option modules` }];
    return valueFaults(each ?? null, where, modules, depth + 1);
  });
}

function isEmptyLeaf(value: JsonValue): boolean {
  return Array.isArray(value) && value.length === 1 && value[0] === null;
}

export function nodeElement(
  { module, name }: Node,
  inner: string,
  around: string,
  modules: Modules,
  attributes: Readonly<Record<string, string>> = {},
): string {
  const own = module === around ? {} : { xmlns: namespaceOf(module, modules) };
  return element(name, inner, { ...own, ...attributes });
}

export function mayBeIdentity(text: string, modules: Modules): boolean {
  const [, prefix] = prefixed.exec(text) ?? [];
  return prefix !== undefined && Object.hasOwn(modules, prefix);
}

/** A text that begins with the name of a module may be an identity (RFC 7951, section 6.8): in XML it needs the module's prefix. */
export function leafElement(
  node: Node,
  text: string,
  around: string,
  modules: Modules,
  attributes: Readonly<Record<string, string>> = {},
): string {
  const [prefix = ''] = text.split(':');
  const identity = mayBeIdentity(text, modules) ? { [`xmlns:${prefix}`]: namespaceOf(prefix, modules) } : {};
  return nodeElement(node, escapeXml(text), around, modules, { ...identity, ...attributes });
}

/** The content of an element of the module: members of an object, or a text. */
export function content(value: JsonValue, module: string, modules: Modules): string {
  if (!isObject(value)) return escapeXml(scalarText(value));
  return Object.entries(value)
    .map(([member, each]) => {
      const [, named, name = member] = memberPattern.exec(member) ?? [];
      const node = { module: named ?? module, name };
      const all = Array.isArray(each) && !isEmptyLeaf(each) ? each : [each ?? null];
      return all.map((one) => childElement(node, one, module, modules)).join('');
    })
    .join('');
}

function childElement(node: Node, value: JsonValue, around: string, modules: Modules): string {
  if (isObject(value)) return nodeElement(node, content(value, node.module, modules), around, modules);
  return leafElement(node, scalarText(value), around, modules);
}

/** RFC 7951, section 6; the value of `empty` has no text. */
function scalarText(value: JsonValue): string {
  return value === null || typeof value === 'object' ? '' : String(value);
}

/** The text of a leaf, with the module's name for the prefix of an identity. */
export function leafText({ text, namespaces }: XmlElement, modules: Modules): string {
  const [, prefix = '', name] = prefixed.exec(text.trim()) ?? [];
  const namespace = name === undefined ? undefined : namespaces.get(prefix);
  const module = namespace === undefined ? undefined : moduleWith(namespace, modules);
  return module === undefined ? text : `${module}:${name}`;
}

export function hasText(leaf: XmlElement, text: string, modules: Modules): boolean {
  const found = [leaf.text, leafText(leaf, modules)];
  return found.includes(text) || found.some((each) => canonicalText(each) === canonicalText(text));
}

/** A value for comparisons. Numbers become texts, a list of one entry becomes that entry, and the order of a list does not matter. */
export function comparable(value: JsonValue, module: string): JsonValue {
  if (!isObject(value)) return canonicalText(scalarText(value));
  return Object.fromEntries(
    Object.entries(value).flatMap(([member, each]) => {
      const [, named, name = member] = memberPattern.exec(member) ?? [];
      const of = named ?? module;
      const all = Array.isArray(each) && !isEmptyLeaf(each) ? each : [each ?? null];
      if (all.length === 0) return [];
      return [[memberName({ module: of, name }, module), listOf(all.map((one) => comparableChild(one, of)))]];
    }),
  );
}

/** An empty container looks like an empty leaf. */
function comparableChild(value: JsonValue, module: string): JsonValue {
  const made = comparable(value, module);
  return isObject(made) && Object.keys(made).length === 0 ? '' : made;
}

function listOf(values: readonly JsonValue[]): JsonValue {
  const [only] = values;
  if (values.length === 1) return only ?? null;
  return values.toSorted((a, b) => (canonicalJson(a) < canonicalJson(b) ? -1 : 1));
}

function memberName({ module, name }: Node, around: string): string {
  return module === around ? name : `${module}:${name}`;
}

/** Converts an element that was read into the form that `comparable` makes of a written value. `leaveOut`: keys of the entry itself. */
export function comparableOf(read: XmlElement, modules: Modules, leaveOut: readonly Node[] = []): JsonValue {
  const around = moduleWith(read.namespace, modules) ?? read.namespace;
  return readAs(read, around, modules, leaveOut, {
    leaf: (leaf) => canonicalText(leafText(leaf, modules).trim() === '' ? '' : leafText(leaf, modules)),
    list: listOf,
  });
}

/** An element as JSON, for people: leaves are texts, and a node is a list where there are several. */
export function jsonOf(read: XmlElement, modules: Modules): JsonValue {
  return readAs(read, '', modules, [], {
    leaf: (leaf) => (leaf.text.trim() === '' ? '' : leafText(leaf, modules)),
    list: (values) => (values.length === 1 ? (values[0] ?? null) : [...values]),
  });
}

interface Reading {
  leaf(leaf: XmlElement): JsonValue;
  list(values: readonly JsonValue[]): JsonValue;
}

function readAs(read: XmlElement, around: string, modules: Modules, leaveOut: readonly Node[], as: Reading): JsonValue {
  if (read.children.length === 0) return as.leaf(read);
  const members = new Map<string, JsonValue[]>();
  for (const child of read.children) {
    const module = moduleWith(child.namespace, modules) ?? child.namespace;
    if (leaveOut.some((key) => key.name === child.name && key.module === module)) continue;
    const name = memberName({ module, name: child.name }, around);
    const known = members.get(name) ?? [];
    known.push(readAs(child, module, modules, [], as));
    members.set(name, known);
  }
  return Object.fromEntries([...members].map(([name, values]) => [name, as.list(values)]));
}
