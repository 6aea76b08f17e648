// The imports and strings of a TypeScript file: the base of the other checks.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { parse } from '@swc/core';

interface ImportedModule {
  /** Path from the root for a file of the repository, otherwise the package as written. */
  readonly target: string;
  readonly ours: boolean;
  /** Erased before it runs. */
  readonly typeOnly: boolean;
  /** The parts used at run time: imported names, and the members used of a default or namespace import. `*`: possibly all of them. */
  readonly uses: readonly string[];
  /** Names imported or re-exported, including types. `*`: possibly all of them. */
  readonly names: readonly string[];
}

export interface SourceFile {
  /** Path from the root, with forward slashes. */
  readonly path: string;
  readonly imports: readonly ImportedModule[];
  /** Exported names, including types, without the default export and those of `export *`. */
  readonly exports: readonly string[];
  /** Names in its code, including members of `globalThis` and `process`, without names of types and other members. */
  readonly names: ReadonlySet<string>;
  /** Every string and template, placeholders left out. */
  readonly strings: readonly string[];
  /** Paths from the root that it names relative to itself: `new URL('…', import.meta.url)`, `join(import.meta.dirname, '…')`. */
  readonly namedPaths: readonly string[];
  /** Also methods, and those inside others. */
  readonly functions: readonly SourceFunction[];
  readonly text: string;
}

interface SourceFunction {
  readonly line: number;
  readonly lines: number;
}

const maxFiles = 5_000;

/** Parses every `.ts` file under the folders of the root that exist. */
export async function readSources(root: string, folders: readonly string[]): Promise<SourceFile[]> {
  const paths: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (!entry.isFile() || !/\.tsx?$/.test(entry.name)) continue;
      const parent = entry.parentPath.slice(root.length).replace(/^\/+/, '');
      if (!parent.includes('node_modules')) paths.push(posix.join(parent, entry.name));
    }
  }
  if (paths.length > maxFiles)
    throw new Error(`${paths.length} source files are more than ${maxFiles}: raise the bound`);
  return Promise.all(paths.sort().map(async (path) => parseSource(path, await readFile(join(root, path), 'utf8'))));
}

export async function parseSource(path: string, text: string): Promise<SourceFile> {
  const module = await parse(text, { syntax: 'typescript', tsx: path.endsWith('.tsx'), target: 'es2024' });
  const imports: ImportedModule[] = [];
  const strings: string[] = [];
  const namedPaths: string[] = [];
  const functions: SourceFunction[] = [];
  const lineAt = lineCounter(text);
  visit(module.body, (node) => {
    const source = importSource(node);
    if (source !== undefined)
      imports.push({
        ...resolveImport(path, source, isTypeOnly(node)),
        uses: usesOf(node, module.body),
        names: importedNames(node),
      });
    if (node.type === 'StringLiteral' && typeof node.value === 'string') strings.push(node.value);
    if (node.type === 'TemplateLiteral') strings.push(templateText(node));
    if (functionTypes.has(node.type)) {
      const { start, end } = spanOf(node);
      functions.push({ line: lineAt(start), lines: lineAt(end - 1) - lineAt(start) + 1 });
    }
    const words = wordsBesideModule(node);
    if (words !== undefined) namedPaths.push(posix.join(dirname(path), ...words));
  });
  const exports = module.body.flatMap((statement) => exportedNames(statement as unknown as SyntaxNode));
  return { path, imports, exports, names: namesOf(module.body), strings, namedPaths, functions, text };
}

interface SyntaxNode {
  readonly type: string;
  readonly [key: string]: unknown;
}

function visit(value: unknown, each: (node: SyntaxNode) => void): void {
  if (Array.isArray(value)) for (const item of value) visit(item, each);
  else if (isNode(value)) {
    each(value);
    for (const child of Object.values(value)) if (typeof child === 'object') visit(child, each);
  } else if (typeof value === 'object' && value !== null) {
    for (const child of Object.values(value)) if (typeof child === 'object') visit(child, each);
  }
}

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}

