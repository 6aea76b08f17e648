// One administrator's command-line session: the effect of a command at the current position. Sources: FortiOS CLI reference
// (config, edit, set, next, end, abort, move, execute cfg save), transcripts in public test suites for error texts. All output,
// including errors, goes to standard output.

import { keptEntries } from '../support/device-memory.ts';
import {
  type Answer,
  type Context,
  type EntryContext,
  failure,
  labelOf,
  parseError,
  unknownAction,
  unknownName,
} from './cli-context.ts';
import { print } from './cli-print.ts';
import { grep } from './cli-show.ts';
import { changedBy, type SetCommand } from './cli-values.ts';
import type { Device } from './device.ts';
import { CmdbError } from './errors.ts';
import { cliWords, tableOf } from './tables.ts';
import { checkKey } from './values.ts';

export class CliSession {
  readonly #device: Device;
  readonly #cut: () => void;
  readonly #contexts: Context[] = [];

  /** `cut` breaks the connection, for faults. */
  constructor(device: Device, cut: () => void) {
    this.#device = device;
    this.#cut = cut;
  }

  get prompt(): string {
    const host = this.#device.settings.get('system global', 'hostname');
    const label = labelOf(this.#here);
    return label === undefined ? `${host} # ` : `${host} (${label}) # `;
  }

  async run(words: readonly string[]): Promise<Answer> {
    const [command = '', ...rest] = words;
    if (command === '') return '';
    const bar = rest.indexOf('|');
    try {
      if (bar < 0) return await this.#run(command, rest);
      if (rest[bar + 1] !== 'grep' || !['show', 'get'].includes(command)) return parseError('|');
      return grep(await this.#run(command, rest.slice(0, bar)), rest.slice(bar + 2));
    } catch (error) {
      if (error instanceof CmdbError) return failure(error, rest.at(-1) ?? command);
      throw error;
    }
  }

  async #run(command: string, rest: readonly string[]): Promise<Answer> {
    switch (command) {
      case 'config':
        return this.#config(rest);
      case 'edit':
        return await this.#edit(rest[0] ?? '');
      case 'set':
      case 'unset':
      case 'append':
      case 'unselect':
        return this.#set(command, rest);
      case 'next':
      case 'end':
      case 'abort':
        return await this.#leave(command);
      case 'delete':
      case 'move':
        return await this.#changeRows(command, rest);
      case 'show':
      case 'get':
        return print(this.#device, { here: this.#here, vdom: this.#vdom, isGlobal: this.#isGlobal }, command, rest);
      case 'execute':
        return await this.#execute(rest);
      case 'exit':
      case 'quit':
        return this.#here ? unknownAction : 'EXIT';
      default:
        return unknownAction;
    }
  }

  get #here(): Context | undefined {
    return this.#contexts.at(-1);
  }

  /** The VDOM of commands at this position. Undefined if none was chosen. */
  get #vdom(): string | undefined {
    const chosen = this.#contexts.find((each) => each.kind === 'vdom');
    return chosen?.name ?? (this.#device.multiVdom ? undefined : 'root');
  }

  get #isGlobal(): boolean {
    return !this.#device.multiVdom || this.#contexts[0]?.kind === 'global';
  }

