// The configuration database (CMDB) of a simulated FortiGate: one state behind the REST API and the command line.

import { createHash, randomUUID } from 'node:crypto';
import type { AppliedLog } from '../support/applied-log.ts';
import { checkEntry, checkNewName, checkUnused, type View } from './checks.ts';
import {
  BAD_VALUE,
  CmdbError,
  DUPLICATE,
  ILLEGAL_MOVE,
  NOT_FOUND,
  RESERVED_WORD,
  SYSTEM_CONFLICT,
  TABLE_FULL,
  VDOM_IN_USE,
  VDOM_LICENCE,
  VDOM_NAME_IS_INTERFACE,
} from './errors.ts';
import { factoryEntries } from './factory.ts';
import { type Table, type TablePath, tableOf, tables } from './tables.ts';
import { checkKey, defaultOf, type Entry } from './values.ts';

interface CmdbOptions {
  /** Tables of the release. */
  readonly tables: ReadonlyMap<string, Table>;
  /** In addition to root. */
  readonly vdoms: readonly string[];
  /** Interfaces and the VDOMs they are in. */
  readonly interfaces: Readonly<Record<string, string>>;
  /** Per table and VDOM, including factory entries. */
  readonly maxEntries: number;
  /** By licence, including root. */
  readonly maxVdoms: number;
}

const globalScope = '';
const reservedVdoms = ['all', 'any', 'global', 'none', 'vdom'];

export class Cmdb {
  #scopes = new Map<string, Map<TablePath, Map<string, Entry>>>();
  #revisions = new Map<string, number>();
  readonly #options: CmdbOptions;
  readonly #log: AppliedLog;
  readonly #onChange: () => void;

  constructor(options: CmdbOptions, log: AppliedLog, onChange: () => void = () => {}) {
    this.#options = options;
    this.#log = log;
    this.#onChange = onChange;
    this.#scopes.set(globalScope, emptyTables());
    for (const name of ['root', ...options.vdoms]) this.#addVdom(name);
    for (const [name, vdom] of Object.entries(options.interfaces)) {
      this.#rows(globalScope, 'system/interface').set(name, complete(tableOf('system/interface'), { vdom }));
    }
  }

