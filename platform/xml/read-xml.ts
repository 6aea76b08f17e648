// Reads XML from outside: the only use of the parser. A document that declares entities is refused before it is parsed, size and
// depth are bounded, namespaces are resolved, and texts keep all their blanks.
import { XMLParser, XMLValidator } from 'fast-xml-parser';

/** An error in a document. The message describes the fault and never quotes the document. */
export class XmlError extends Error {}

export interface XmlElement {
  /** Without prefix. */
  readonly name: string;
  /** '' for none. */
  readonly namespace: string;
  /** By name; one with a prefix as `{namespace}name`. Declarations of namespaces are not among them. */
  readonly attributes: ReadonlyMap<string, string>;
  /** All namespaces that are declared here or in an outer element, by prefix. '' is the default namespace. */
  readonly namespaces: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** All text directly in it, joined. */
  readonly text: string;
}

interface XmlBounds {
  readonly mostBytes: number;
  /** Depth of nested elements, at most 100. */
  readonly deepest: number;
  /** Begins and ends of elements: each costs as much as a hundred characters of text. */
  readonly mostTags: number;
  /** Signs of equality in tags: attributes, and those in their values. Each attribute costs as much as several tags. */
  readonly mostAttributes: number;
}

const usualBounds: XmlBounds = { mostBytes: 1024 * 1024, deepest: 64, mostTags: 100_000, mostAttributes: 100_000 };
/** An element that declares one more gets a copy of all others. */
const mostNamespaces = 100;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // Off, `&amp;` stays as written.
  processEntities: { enabled: true, maxTotalExpansions: 1_000_000, maxExpandedLength: 16 * 1024 * 1024 },
  htmlEntities: true,
  maxNestedTags: 100,
  // The parser would give names like `toString` two underscores; here they are keys of lists, and never looked up.
  onDangerousProperty: (name: string) => name,
});

const textName = '#text';
const attributesName = ':@';
type ParsedNode = Readonly<Record<string, unknown>>;

const xmlNamespace = 'http://www.w3.org/XML/1998/namespace';
const noNamespaces: ReadonlyMap<string, string> = new Map([['xml', xmlNamespace]]);

/** The root element. Throws XmlError for anything but one well-formed document in UTF-8 within the bounds. */
export function readXml(document: Uint8Array | string, bounds: Partial<XmlBounds> = {}): XmlElement {
  const { mostBytes, deepest, mostTags, mostAttributes } = { ...usualBounds, ...bounds };
  if (document.length > mostBytes) throw new XmlError(`it is longer than ${mostBytes} bytes`);
  const xml = decoded(document);
  if (/<!(DOCTYPE|ENTITY)/i.test(xml)) throw new XmlError('it declares a document type');
  if (countOf('<', xml, mostTags) > mostTags) throw new XmlError(`it has more than ${mostTags} tags`);
  if (hasMoreAttributes(xml, mostAttributes)) throw new XmlError(`it has more than ${mostAttributes} attributes`);
  if (!hasOnlyCharactersOfXml(xml)) throw new XmlError('it has characters or references that XML does not have');
  if (XMLValidator.validate(xml) !== true) throw new XmlError('it is not well-formed');
  let nodes: readonly ParsedNode[];
  try {
    nodes = parser.parse(xml) as readonly ParsedNode[];
  } catch (error) {
    throw new XmlError('it is not readable', { cause: error });
  }
  const roots = nodes.filter((node) => nameOf(node) !== textName);
  const [root] = roots;
  if (root === undefined || roots.length > 1) throw new XmlError('it does not have exactly one root element');
  return elementOf(root, noNamespaces, deepest);
}

function decoded(document: Uint8Array | string): string {
  if (typeof document === 'string') return document;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(document);
  } catch (error) {
    throw new XmlError('it is not in UTF-8', { cause: error });
  }
}

/** XML 1.0, section 2.2. */
function isCharacter(code: number): boolean {
  return (
    code === 0x9 ||
    code === 0xa ||
    code === 0xd ||
    (code >= 0x20 && code < 0xd800) ||
    (code >= 0xe000 && code <= 0x10ffff && code !== 0xfffe && code !== 0xffff)
  );
}

