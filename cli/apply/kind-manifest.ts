// Manifests of kinds that are known from the registry alone. Their fields are those of the create input, with names instead of ids.
import { registry } from '../../generated/kinds/registry.ts';
import type { JsonObject, JsonValue } from '../../platform/values/json.ts';
import { type Action, type Kind, ownFields } from '../../schema/kinds/kind.ts';
import { CommandFailure } from '../failures.ts';
import { checkInput } from '../kinds/check-input.ts';
import { withContents } from '../kinds/given-input.ts';
import type { SecretPlaces } from '../secrets.ts';
import type { ApplyFault, WantedManifest } from './manifest.ts';

/** Kinds with a reader of their own in apply, or that are read as parts of such a kind. */
const inBalancers: ReadonlySet<string> = new Set([
  ...['Pool', 'PoolMember', 'PoolHealthMonitor', 'Listener', 'L7Policy', 'L7Rule'],
]);
const withReaders: ReadonlySet<string> = new Set([
  ...['Backend', 'ProjectSubnet', 'TlsCertificate', 'LoadBalancer', 'AutoscalingPolicy'],
]);

/** Types in the order in which they are applied. */
export const appliedKinds: readonly string[] = Object.values(registry.kinds)
  .filter((kind) => !withReaders.has(kind.type) && whyNot(kind) === undefined)
  .map(({ type }) => type);

/** The reason why a file can't contain this kind. Undefined if it is not a kind at all. */
export function notApplied(name: JsonValue): string | undefined {
  const kind = typeof name === 'string' && Object.hasOwn(registry.kinds, name) ? registry.kinds[name] : undefined;
  return kind === undefined ? undefined : whyNot(kind);
}

function whyNot(kind: Kind): string | undefined {
  const { type, noun } = kind;
  if (inBalancers.has(type)) return `a ${type} is written inside of its LoadBalancer`;
  const make = makeAction(kind);
  if (make === undefined) return `objects of the kind ${type} are not made by requests`;
  if (make.secrets !== undefined)
    return `the secret of a new ${type} is shown only once: create it with "tidegate ${noun} create"`;
  return undefined;
}

/** Machines create their hosts, so only the record can be set. */
export function makeAction({ actions }: Kind): Action | undefined {
  return actions.create ?? actions.set ?? actions.update;
}

/** The manifest's field for a field of the input. Quotas differ, because `kind` has a meaning of its own in manifests. */
export function manifestField({ key, singular }: Kind, field: string): string {
  return field === 'kind' && key.includes('kind') ? singular : field;
}

interface Reading {
  readonly places: SecretPlaces;
  lineOf(path: readonly string[]): number;
}

export async function readKindManifest(
  type: string,
  value: JsonObject,
  { places, lineOf }: Reading,
): Promise<{ readonly manifest?: WantedManifest; readonly faults: readonly ApplyFault[] }> {
  const kind = registry.kinds[type];
  const make = kind === undefined ? undefined : makeAction(kind);
  if (kind === undefined || make === undefined) throw new Error(`${type} is no kind that is applied`);
  const [key = 'name'] = kind.key.filter((each) => each !== kind.parent?.input);
  const keyField = manifestField(kind, key);
  const name = value[keyField];
  const fields = { ...value };
  // An input that only changes an object has no name of its own.
  const isNamed = inputHas(make, key);
  if (!isNamed || keyField !== key) delete fields[keyField];
  if (keyField !== key && name !== undefined) fields[key] = name;
  const parent = kind.parent === undefined ? undefined : value[kind.parent.input];
  const label = [parent, name].filter((each) => typeof each === 'string').join('/');
  const document = label === '' ? type : `${type} ${label}`;
  const faults: ApplyFault[] = [];
  const fault = (path: readonly string[], message: string) => faults.push({ line: lineOf(path), document, message });
  if (typeof name !== 'string' || name === '') fault([keyField], `${keyField} is missing`);
  if (kind.parent !== undefined && typeof parent !== 'string' && kind.parent.input !== 'projectId')
    fault([kind.parent.input], `${kind.parent.input} is missing: the ${kind.parent.kind}, by name or id`);
  const checked = checkInput(make.input, fields, { completeness: 'partly', without: ownFields });
  for (const { path, message } of checked.faults)
    fault(
      path.map((each) => manifestField(kind, each)),
      message,
    );
  const secrets: string[] = [];
  let read: JsonObject = checked.value;
  if (faults.length === 0)
    try {
      read = await withContents(make.input, checked.value, places, secrets);
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error;
      fault([error.message.split(/[.: ]/)[0] ?? ''], error.message);
    }
  const manifest = { kind: type, name: label, line: lineOf([]), folder: places.folder, value, lineOf };
  return { manifest: { ...manifest, fields: read, tree: new Map(), secrets }, faults };
}

export function inputHas({ input }: Action, field: string): boolean {
  return registry.inputs[input]?.fields.some(({ name }) => name === field) === true;
}
