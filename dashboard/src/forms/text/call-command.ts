// A call of a driver's operation on the command line: `tidegate call BACKEND OPERATION`.
import { isOption } from './own-commands.ts';
import { type Deed, isShownObject, Missing, type Shown, type ShownObject } from './shown.ts';

const said: ReadonlySet<string> = new Set(['backend', 'operation', 'arguments', 'cmpObject', 'idempotencyKey']);

/** Undefined if the command can't express the call. */
export function callArguments({ action }: Deed, shown: ShownObject): readonly string[] | undefined {
  const { backend, operation = '', arguments: given = null, cmpObject, idempotencyKey } = shown;
  const id = isShownObject(backend) ? backend.id : undefined;
  if (action.mutation !== 'relayCall' || typeof id !== 'string' || isOption(String(operation))) return undefined;
  if (Object.keys(shown).some((name) => !said.has(name))) return undefined;
  const ofObject = cmpObject === undefined ? [] : cmpWords(cmpObject);
  if (ofObject === undefined || !(given instanceof Missing || isShownObject(given))) return undefined;
  return [
    ...['tidegate', 'call', id, String(operation)],
    ...['--arguments', given instanceof Missing ? given.word : JSON.stringify(given), ...ofObject],
    ...['--idempotency-key', String(idempotencyKey)],
  ];
}

function cmpWords(object: Shown): readonly string[] | undefined {
  if (!isShownObject(object)) return undefined;
  const { namespace = 'default', type = '', externalId = '', ...others } = object;
  if (Object.keys(others).length > 0 || /[:/]/.test(`${namespace}${type}`)) return undefined;
  const before = namespace === 'default' ? '' : `${String(namespace)}:`;
  return ['--cmp', `${before}${String(type)}/${String(externalId)}`];
}