const functionTypes = new Set([
  ...['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression', 'MethodProperty', 'GetterProperty'],
  ...['SetterProperty', 'ClassMethod', 'PrivateMethod', 'Constructor'],
]);

interface Span {
  readonly start: number;
  readonly end: number;
}

/** A method of a class has that of its function. */
function spanOf(node: SyntaxNode): Span {
  return (node.span ?? (node.function as SyntaxNode).span) as Span;
}

/** The line of a position. swc counts bytes, from 1. */
function lineCounter(text: string): (position: number) => number {
  const bytes = Buffer.from(text);
  const starts = [1];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) starts.push(at + 2);
  return (position) => starts.findLastIndex((start) => start <= position) + 1;
}

const importTypes = new Set(['ImportDeclaration', 'ExportAllDeclaration', 'ExportNamedDeclaration', 'TsImportType']);

function importSource(node: SyntaxNode): string | undefined {
  if (importTypes.has(node.type)) {
    const source = node.source ?? node.argument;
    return isNode(source) && typeof source.value === 'string' ? source.value : undefined;
  }
  if (node.type !== 'CallExpression' || !isNode(node.callee) || node.callee.type !== 'Import') return undefined;
  const [first] = node.arguments as { expression: SyntaxNode }[];
  return typeof first?.expression.value === 'string' ? first.expression.value : undefined;
}

/** The path segments from the module to a file: the literal of `new URL`, or the arguments of `join` up to the first that is not a literal. */
function wordsBesideModule(node: SyntaxNode): string[] | undefined {
  if (node.type !== 'NewExpression' && node.type !== 'CallExpression') return undefined;
  const name = (node.callee as SyntaxNode).value;
  const given = ((node.arguments ?? []) as { expression: SyntaxNode }[]).map(({ expression }) => expression);
  if (name === 'URL' && isOfModule(given[1], 'url')) return literals(given.slice(0, 1));
  if ((name === 'join' || name === 'resolve') && isOfModule(given[0], 'dirname')) return literals(given.slice(1));
  return undefined;
}

function literals(nodes: readonly SyntaxNode[]): string[] {
  const words = nodes.map(({ type, value }) => (type === 'StringLiteral' ? String(value) : undefined));
  const end = words.indexOf(undefined);
  return words.slice(0, end < 0 ? undefined : end).map(String);
}

/** `import.meta.NAME` */
function isOfModule(node: SyntaxNode | undefined, name: string): boolean {
  if (node?.type !== 'MemberExpression') return false;
  const { object, property } = node as unknown as { object: SyntaxNode; property: SyntaxNode };
  return object.type === 'MetaProperty' && object.kind === 'import.meta' && property.value === name;
}

function isTypeOnly(node: SyntaxNode): boolean {
  if (node.typeOnly === true || node.type === 'TsImportType') return true;
  const specifiers = node.specifiers;
  if (!Array.isArray(specifiers) || specifiers.length === 0) return false;
  return specifiers.every((specifier: SyntaxNode) => specifier.isTypeOnly === true);
}

function resolveImport(from: string, source: string, typeOnly: boolean): Omit<ImportedModule, 'uses' | 'names'> {
  if (!source.startsWith('.')) return { target: source, ours: false, typeOnly };
  return { target: posix.join(dirname(from), source), ours: true, typeOnly };
}

interface Specifier extends SyntaxNode {
  readonly isTypeOnly?: boolean;
  readonly local: { readonly value: string };
  readonly imported?: { readonly value: string } | null;
}

function usesOf(node: SyntaxNode, body: unknown): string[] {
  if (isTypeOnly(node)) return [];
  if (node.type !== 'ImportDeclaration') return ['*'];
  return (node.specifiers as Specifier[])
    .filter(({ isTypeOnly: erased }) => erased !== true)
    .flatMap((each) => {
      if (each.type === 'ImportSpecifier') return [each.imported?.value ?? each.local.value];
      const { members, whole } = membersOf(each.local.value, body);
      return whole ? ['*'] : members;
    });
}