/** The parser drops characters that XML does not allow and references to them, and the rest could mean something else. */
function hasOnlyCharactersOfXml(xml: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/.test(xml)) return false;
  const texts = withoutSections(xml);
  if (texts === undefined) return false;
  for (const [, name = ''] of texts.matchAll(/&([^;]{0,12};)?/g)) {
    if (/^(amp|lt|gt|quot|apos);$/.test(name)) continue;
    const [, hex, decimal] = /^#(?:x([0-9a-f]{1,8})|(\d{1,8}));$/i.exec(name) ?? [];
    if (!isCharacter(hex === undefined ? Number(decimal ?? 0) : Number.parseInt(hex, 16))) return false;
  }
  return true;
}

/**
 * Returns the document without CDATA sections and comments, or undefined if one of these does not end. Works in one pass, because a
 * regular expression would backtrack for each.
 */
function withoutSections(xml: string): string | undefined {
  let texts = '';
  let at = 0;
  for (const begin of xml.matchAll(/<!\[CDATA\[|<!--/g)) {
    if (begin.index < at) continue;
    const end = begin[0] === '<!--' ? '-->' : ']]>';
    const ended = xml.indexOf(end, begin.index + begin[0].length);
    if (ended < 0) return undefined;
    texts += xml.slice(at, begin.index);
    at = ended + end.length;
  }
  return texts + xml.slice(at);
}

/** At most one more than `most`. */
function countOf(character: string, xml: string, most: number): number {
  let count = 0;
  for (let at = xml.indexOf(character); at >= 0 && count <= most; at = xml.indexOf(character, at + 1)) count += 1;
  return count;
}

function hasMoreAttributes(xml: string, most: number): boolean {
  let count = 0;
  for (const [tag] of xml.matchAll(/<[^<>]*/g)) {
    count += countOf('=', tag, most);
    if (count > most) return true;
  }
  return false;
}

/** Each node has one member beside its attributes. */
function nameOf(node: ParsedNode): string {
  return Object.keys(node).find((key) => key !== attributesName) ?? textName;
}

function elementOf(node: ParsedNode, around: ReadonlyMap<string, string>, depthLeft: number): XmlElement {
  if (depthLeft === 0) throw new XmlError('it nests too deeply');
  const tag = nameOf(node);
  const given = Object.entries((node[attributesName] ?? {}) as Record<string, string>).map(
    ([name, value]) => [name.slice(1), String(value)] as const,
  );
  const namespaces = declared(given, around);
  const content = node[tag];
  if (!Array.isArray(content)) throw new XmlError('it is not readable');
  const children: XmlElement[] = [];
  let text = '';
  for (const child of content as readonly ParsedNode[]) {
    if (nameOf(child) === textName) text += String(child[textName]);
    else children.push(elementOf(child, namespaces, depthLeft - 1));
  }
  const { name, namespace } = resolved(tag, namespaces, namespaces.get('') ?? '');
  return { name, namespace, attributes: attributesOf(given, namespaces), namespaces, children, text };
}

/** Namespaces in XML 1.0, sections 3 and 5. */
function declared(
  given: readonly (readonly [string, string])[],
  around: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const own = given.flatMap(([name, value]): [string, string][] => {
    if (name === 'xmlns') return [['', value]];
    if (!name.startsWith('xmlns:')) return [];
    const prefix = name.slice('xmlns:'.length);
    if (value === '' || prefix === 'xmlns' || prefix === 'xml') throw new XmlError('it declares a namespace wrongly');
    return [[prefix, value]];
  });
  if (own.length === 0) return around;
  const all = new Map([...around, ...own]);
  if (all.size > mostNamespaces) throw new XmlError(`it declares more than ${mostNamespaces} namespaces`);
  return all;
}

function attributesOf(
  given: readonly (readonly [string, string])[],
  namespaces: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const [attribute, value] of given) {
    if (attribute === 'xmlns' || attribute.startsWith('xmlns:')) continue;
    const { name, namespace } = resolved(attribute, namespaces, '');
    const key = namespace === '' ? name : `{${namespace}}${name}`;
    if (attributes.has(key)) throw new XmlError('it has an attribute twice');
    attributes.set(key, value);
  }
  return attributes;
}

function resolved(qualified: string, namespaces: ReadonlyMap<string, string>, unprefixed: string) {
  const [first = '', second, ...more] = qualified.split(':');
  if (second === undefined) return { name: first, namespace: unprefixed };
  const namespace = namespaces.get(first);
  if (namespace === undefined || first === '' || second === '' || more.length > 0)
    throw new XmlError('it uses a prefix that it does not declare');
  return { name: second, namespace };
}
