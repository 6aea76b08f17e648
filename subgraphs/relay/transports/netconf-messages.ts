// The messages of NETCONF (RFC 6241). Writes requests and reads answers, whatever the server sends.
import { readXml, type XmlElement, XmlError } from '../../../platform/xml/read-xml.ts';
import { element } from '../../../platform/xml/write-xml.ts';
import type { NetconfCall, NetconfError } from '../drivers/driver.ts';

const base = 'urn:ietf:params:xml:ns:netconf:base:1.0';
const withDefaultsNamespace = 'urn:ietf:params:xml:ns:yang:ietf-netconf-with-defaults';
const declaration = '<?xml version="1.0" encoding="UTF-8"?>';
const longestText = 1_024;
const mostErrors = 20;

export const capability = {
  base10: 'urn:ietf:params:netconf:base:1.0',
  base11: 'urn:ietf:params:netconf:base:1.1',
  candidate: 'urn:ietf:params:netconf:capability:candidate:1.0',
  writableRunning: 'urn:ietf:params:netconf:capability:writable-running:1.0',
  rollbackOnError: 'urn:ietf:params:netconf:capability:rollback-on-error:1.0',
  withDefaults: 'urn:ietf:params:netconf:capability:with-defaults:1.0',
} as const;

/** Section 8.1. A client sends no session-id. */
export const clientHello = `${declaration}${element(
  'hello',
  element('capabilities', [capability.base10, capability.base11].map((uri) => element('capability', uri)).join('')),
  { xmlns: base },
)}`;

export interface ServerHello {
  readonly sessionId: string;
  /** By URI, without what follows `?`. */
  readonly capabilities: ReadonlyMap<string, URLSearchParams>;
}

/** Returns the contents of a hello, or its fault as a string. */
export function readHello(message: Buffer): ServerHello | string {
  const root = parsed(message);
  if (typeof root === 'string') return `its hello can't be read: ${root}`;
  if (!isNetconf(root, 'hello')) return 'its first message is no hello';
  const sessionId = textOf(root, 'session-id');
  if (!/^[1-9]\d{0,9}$/.test(sessionId)) return 'its hello has no session-id';
  const listed = root.children.find((child) => isNetconf(child, 'capabilities'))?.children ?? [];
  const capabilities = new Map(
    listed.map(({ text }) => {
      const [uri = '', parameters = ''] = text.trim().split('?', 2);
      return [uri, new URLSearchParams(parameters)] as const;
    }),
  );
  if (!capabilities.has(capability.base10) && !capabilities.has(capability.base11))
    return 'it speaks neither base:1.0 nor base:1.1';
  return { sessionId, capabilities };
}

export function rpc(id: number, content: string): string {
  return `${declaration}${element('rpc', content, { 'message-id': String(id), xmlns: base })}`;
}

const datastore = (name: string): string => element(name, '', { xmlns: base });

/**
 * Sections 7.5, 7.6, 7.8 and 8.3.4. Attributes of the base namespace have the prefix `nc` in `config`. Empty elements are written as such:
 * netconfd 2.13 answers ok to `<discard-changes></discard-changes>`, and does nothing.
 */
export const requests = {
  lock: (target: string) => element('lock', element('target', datastore(target))),
  unlock: (target: string) => element('unlock', element('target', datastore(target))),
  discard: element('discard-changes', ''),
  commit: element('commit', ''),
  close: element('close-session', ''),
  edit: ({ config, defaultOperation }: NonNullable<NetconfCall['edit']>, target: string, rollsBack: boolean) =>
    element(
      'edit-config',
      [
        element('target', datastore(target)),
        element('default-operation', defaultOperation),
        rollsBack ? element('error-option', 'rollback-on-error') : '',
        element('config', config, { 'xmlns:nc': base }),
      ].join(''),
    ),
  /** Sections 7.1 and 7.7; RFC 6243, section 4.5.1: `explicit` leaves out what nobody has set. */
  read: ({ source, filter }: Pick<NetconfCall, 'source' | 'filter'>, explicit: boolean) => {
    const chosen = filter === null ? '' : element('filter', filter, { type: 'subtree' });
    const defaults = explicit ? element('with-defaults', 'explicit', { xmlns: withDefaultsNamespace }) : '';
    return source === 'state'
      ? element('get', chosen + defaults)
      : element('get-config', element('source', datastore(source)) + chosen + defaults);
  },
};

/** A call as people read it: its requests, without what depends on the server (the target of the edit, locks, ids). */
export function netconfText({ edit, source, filter }: NetconfCall): string {
  const read = requests.read({ source, filter }, false);
  if (edit === undefined) return read;
  const { config, defaultOperation } = edit;
  const edited = element(
    'edit-config',
    element('default-operation', defaultOperation) + element('config', config, { 'xmlns:nc': base }),
  );
  return [edited, requests.commit, read].join('\n');
}

export type Answer =
  | { readonly kind: 'ok'; readonly data: XmlElement | null }
  | { readonly kind: 'errors'; readonly errors: readonly NetconfError[] }
  /** It proves nothing. */
  | { readonly kind: 'fault'; readonly fault: string };

/** Sections 4.2 to 4.4. `wants`: the content that the reply must have if it has no error. */
export function readAnswer(message: Buffer, id: number, wants: 'ok' | 'data'): Answer {
  const root = parsed(message);
  if (typeof root === 'string') return fault(`The reply can't be read: ${root}.`);
  if (!isNetconf(root, 'rpc-reply')) return fault('The message is no rpc-reply of NETCONF.');
  if (root.attributes.get('message-id') !== String(id)) return fault('The reply is to another request.');
  const all = root.children.filter((child) => isNetconf(child, 'rpc-error'));
  const errors = all.filter((error) => textOf(error, 'error-severity') !== 'warning');
  const rest = root.children.filter((child) => !all.includes(child));
  if (errors.length > 0) {
    // A read may have data beside an error; an `ok` beside one is a contradiction.
    if (rest.some((child) => isNetconf(child, 'ok'))) return fault('The reply says both ok and an error.');
    return { kind: 'errors', errors: errors.slice(0, mostErrors).map(errorOf) };
  }
  const [only] = rest;
  if (rest.length !== 1 || only === undefined || !isNetconf(only, wants)) return fault(`The reply has no ${wants}.`);
  return { kind: 'ok', data: wants === 'data' ? only : null };
}

function parsed(message: Buffer): XmlElement | string {
  try {
    return readXml(message, { mostBytes: Number.POSITIVE_INFINITY });
  } catch (error) {
    if (error instanceof XmlError) return error.message;
    throw error;
  }
}

function isNetconf(root: XmlElement, name: string): boolean {
  return root.name === name && root.namespace === base;
}

function textOf(root: XmlElement, name: string): string {
  const text = root.children.find((child) => isNetconf(child, name))?.text ?? '';
  return text.trim().slice(0, longestText);
}

/** An error-info may have any content (section 4.3). */
function errorOf(error: XmlElement): NetconfError {
  const info = error.children.find((child) => isNetconf(child, 'error-info'));
  const holder = info === undefined ? '' : textOf(info, 'session-id');
  return {
    tag: textOf(error, 'error-tag'),
    message: textOf(error, 'error-message'),
    path: textOf(error, 'error-path'),
    ...(holder === '' ? {} : { holder }),
  };
}

function fault(message: string): Answer {
  return { kind: 'fault', fault: message };
}
