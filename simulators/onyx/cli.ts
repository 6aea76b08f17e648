// The command line of a switch as pure text in and out: modes, prompts, `show` with its filters, errors that begin with `%`.
// Modes and prompts: Mellanox Onyx User Manual 3.7, chapter User Interfaces, CLI Modes. The text for an unknown command is from a
// transcript of such a switch (mode of the standalone prompt, `Type "?" for help.`).

import { configure, type Place } from './configure.ts';
import type { OnyxDevice } from './device.ts';
import { type ShowResult, show } from './shows.ts';
import { match, splitWords } from './words.ts';

type Mode = 'standard' | 'enable' | Place;

export interface CliAnswer {
  readonly output: string;
  /** Printed one screen at a time when paging is on. */
  readonly paged: boolean;
  /** The session ends. */
  readonly ended?: true;
}

/** The JSON API's result of one command. */
interface Executed {
  readonly ok: boolean;
  readonly message: string;
  readonly data: unknown;
}

export class CliSession {
  readonly #device: OnyxDevice;
  readonly #via: string;
  #mode: Mode;
  paging = true;

  /** The web session of the JSON API begins in configuration mode, where `configure terminal` does not exist. */
  constructor(device: OnyxDevice, via: string, start: 'standard' | 'config' = 'standard') {
    this.#device = device;
    this.#via = via;
    this.#mode = start === 'config' ? { at: 'config' } : 'standard';
  }

  get prompt(): string {
    const { hostname } = this.#device.config;
    const mode = this.#mode;
    if (mode === 'standard') return `${hostname} [standalone: master] > `;
    if (mode === 'enable') return `${hostname} [standalone: master] # `;
    return `${hostname} [standalone: master] (config${placeText(mode)}) # `;
  }

  /** Whether a line may change something: faults apply to those. */
  isWrite(line: string): boolean {
    const words = splitWords(line) ?? [];
    if (typeof this.#mode === 'string') return words[0] === 'write';
    return !['show', 'exit', 'quit', 'end', 'cli'].includes(words[0] ?? '') && !line.startsWith('no cli');
  }

  execute(line: string): CliAnswer {
    const [command = '', ...filters] = line.split(/\s\|\s*/);
    const words = splitWords(command);
    if (words === undefined) return refusal('Unbalanced quotes');
    if (words.length === 0) return answer('');
    const moved = this.#move(words);
    if (moved !== undefined) return moved;
    if (words[0] === 'show') return this.#show(words.slice(1), filters, line);
    if (words[0]?.startsWith('conf') || words[0] === 'write') return this.#save(words) ?? unrecognized(line);
    if (typeof this.#mode === 'string') return unrecognized(line);
    const result = configure(this.#device.config, this.#mode, words);
    switch (result.kind) {
      case 'unrecognized':
        return unrecognized(line);
      case 'refused':
        return refusal(result.message);
      case 'enter':
        this.#mode = result.place;
        this.#device.applied(this.#via, line);
        return answer('');
      case 'done':
        this.#device.applied(this.#via, line);
        return answer('');
    }
  }

  /** One command of the JSON API: `show` returns its data, all others their message. */
  executeForJson(line: string): Executed {
    const words = splitWords(line) ?? [];
    if (words[0] === 'show') {
      const shown = this.#look(words.slice(1));
      if (shown !== undefined && 'refused' in shown) return { ok: false, message: `% ${shown.refused}`, data: '' };
      if (shown !== undefined) return { ok: true, message: '', data: shown.json ?? { Lines: shown.text.split('\n') } };
    }
    const { output } = this.execute(line);
    return output.startsWith('%')
      ? { ok: false, message: output.trim(), data: '' }
      : { ok: true, message: '', data: '' };
  }

  #move(words: readonly string[]): CliAnswer | undefined {
    const paging = match(words, 'cli session paging enable')
      ? true
      : match(words, 'no cli session paging enable')
        ? false
        : undefined;
    if (paging !== undefined) {
      this.paging = paging;
      return answer('');
    }
    if (match(words, 'enable') && this.#mode === 'standard') this.#mode = 'enable';
    else if (match(words, 'disable') && this.#mode === 'enable') this.#mode = 'standard';
    else if (match(words, 'configure terminal') && this.#mode === 'enable') this.#mode = { at: 'config' };
    else if (match(words, 'exit') || match(words, 'quit')) {
      if (typeof this.#mode === 'string') return { output: '', paged: false, ended: true };
      this.#mode = this.#mode.at === 'config' ? 'enable' : { at: 'config' };
    } else if (words[0] === 'end' && typeof this.#mode !== 'string') this.#mode = 'enable';
    else return undefined;
    return answer('');
  }

  #save(words: readonly string[]): CliAnswer | undefined {
    const isConfig = typeof this.#mode !== 'string';
    if (
      !(isConfig && match(words, 'configuration write')) &&
      !(this.#mode !== 'standard' && match(words, 'write memory'))
    ) {
      return undefined;
    }
    this.#device.save();
    this.#device.applied(this.#via, words.join(' '));
    return answer('');
  }

  #show(words: readonly string[], filters: readonly string[], line: string): CliAnswer {
    const shown = this.#look(words);
    if (shown === undefined) return unrecognized(line);
    if ('refused' in shown) return refusal(shown.refused);
    let { text } = shown;
    for (const filter of filters) {
      const [include] = match(splitWords(filter) ?? [], 'include PATTERN') ?? [];
      if (/^json-print\s*$/.test(filter))
        text = `${jsonText(shown, this.#device.identity.version)}${this.#device.knobs.jsonTrailer}`;
      else if (include === undefined) return unrecognized(line);
      else
        text = text
          .split(/(?<=\n)/)
          .filter((each) => each.includes(include))
          .join('');
    }
    return { output: text, paged: true };
  }

  /** All but the version requires more than the standard mode. */
  #look(words: readonly string[]): ShowResult | undefined {
    if (this.#mode === 'standard' && words[0] === 'running-config') return undefined;
    return show(this.#device.config, this.#device.identity, words);
  }
}

/** Older versions print an empty line first. */
function jsonText({ json }: { readonly json: unknown }, version: string): string {
  const lead = version.startsWith('3.6.') ? '\n' : '';
  return `${lead}${JSON.stringify(json ?? {}, null, 4)}\n`;
}

function placeText(place: Place): string {
  switch (place.at) {
    case 'config':
      return '';
    case 'vlan':
      return ` vlan ${place.text}`;
    case 'interface':
      return ` interface ${place.text}`;
  }
}

function answer(output: string): CliAnswer {
  return { output, paged: false };
}

function refusal(message: string): CliAnswer {
  return answer(`% ${message}\n`);
}

function unrecognized(line: string): CliAnswer {
  return answer(`% Unrecognized command "${line.trim().split(/\s+/)[0] ?? ''}".\nType "?" for help.\n`);
}
