// The one edit that a call makes, and the proof that it was made: its path read back on the same session.

import { canonicalJson } from '../../../../platform/values/json.ts';
import type {
  JsonObject,
  JsonValue,
  NetconfReply,
  Outcome,
  RenderContext,
  ResourceFinding,
  WireCall,
} from '../driver.ts';
import { isObject } from '../json.ts';
import { readMark } from '../mark.ts';
import { findPath, type Path, pathElements, pathFilter } from './instance-path.ts';
import { modulesOf } from './modules.ts';
import { unknown, writeFailure } from './replies.ts';
import { comparableOf } from './values.ts';

type EditOperation = 'create' | 'merge' | 'replace' | 'delete';

interface EditGuard {
  allows(reply: NetconfReply): boolean;
}

/** `inner`: the XML in the path's last node. */
export function renderEdit(
  operation: EditOperation,
  nodes: Path,
  inner: string,
  { backend }: RenderContext,
  guard?: EditGuard,
): WireCall {
  const modules = modulesOf(backend);
  return {
    kind: 'netconf',
    edit: {
      config: pathElements(nodes, modules, inner, operation),
      // With `merge`, missing elements around a new entry are created with it, if they have no settings of their own.
      defaultOperation: operation === 'delete' ? 'none' : 'merge',
      foreignEdits: backend.options.unlockedEdits === 'refuse' ? 'refuse' : 'discard',
      ...(guard === undefined ? {} : { guard }),
    },
    source: 'running',
    filter: pathFilter(nodes, modules),
    modules,
  };
}

export function renderLook(nodes: Path, { backend }: RenderContext): WireCall {
  const modules = modulesOf(backend);
  return { kind: 'netconf', source: 'running', filter: pathFilter(nodes, modules), modules };
}

/** The element at a path, in the form for comparison. `values` leave out the keys of the entry, which its path has. */
type Found =
  | { readonly found: 'present'; readonly values: JsonObject; readonly operationId?: string }
  | { readonly found: 'absent' }
  | { readonly found: 'unreadable'; readonly message: string };

function lookIn({ data, modules }: NetconfReply, nodes: Path): Found {
  if (data === null) return { found: 'unreadable', message: 'The reply has no data.' };
  const entry = findPath(data, nodes, modules);
  if (typeof entry === 'string') return { found: 'unreadable', message: `The reply can't be trusted: ${entry}.` };
  if (entry === undefined) return { found: 'absent' };
  const last = nodes.at(-1);
  const keys = last?.keys.map(({ node }) => node) ?? [];
  const values = comparableOf(entry, modules, keys);
  return { found: 'present', ...withoutMark(isObject(values) ? values : leafValues(values)) };
}

/** The settings of a single leaf. The value is under the name `.`, and an empty leaf has none. */
export function leafValues(value: JsonValue): JsonObject {
  return value === '' || value === null ? {} : { '.': value };
}

/** One of its texts contains the mark of the call that made it. */
function withoutMark(values: JsonObject): { readonly values: JsonObject; readonly operationId?: string } {
  const marked = Object.entries(values).find(([, value]) => readMark(value) !== undefined);
  const mark = marked && readMark(marked[1]);
  if (marked === undefined || mark === undefined) return { values };
  const { [marked[0]]: _text, ...rest } = values;
  return { operationId: mark.operationId, values: mark.words === '' ? rest : { ...rest, [marked[0]]: mark.words } };
}

/** `wanted`: the value of `shown` for the expected result of `lookIn`. Undefined if nothing should be there. */
export function editOutcome(
  reply: NetconfReply,
  nodes: Path,
  wanted: JsonObject | undefined,
  shown = (values: JsonObject) => values,
): Outcome {
  const failure = writeFailure(reply, wanted === undefined);
  if (failure !== undefined) return failure;
  const look = lookIn(reply, nodes);
  if (look.found === 'unreadable') return unknown('UNREADABLE_REPLY', `The device said ok. ${look.message}`);
  if ((look.found === 'absent') !== (wanted === undefined))
    return unknown(
      'READ_BACK_DIFFERS',
      `The device said ok, but the entry is ${look.found} in its running configuration.`,
    );
  const differing =
    look.found === 'present' && wanted !== undefined ? firstDifference(wanted, shown(look.values)) : undefined;
  if (differing !== undefined)
    return unknown(
      'READ_BACK_DIFFERS',
      `The device said ok, but ${differing} is not as wanted in its running configuration.`,
    );
  return { state: 'SUCCEEDED', result: null };
}

/** The name of the first setting that differs. Only wanted settings count, not additions of the device. */
export function firstDifference(wanted: JsonObject, found: JsonObject, at = ''): string | undefined {
  for (const [name, value] of Object.entries(wanted)) {
    const have = found[name] ?? '';
    const path = at === '' ? name : `${at}.${name}`;
    if (isObject(value) && isObject(have)) {
      const inner = firstDifference(value, have, path);
      if (inner !== undefined) return inner;
    } else if (canonicalJson(value ?? null) !== canonicalJson(have)) return path;
  }
  return undefined;
}

export function finding(reply: NetconfReply, nodes: Path, shown = (values: JsonObject) => values): ResourceFinding {
  const { truncated, step, fault, errors } = reply;
  if (truncated) return { finding: 'UNREADABLE', message: 'The reply is too long to be read.' };
  if (step !== 'done')
    return {
      finding: 'UNREADABLE',
      message: fault ?? (errors[0] ? `${errors[0].tag}: ${errors[0].message}` : 'The device refused.'),
    };
  const look = lookIn(reply, nodes);
  if (look.found === 'unreadable') return { finding: 'UNREADABLE', message: look.message };
  if (look.found === 'absent') return { finding: 'ABSENT' };
  const { values, operationId } = look;
  return { finding: 'PRESENT', values: shown(values), ...(operationId === undefined ? {} : { operationId }) };
}