function importedNames(node: SyntaxNode): string[] {
  if (node.type === 'TsImportType') {
    let name = node.qualifier as SyntaxNode | null;
    while (name?.type === 'TsQualifiedName') name = name.left as SyntaxNode;
    return [String(name?.value ?? '*')];
  }
  if (!Array.isArray(node.specifiers)) return ['*'];
  return (node.specifiers as (Specifier & { readonly orig?: { readonly value: string } })[]).map((each) => {
    if (each.type === 'ImportDefaultSpecifier') return 'default';
    if (each.type === 'ImportSpecifier') return each.imported?.value ?? each.local.value;
    return each.orig?.value ?? '*';
  });
}

function exportedNames(statement: SyntaxNode): string[] {
  if (statement.type === 'ExportNamedDeclaration')
    return (statement.specifiers as SyntaxNode[])
      .map((each) => ((each.exported ?? each.orig ?? each.name) as { readonly value: string }).value)
      .filter((name) => name !== 'default');
  if (statement.type !== 'ExportDeclaration') return [];
  const declaration = statement.declaration as SyntaxNode;
  if (declaration.type === 'VariableDeclaration')
    return (declaration.declarations as SyntaxNode[]).flatMap(({ id }) => boundNames(id));
  return boundNames(declaration.identifier ?? declaration.id);
}

/** The names that a pattern binds. */
function boundNames(pattern: unknown): string[] {
  if (Array.isArray(pattern)) return pattern.flatMap(boundNames);
  if (!isNode(pattern)) return [];
  if (pattern.type === 'Identifier') return [String(pattern.value)];
  if (pattern.type === 'AssignmentPatternProperty') return boundNames(pattern.key);
  if (pattern.type === 'KeyValuePatternProperty') return boundNames(pattern.value);
  return boundNames(pattern.properties ?? pattern.elements ?? pattern.argument ?? pattern.left);
}

/** `whole`: the name is used for something other than a member. */
function membersOf(name: string, body: unknown): { readonly members: string[]; readonly whole: boolean } {
  const members: string[] = [];
  let whole = false;
  visitValues(body, (node) => {
    if (node.type === 'Identifier' && node.value === name) whole = true;
    if (node.type !== 'MemberExpression') return true;
    const { object, property } = node as unknown as { object: SyntaxNode; property: SyntaxNode };
    if (object.type !== 'Identifier' || object.value !== name) return true;
    if (property.type === 'Identifier') members.push(String(property.value));
    else whole = true;
    return false;
  });
  return { members, whole };
}

function namesOf(body: unknown): Set<string> {
  const names = new Set<string>();
  visitValues(body, (node) => {
    if (node.type === 'Identifier') names.add(String(node.value));
    if (node.type === 'MemberExpression') {
      const { object, property } = node as unknown as { object: SyntaxNode; property: SyntaxNode };
      if (/^(globalThis|global|process)$/.test(String(object.value))) names.add(String(property.value));
    }
    return true;
  });
  return names;
}

/** Run-time code: without imports, types and names of members. */
function visitValues(value: unknown, each: (node: SyntaxNode) => boolean): void {
  if (Array.isArray(value)) for (const item of value) visitValues(item, each);
  else if (typeof value === 'object' && value !== null) {
    if (isNode(value)) {
      if (value.type === 'ImportDeclaration' || value.type.startsWith('TsType') || value.type === 'TsQualifiedName')
        return;
      if (value.type === 'TsInterfaceDeclaration' || !each(value)) return;
    }
    for (const [key, child] of Object.entries(value)) {
      const named = key === 'property' || key === 'key';
      if (typeof child === 'object' && !(named && isNode(child) && child.type === 'Identifier'))
        visitValues(child, each);
    }
  }
}

function templateText(node: SyntaxNode): string {
  const quasis = node.quasis as { cooked?: string; raw: string }[];
  return quasis.map((quasi) => quasi.cooked ?? quasi.raw).join(' ? ');
}
