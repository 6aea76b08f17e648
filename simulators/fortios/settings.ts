// The device-wide settings that the command line can show and set: hostname, paging, saving, lock-out.

import { BAD_VALUE, CmdbError, PARSE_ERROR } from './errors.ts';

interface Setting {
  readonly values?: readonly string[];
  readonly initial: string;
}

const sections: Readonly<Record<string, Readonly<Record<string, Setting>>>> = {
  'system console': {
    mode: { values: ['line', 'batch'], initial: 'line' },
    baudrate: { values: ['9600', '19200', '38400', '57600', '115200'], initial: '9600' },
    output: { values: ['standard', 'more'], initial: 'more' },
    login: { values: ['enable', 'disable'], initial: 'enable' },
  },
  'system global': {
    hostname: { initial: '' },
    'cfg-save': { values: ['automatic', 'manual', 'revert'], initial: 'automatic' },
    'admin-lockout-threshold': { initial: '3' },
    'admin-lockout-duration': { initial: '60' },
    'rest-api-key-url-query': { values: ['enable', 'disable'], initial: 'disable' },
  },
};

export type SettingsSection = 'system console' | 'system global';

export class Settings {
  #values = new Map<string, string>();
  readonly #onChange: () => void;

  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  get state(): unknown {
    return this.#values;
  }

  restore(state: unknown): void {
    this.#values = state as Map<string, string>;
  }

  get(section: SettingsSection, name: string): string {
    return this.#values.get(`${section}/${name}`) ?? sections[section]?.[name]?.initial ?? '';
  }

  set(section: SettingsSection, name: string, value: string): void {
    const setting = sections[section]?.[name];
    if (!setting) throw new CmdbError(PARSE_ERROR, `command parse error before '${name}'`);
    if (value === '' || (setting.values && !setting.values.includes(value))) {
      throw new CmdbError(BAD_VALUE, `node_check_object fail! for ${name} ${value}`);
    }
    this.#values.set(`${section}/${name}`, value);
    this.#onChange();
  }

  names(section: SettingsSection): readonly string[] {
    return Object.keys(sections[section] ?? {});
  }

  isSection(words: string): words is SettingsSection {
    return words in sections;
  }
}