  #config(rest: readonly string[]): Answer {
    const path = rest.join(' ');
    if (this.#device.multiVdom && this.#contexts.length === 0) {
      if (path !== 'global' && path !== 'vdom') return unknownAction;
      this.#contexts.push({ kind: path === 'vdom' ? 'vdoms' : 'global' });
      return '';
    }
    if (this.#device.settings.isSection(path) && this.#isGlobal) {
      this.#contexts.push({ kind: 'section', section: path, changes: new Map() });
      return '';
    }
    const table = [...this.#device.tables.values()].find((each) => cliWords(each) === path && !each.global);
    if (!table || this.#vdom === undefined) return parseError(rest.at(-1) ?? '', 1);
    this.#contexts.push({ kind: 'table', table });
    return '';
  }

  async #edit(key: string): Promise<Answer> {
    const { cmdb } = this.#device;
    const here = this.#here;
    if (here?.kind === 'vdoms') {
      const table = tableOf('system/vdom');
      const enter = (): Answer => {
        if (!cmdb.vdoms.includes(key)) cmdb.create('root', table, checkKey(table, key), {}, 'CLI');
        this.#contexts.push({ kind: 'vdom', name: key });
        return `current vf=${key}:${cmdb.vdoms.indexOf(key)}\n`;
      };
      return cmdb.vdoms.includes(key) ? enter() : await this.#write(enter);
    }
    if (here?.kind !== 'table') return unknownAction;
    const checked = checkKey(here.table, key);
    this.#contexts.push({ kind: 'entry', table: here.table, key: checked, changes: {} });
    return cmdb.get(this.#vdom ?? '', here.table, checked) ? '' : `new entry '${checked}' added\n`;
  }

  #set(command: SetCommand, [name = '', ...words]: readonly string[]): Answer {
    const here = this.#here;
    if (here?.kind === 'entry') {
      here.changes = changedBy(this.#device, this.#vdom ?? '', here, [command, name, ...words]);
      return '';
    }
    if (here?.kind !== 'section') return unknownAction;
    if (words.length === 0 || !this.#device.settings.names(here.section).includes(name)) throw unknownName(name);
    here.changes.set(name, words.join(' '));
    return '';
  }

  async #leave(command: 'next' | 'end' | 'abort'): Promise<Answer> {
    const here = this.#here;
    const isPair = here?.kind === 'entry' || here?.kind === 'vdom';
    if (!here || (command === 'next' && !isPair)) return unknownAction;
    // A refused entry is discarded; the administrator leaves it anyway.
    this.#contexts.splice(isPair && command !== 'next' ? -2 : -1);
    if (command === 'abort') return '';
    const vdom = this.#vdom ?? '';
    if (here.kind === 'entry') return await this.#write(() => this.#save(vdom, here));
    if (here.kind !== 'section') return '';
    return await this.#write(() => {
      for (const [name, value] of here.changes) this.#device.settings.set(here.section, name, value);
      return '';
    });
  }

  #save(vdom: string, { table, key, changes }: EntryContext): Answer {
    const { cmdb } = this.#device;
    if (cmdb.get(vdom, table, key)) cmdb.update(vdom, table, key, changes, 'CLI');
    else cmdb.create(vdom, table, key, changes, 'CLI');
    return '';
  }

  async #changeRows(command: 'delete' | 'move', [key = '', place, other = '']: readonly string[]): Promise<Answer> {
    const { cmdb } = this.#device;
    const here = this.#here;
    const isVdom = here?.kind === 'vdoms' && command === 'delete';
    if (here?.kind !== 'table' && !isVdom) return unknownAction;
    const table = here.kind === 'table' ? here.table : tableOf('system/vdom');
    const vdom = this.#vdom ?? 'root';
    if (command === 'move' && place !== 'before' && place !== 'after') return parseError(place ?? key);
    return await this.#write(() => {
      if (command === 'delete') cmdb.remove(vdom, table, key, 'CLI');
      else cmdb.move(vdom, table, key, place === 'before' ? 'before' : 'after', other, 'CLI');
      return '';
    });
  }

  /** FortiOS CLI reference, execute cfg save: no effect while cfg-save is automatic. */
  async #execute(rest: readonly string[]): Promise<Answer> {
    if (rest.join(' ') !== 'cfg save' || !this.#isGlobal) return unknownAction;
    return await this.#write(() => {
      this.#device.saves.splice(0, this.#device.saves.length - keptEntries);
      this.#device.saves.push(new Date());
      return this.#device.settings.get('system global', 'cfg-save') === 'automatic' ? '' : 'config saved.\n';
    });
  }

  async #write(apply: () => Answer): Promise<Answer> {
    const refused = (error: unknown): string => {
      if (error instanceof CmdbError) return failure(error);
      throw error;
    };
    const answer = await this.#device.faults.around<Answer>({
      apply: () => {
        try {
          return apply();
        } catch (error) {
          return refused(error);
        }
      },
      fail: () => failure(new CmdbError(this.#device.failCode, 'internal error')),
      drop: this.#cut,
    });
    return answer ?? 'SILENT';
  }
}
