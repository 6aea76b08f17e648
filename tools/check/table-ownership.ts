// The tables that a file uses, by its SQL and its use of Prisma: each subgraph uses only its own, and only the functions
// of platform and dns use theirs.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SourceFile } from './source-files.ts';
import { covers } from './top-folders.ts';

/** Owner (platform, system, relay …) by table name and by the name of Prisma's model in code. */
interface TableOwners {
  readonly byTable: ReadonlyMap<string, string>;
  readonly byModel: ReadonlyMap<string, string>;
}

/** The owner of a table is the file of prisma/schema that declares it. */
export async function readTableOwners(schemaFolder: string): Promise<TableOwners> {
  const files = (await readdir(schemaFolder)).filter((name) => name.endsWith('.prisma'));
  const texts = await Promise.all(files.map((file) => readFile(join(schemaFolder, file), 'utf8')));
  return tableOwners(new Map(files.map((file, index) => [basename(file, '.prisma'), texts[index] ?? ''])));
}

export function tableOwners(schemas: ReadonlyMap<string, string>): TableOwners {
  const byTable = new Map<string, string>();
  const byModel = new Map<string, string>();
  for (const [owner, text] of schemas) {
    for (const match of text.matchAll(/^model\s+(\w+)\s*\{([\s\S]*?)^\}/gm)) {
      const [, model = '', body = ''] = match;
      byTable.set(/@@map\("(\w+)"\)/.exec(body)?.[1] ?? model, owner);
      byModel.set(`${model.charAt(0).toLowerCase()}${model.slice(1)}`, owner);
    }
  }
  return { byTable, byModel };
}

/** Owners whose tables may be used from only one of their folders. */
const homes: Readonly<Record<string, string>> = {
  gslb: 'subgraphs/gslb/control/',
  'object-storage': 'subgraphs/object-storage/control/',
};

/** Folders of a subgraph with tables of their own, which are in another database than the subgraph's. */
const ownFolders: Readonly<Record<string, string>> = { 'subgraphs/object-storage/engine/store/': 'object-cluster' };

/** SQL names a table after these words. Upper case only, because prose is not SQL. */
const tableReference = /\b(?:FROM|JOIN|INTO|UPDATE|TABLE|STRAIGHT_JOIN)\s+(?:IGNORE\s+)?`?([a-z_]+)`?/g;
const modelReference = /\b(?:prisma|model|client)\.([a-zA-Z]+)\./g;

export function findTableFaults(files: readonly SourceFile[], owners: TableOwners): string[] {
  return files.flatMap((file) => {
    const owner = ownerOf(file.path);
    if (owner === undefined) return [];
    const tables = file.strings.flatMap((text) => [...text.matchAll(tableReference)].map((match) => match[1] ?? ''));
    const models = [...file.text.matchAll(modelReference)].map((match) => match[1] ?? '');
    const touched = new Map<string, string>();
    for (const table of tables) add(touched, table, owners.byTable.get(table));
    for (const model of models) add(touched, model, owners.byModel.get(model));
    const home = homes[owner] ?? '';
    return [...touched].flatMap(([table, tableOwner]) => {
      if (tableOwner !== owner) return [`${file.path} touches ${table}, which belongs to ${tableOwner}`];
      return file.path.startsWith(home) ? [] : [`${file.path} touches ${table}, which only ${home} may`];
    });
  });
}

function add(touched: Map<string, string>, name: string, owner: string | undefined): void {
  if (owner !== undefined) touched.set(name, owner);
}

/** The owner of the tables that a file may use. Undefined if the file is not checked (tests, bench). */
function ownerOf(path: string): string | undefined {
  const own = Object.keys(ownFolders).find((folder) => path.startsWith(folder));
  if (own !== undefined) return ownFolders[own];
  const subgraph = /^subgraphs\/([^/]+)\//.exec(path)?.[1];
  if (subgraph !== undefined) return subgraph;
  const shared = /^(platform|dns)\//.exec(path)?.[1];
  if (shared !== undefined) return shared;
  return covers('tables', path) ? 'nobody' : undefined;
}
