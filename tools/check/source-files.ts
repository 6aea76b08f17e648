// What a TypeScript file imports and which strings it holds: the other checks stand on this.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { parse } from '@swc/core';

export interface ImportedModule {
  /** Path from the root for a file of ours, otherwise the package as written. */
  readonly target: string;
  readonly ours: boolean;
  /** Erased before it runs. */
  readonly typeOnly: boolean;
}

export interface SourceFile {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly imports: readonly ImportedModule[];
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
    if (source !== undefined) imports.push(resolveImport(path, source, isTypeOnly(node)));
    if (node.type === 'StringLiteral' && typeof node.value === 'string') strings.push(node.value);
    if (node.type === 'TemplateLiteral') strings.push(templateText(node));
  });
  return { path, imports, strings, text };
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

function resolveImport(from: string, source: string, typeOnly: boolean): ImportedModule {
  if (!source.startsWith('.')) return { target: source, ours: false, typeOnly };
  return { target: posix.join(dirname(from), source), ours: true, typeOnly };
}

function templateText(node: SyntaxNode): string {
  const quasis = node.quasis as { cooked?: string; raw: string }[];
  return quasis.map((quasi) => quasi.cooked ?? quasi.raw).join(' ? ');
}
