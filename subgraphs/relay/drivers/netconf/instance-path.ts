// Paths of data: instance-identifiers as RFC 7951, section 6.11 writes them. A path is never sent as it is: each of its nodes becomes an
// element, and each of its values a text in one.

import type { XmlElement } from '../driver.ts';
import type { Modules } from './modules.ts';
import { moduleName, type Node, namespaceOf } from './modules.ts';
import { hasText, leafElement, mayBeIdentity, nodeElement, sayable } from './values.ts';

interface PathNode extends Node {
  /** Keys of a list's entry. Their order in the path must be the order in the list's `key` (RFC 7950, section 7.8.5). */
  readonly keys: readonly { readonly node: Node; readonly value: string }[];
  /** Value of an entry of a leaf-list. */
  readonly value?: string;
}

export type Path = readonly PathNode[];

const longestPath = 512;
const mostNodes = 32;
const identifier = '[A-Za-z_][A-Za-z0-9_.-]{0,63}';
const nodePattern = new RegExp(`^/(?:(${moduleName}):)?(${identifier})`);
const predicatePattern = new RegExp(`^\\[(?:(?:(${moduleName}):)?(${identifier})|(\\.))=(?:'([^']*)'|"([^"]*)")\\]`);

export const path = {
  type: 'string',
  minLength: 2,
  maxLength: longestPath,
  description:
    "An instance-identifier (RFC 7951, section 6.11): /module:node/node[key='value']. The first node has its module, others have it where it changes; keys are in the order of the list.",
} as const;

/** The fault of a path, or its nodes. `modules`: absent, any may be named. */
export function parsePath(text: string, modules?: Modules): Path | string {
  const nodes: PathNode[] = [];
  let rest = text;
  let module: string | undefined;
  while (rest !== '') {
    const [whole, named, name = ''] = nodePattern.exec(rest) ?? [];
    if (whole === undefined) return `can't be read from ${JSON.stringify(rest.slice(0, 40))} on`;
    rest = rest.slice(whole.length);
    module = named ?? module;
    if (module === undefined) return 'has no module at its first node';
    if (nodes.length === mostNodes) return `has more than ${mostNodes} nodes`;
    const node = withPredicates({ module, name }, rest);
    if (typeof node === 'string') return node;
    rest = rest.slice(node.length);
    nodes.push(node.node);
  }
  if (nodes.length === 0) return 'is empty';
  return (modules && unknownModule(nodes, modules)) ?? nodes;
}

function withPredicates(node: Node, text: string): { readonly node: PathNode; readonly length: number } | string {
  const keys: { node: Node; value: string }[] = [];
  let value: string | undefined;
  let rest = text;
  while (rest.startsWith('[')) {
    const [whole, named, name, dot, single, double] = predicatePattern.exec(rest) ?? [];
    if (whole === undefined) return `can't be read from ${JSON.stringify(rest.slice(0, 40))} on`;
    const said = single ?? double ?? '';
    if (!sayable(said)) return `has a value that can't be sent: ${JSON.stringify(said.slice(0, 40))}`;
    if (value !== undefined || (dot !== undefined && keys.length > 0)) return 'has a value beside another condition';
    if (dot !== undefined) value = said;
    else if (keys.some((key) => key.node.name === name)) return `names the key ${name} twice`;
    else keys.push({ node: { module: named ?? node.module, name: name ?? '' }, value: said });
    rest = rest.slice(whole.length);
  }
  return { node: { ...node, keys, ...(value === undefined ? {} : { value }) }, length: text.length - rest.length };
}

function unknownModule(nodes: Path, modules: Modules): string | undefined {
  const named = nodes.flatMap((node) => [node, ...node.keys.map((key) => key.node)]);
  const unknown = named.find(({ module }) => !Object.hasOwn(modules, module));
  return unknown && `names the module ${unknown.module}, which is not among the backend's option modules`;
}

/** The canonical spelling of a path, which serves as the name of its element. */
export function pathText(nodes: Path): string {
  let module = '';
  return nodes
    .map((node) => {
      const name = node.module === module ? node.name : `${node.module}:${node.name}`;
      module = node.module;
      const conditions = node.keys.map((key) => {
        const of = key.node.module === node.module ? key.node.name : `${key.node.module}:${key.node.name}`;
        return `[${of}=${quoted(key.value)}]`;
      });
      const value = node.value === undefined ? '' : `[.=${quoted(node.value)}]`;
      return `/${name}${conditions.join('')}${value}`;
    })
    .join('');
}

/** XPath 1.0 has no escapes: a value with both quotes has no spelling, and no path with one can be read. */
function quoted(value: string): string {
  return value.includes("'") ? `"${value}"` : `'${value}'`;
}

/** The path as elements in each other. The last one has `inner`, and `operation` (RFC 6241, section 7.2). */
export function pathElements(nodes: Path, modules: Modules, inner: string, operation?: string): string {
  return elementsOf(nodes, modules, inner, operation);
}

/**
 * The path as a subtree filter. A server compares texts (section 6.2.5), and its prefix of an identity may differ from ours
 * (netconfd then finds nothing). So the filter leaves out values that may be identities, and `findPath` checks them.
 */
export function pathFilter(nodes: Path, modules: Modules): string {
  const plain = nodes.map(({ value, ...node }): PathNode => {
    const keys = node.keys.filter((key) => !mayBeIdentity(key.value, modules));
    return { ...node, keys, ...(value === undefined || mayBeIdentity(value, modules) ? {} : { value }) };
  });
  return elementsOf(plain, modules, '');
}

function elementsOf(nodes: Path, modules: Modules, inner: string, operation?: string): string {
  const wrap = (index: number, around: string): string => {
    const node = nodes[index];
    if (node === undefined) return '';
    const isLast = index === nodes.length - 1;
    const keys = node.keys.map((key) => leafElement(key.node, key.value, node.module, modules)).join('');
    const attributes = isLast && operation !== undefined ? { 'nc:operation': operation } : {};
    if (node.value !== undefined) return leafElement(node, node.value, around, modules, attributes);
    const within = keys + (isLast ? inner : wrap(index + 1, node.module));
    return nodeElement(node, within, around, modules, attributes);
  };
  return wrap(0, '');
}

/** The element at a path in the data of a reply. Returns a string with the reason if this can't be determined. */
export function findPath(data: XmlElement, nodes: Path, modules: Modules): XmlElement | undefined | string {
  const [first] = nodes;
  const isOther = (element: XmlElement) => first === undefined || !isNode(element, first, modules);
  if (data.children.some(isOther)) return 'it has data that were not asked for';
  let found: XmlElement | undefined = data;
  for (const node of nodes) {
    const matching: readonly XmlElement[] = (found?.children ?? []).filter(
      (element) => isNode(element, node, modules) && isEntry(element, node, modules),
    );
    if (matching.length > 1) return 'it has the same data twice';
    found = matching[0];
    if (found === undefined) return undefined;
  }
  return found;
}

export function isNode({ name, namespace }: XmlElement, node: Node, modules: Modules): boolean {
  return name === node.name && namespace === namespaceOf(node.module, modules);
}

function isEntry(element: XmlElement, { keys, value }: PathNode, modules: Modules): boolean {
  if (value !== undefined) return hasText(element, value, modules);
  return keys.every((key) => {
    const leaf = element.children.find((child) => isNode(child, key.node, modules));
    return leaf !== undefined && hasText(leaf, key.value, modules);
  });
}
