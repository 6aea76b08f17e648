// The imports and strings of a TypeScript file: the base of the other checks.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { parse } from '@swc/core';

export interface ImportedModule {
  /** Path from the root for a file of the repository, otherwise the package as written. */
  readonly target: string;
  readonly ours: boolean;
  /** Erased before it runs. */
  readonly typeOnly: boolean;
  /**
   * The parts used at run time: imported names, and the members used of a default or namespace import. `*`: all of it, as far as
   * can be determined.
   */
  readonly uses: readonly string[];
}

export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly imports: readonly ImportedModule[];
  /** Names in its code, also as members of `globalThis` and `process`; without those of types and other members. */
  readonly names: ReadonlySet<string>;
  /** Every string and template, placeholders left out. */
  readonly strings: readonly string[];
  readonly text: string;
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
  visit(module.body, (node) => {
    const source = importSource(node);
    if (source !== undefined)
      imports.push({ ...resolveImport(path, source, isTypeOnly(node)), uses: usesOf(node, module.body) });
    if (node.type === 'StringLiteral' && typeof node.value === 'string') strings.push(node.value);
    if (node.type === 'TemplateLiteral') strings.push(templateText(node));
  });
  return { path, imports, names: namesOf(module.body), strings, text };
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

function isTypeOnly(node: SyntaxNode): boolean {
  if (node.typeOnly === true || node.type === 'TsImportType') return true;
  const specifiers = node.specifiers;
  if (!Array.isArray(specifiers) || specifiers.length === 0) return false;
  return specifiers.every((specifier: SyntaxNode) => specifier.isTypeOnly === true);
}

function resolveImport(from: string, source: string, typeOnly: boolean): Omit<ImportedModule, 'uses'> {
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