  get state(): unknown {
    return { scopes: this.#scopes, revisions: this.#revisions };
  }

  restore(state: unknown): void {
    const { scopes, revisions } = state as {
      scopes: Map<string, Map<TablePath, Map<string, Entry>>>;
      revisions: Map<string, number>;
    };
    this.#scopes = scopes;
    this.#revisions = revisions;
  }

  get vdoms(): readonly string[] {
    return [...this.#rows(globalScope, 'system/vdom').keys()];
  }

  /** In the table's own order. */
  list(vdom: string, table: Table): readonly (readonly [key: string, entry: Entry])[] {
    return [...this.#rows(scopeOf(vdom, table), table.path)];
  }

  get(vdom: string, table: Table, key: string): Entry | undefined {
    return this.#rows(scopeOf(vdom, table), table.path).get(key);
  }

  /** Changes with every write to the table. */
  revision(vdom: string, table: Table): string {
    const id = `${scopeOf(vdom, table)}/${table.path}`;
    return createHash('md5')
      .update(`${id}/${this.#revisions.get(id) ?? 0}`)
      .digest('hex');
  }

  /** The entry with these changes, checked like a written one. */
  preview(vdom: string, table: Table, key: string, changes: Entry): Entry {
    const entry = { ...(this.get(vdom, table, key) ?? complete(table, {})), ...changes };
    checkEntry(this.view(vdom), table, key, entry);
    return entry;
  }

  /** Creates an entry and returns its key. */
  create(vdom: string, table: Table, givenKey: string | undefined, changes: Entry, via: string): string {
    const key = this.#newKey(vdom, table, givenKey);
    const rows = this.#rows(scopeOf(vdom, table), table.path);
    if (rows.has(key)) throw new CmdbError(DUPLICATE, 'object already exists');
    if (table.path === 'system/vdom') this.#checkNewVdom(key);
    else if (rows.size >= this.#options.maxEntries) throw new CmdbError(TABLE_FULL, 'The table is full');
    checkNewName(this.view(vdom), table, key);
    const entry = this.preview(vdom, table, key, changes);
    if (table.path === 'system/vdom') this.#addVdom(key);
    else rows.set(key, 'uuid' in entry ? { ...entry, uuid: entry.uuid || randomUUID() } : entry);
    this.#written(vdom, table, via, `create ${table.path} ${key}`, changes);
    return key;
  }

  update(vdom: string, table: Table, key: string, changes: Entry, via: string): void {
    if (!this.get(vdom, table, key)) throw notFound();
    const entry = this.preview(vdom, table, key, changes);
    this.#rows(scopeOf(vdom, table), table.path).set(key, entry);
    this.#written(vdom, table, via, `update ${table.path} ${key}`, changes);
  }

  remove(vdom: string, table: Table, key: string, via: string): void {
    if (!this.get(vdom, table, key)) throw notFound();
    if (table.path === 'system/vdom') this.#checkOldVdom(key);
    else checkUnused(this.view(vdom), table, key);
    this.#rows(scopeOf(vdom, table), table.path).delete(key);
    if (table.path === 'system/vdom') this.#scopes.delete(key);
    this.#written(vdom, table, via, `delete ${table.path} ${key}`, {});
  }

  /** Deletes every entry of the table, unless one is in use: the effect of a DELETE without a key. */
  purge(vdom: string, table: Table, via: string): void {
    const rows = this.#rows(scopeOf(vdom, table), table.path);
    if (table.path === 'system/vdom') throw new CmdbError(SYSTEM_CONFLICT, 'cannot be purged');
    for (const key of rows.keys()) checkUnused(this.view(vdom), table, key);
    rows.clear();
    this.#written(vdom, table, via, `purge ${table.path}`, {});
  }

  move(vdom: string, table: Table, key: string, place: 'before' | 'after', other: string, via: string): void {
    const rows = this.#rows(scopeOf(vdom, table), table.path);
    const entry = rows.get(key);
    if (!entry || !rows.has(other)) throw notFound();
    if (!table.ordered || key === other) throw new CmdbError(ILLEGAL_MOVE, 'illegal move');
    const others = [...rows].filter(([each]) => each !== key);
    const index = others.findIndex(([each]) => each === other) + (place === 'after' ? 1 : 0);
    others.splice(index, 0, [key, entry]);
    rows.clear();
    for (const [each, row] of others) rows.set(each, row);
    this.#written(vdom, table, via, `move ${table.path} ${key} ${place} ${other}`, {});
  }

  /** The entries that entries of a VDOM can refer to. */
  view(vdom: string): View {
    const rows = (path: TablePath) => this.#rows(scopeOf(vdom, tableOf(path)), path);
    return {
      has: (path, key) => {
        const entry = rows(path).get(key);
        return entry !== undefined && (path !== 'system/interface' || entry.vdom === vdom);
      },
      entries: rows,
    };
  }

  #newKey(vdom: string, table: Table, given: string | undefined): string {
    if (table.keyKind === 'name') return checkKey(table, given ?? '');
    const key = checkKey(table, given ?? '0');
    if (key !== '0') return key;
    const used = [...this.#rows(scopeOf(vdom, table), table.path).keys()].map(Number);
    return String(Math.max(0, ...used) + 1);
  }

  #checkNewVdom(name: string): void {
    if (reservedVdoms.includes(name)) throw new CmdbError(RESERVED_WORD, `${name} is a reserved word`);
    if (!/^[\w.-]+$/.test(name)) throw new CmdbError(BAD_VALUE, `node_check_object fail! for name ${name}`);
    if (this.#rows(globalScope, 'system/interface').has(name)) {
      throw new CmdbError(VDOM_NAME_IS_INTERFACE, 'the name is an interface');
    }
    if (this.vdoms.length >= this.#options.maxVdoms) throw new CmdbError(VDOM_LICENCE, 'no more virtual domains');
  }

  #checkOldVdom(name: string): void {
    if (name === 'root') throw new CmdbError(SYSTEM_CONFLICT, 'the management virtual domain can not be deleted');
    for (const [, entry] of this.#rows(globalScope, 'system/interface')) {
      if (entry.vdom === name) throw new CmdbError(VDOM_IN_USE, 'The virtual domain is used by an interface');
    }
  }

  #addVdom(name: string): void {
    this.#rows(globalScope, 'system/vdom').set(name, complete(tableOf('system/vdom'), {}));
    const scope = emptyTables();
    for (const [path, key, values] of factoryEntries) {
      const table = this.#options.tables.get(path);
      if (table) scope.get(path)?.set(key, complete(table, values));
    }
    this.#scopes.set(name, scope);
  }

  #rows(scope: string, path: TablePath): Map<string, Entry> {
    const rows = this.#scopes.get(scope)?.get(path);
    if (!rows) throw new Error(`no virtual domain ${scope}, or no table ${path}`);
    return rows;
  }

  #written(vdom: string, table: Table, via: string, action: string, changes: Entry): void {
    const id = `${scopeOf(vdom, table)}/${table.path}`;
    this.#revisions.set(id, (this.#revisions.get(id) ?? 0) + 1);
    this.#log.add({ via, action: table.global ? action : `${vdom}: ${action}`, text: JSON.stringify(changes) });
    this.#onChange();
  }
}

function scopeOf(vdom: string, table: Table): string {
  return table.global ? globalScope : vdom;
}

function emptyTables(): Map<TablePath, Map<string, Entry>> {
  return new Map([...tables.values()].map((table) => [table.path, new Map<string, Entry>()]));
}

function complete(table: Table, values: Entry): Entry {
  const defaults = Object.entries(table.attributes).map(([name, attribute]) => [name, defaultOf(attribute)]);
  return { ...Object.fromEntries(defaults), ...values };
}

function notFound(): CmdbError {
  return new CmdbError(NOT_FOUND, 'entry not found in table');
}
