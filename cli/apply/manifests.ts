// Reads the manifests of files to apply: their kind and name, the types of their fields, then their values with the graph's own checks. Secrets come
// from other files. No request is sent.
import { InputCheck } from '../../platform/input/input.ts';
import { validateObject } from '../../platform/input/json-schema.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { describedBalancer } from '../../subgraphs/loadbalancer/control/balancers/balancer-input.ts';
import { checkCertificate } from '../../subgraphs/loadbalancer/control/certificates/certificate-input.ts';
import { checkedPolicy } from '../../subgraphs/loadbalancer/control/scaling/policy-input.ts';
import { readPlaced, readSecret, type SecretPlaces } from '../secrets.ts';
import type { ManifestSource } from '../source.ts';
import { parseSource } from '../source.ts';
import { FileLines, type ManifestFile } from './files.ts';
import { appliedKinds, notApplied, readKindManifest } from './kind-manifest.ts';
import type { ApplyFault, WantedManifest } from './manifest.ts';
import { type ManifestFault, readChildren, unknownField } from './tree.ts';

/** Kinds with readers of their own. */
const ownNames = ['Backend', 'ProjectSubnet', 'TlsCertificate', 'LoadBalancer', 'AutoscalingPolicy'] as const;
type OwnName = (typeof ownNames)[number];

/** In the order in which they are applied: a kind refers only to earlier ones. */
const kindNames: readonly string[] = [...ownNames, ...appliedKinds];

/** Limit of all files together. */
const mostManifests = 10_000;
const text = { type: 'string' };
const number = { type: 'integer' };
const flag = { type: 'boolean' };
const texts = { type: 'array', items: text };
const map = (properties: JsonObject, required: readonly string[] = []): JsonObject => ({
  ...{ type: 'object', properties, required, additionalProperties: false },
});

const window = {
  ...{ days: { type: 'array', items: number }, from: text, to: text, minNodes: number, maxNodes: number },
} as const;
const policyFields = {
  ...{ enabled: flag, dryRun: flag, signal: { enum: ['LOAD', 'COLLECTD'] }, collectdValue: text },
  ...{ requestsPerNode: number, targetPercent: number, tolerancePercent: number, periodMs: number, warmUpMs: number },
  ...{ cooldownMs: number, downWindowMs: number, timeZone: text },
  schedule: { type: 'array', items: map(window, Object.keys(window)) },
};

/** Types of the fields. Files and secrets are read first. */
const schemas: Readonly<Record<Exclude<OwnName, 'Backend'>, JsonObject>> = {
  ProjectSubnet: map({ name: text, cidr: text }, ['name', 'cidr']),
  TlsCertificate: map({ name: text, chain: text, privateKey: text }, ['name', 'chain']),
  LoadBalancer: map(
    {
      ...{ name: text, description: text, tags: texts, subnetId: text, enabled: flag },
      deletionProtected: flag,
      cmpObject: map({ namespace: text, type: text, externalId: text }, ['type', 'externalId']),
      topology: { enum: ['SPREAD', 'ACTIVE_STANDBY'] },
      ...{ minNodes: number, maxNodes: number, nodeSize: map({ connections: number, threads: number }) },
      // The parts are read by the descriptions of their kinds.
      ...{ pools: {}, listeners: {} },
      autoscaling: map(policyFields),
    },
    ['name'],
  ),
  AutoscalingPolicy: map({ loadBalancer: text, ...policyFields }, ['loadBalancer']),
};

interface ManifestsRead {
  readonly manifests: readonly WantedManifest[];
  readonly faults: readonly ApplyFault[];
  /** Maps the lines of manifests and faults to files. */
  readonly lines: FileLines;
}

export async function readManifests(
  files: readonly ManifestFile[],
  places: Omit<SecretPlaces, 'folder'>,
): Promise<ManifestsRead> {
  const lines = new FileLines(files);
  const faults: ApplyFault[] = [];
  const items = files.flatMap((file, at) => itemsOfFile(file, { before: lines.before(at), ...places }, faults));
  if (items.length > mostManifests) {
    const message = `${items.length} documents are too many: give at most ${mostManifests}`;
    faults.push({ line: items[mostManifests]?.lineOf([]) ?? 1, document: null, message });
  }
  const manifests: WantedManifest[] = [];
  const firstLines = new Map<string, number>();
  for (const item of items.slice(0, mostManifests)) {
    const read = await readManifest(item);
    const { manifest } = read;
    faults.push(...read.faults);
    if (manifest === undefined) continue;
    manifests.push(manifest);
    if (manifest.name === '') continue;
    const key = `${manifest.kind} ${manifest.name}`;
    const first = firstLines.get(key);
    if (first !== undefined)
      faults.push({ line: manifest.line, document: key, message: `it is also ${lines.words(first)}: keep one` });
    firstLines.set(key, first ?? manifest.line);
  }
  const order = (each: WantedManifest) => kindNames.indexOf(each.kind);
  return { manifests: manifests.sort((a, b) => order(a) - order(b)), faults, lines };
}

interface Item {
  readonly value: JsonValue;
  readonly places: SecretPlaces;
  lineOf(path: readonly string[]): number;
}

interface FilePlace extends Omit<SecretPlaces, 'folder'> {
  /** The lines of earlier files. */
  readonly before: number;
}

/** The documents of a file. A file without any has a fault. */
function itemsOfFile(
  { text: source, folder }: ManifestFile,
  { before, env, allowed }: FilePlace,
  faults: ApplyFault[],
): readonly Item[] {
  const parsed = parseSource(source, { several: true });
  const found = parsed.flatMap((each) => each.faults);
  faults.push(...found.map(({ line, message }) => ({ line: before + line, document: null, message })));
  const items = parsed.flatMap(itemsOf);
  if (found.length === 0 && items.length === 0)
    faults.push({ line: before + 1, document: null, message: 'it has no document: write one, or leave it out' });
  const places = { folder, env, allowed };
  return items.map(({ value, lineOf }) => ({ value, places, lineOf: (path) => before + lineOf(path) }));
}

/** A manifest, or a list of manifests (JSON has only one YAML document in a file). Ignores empty ones. */
function itemsOf({ value, lineOf }: ManifestSource): Omit<Item, 'places'>[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return [{ value: value as JsonValue, lineOf }];
  return value.map((each: JsonValue, at) => ({ value: each, lineOf: (path) => lineOf([String(at), ...path]) }));
}

async function readManifest({
  value,
  places,
  lineOf,
}: Item): Promise<{ readonly manifest?: WantedManifest; readonly faults: readonly ApplyFault[] }> {
  const line = lineOf([]);
  const known = `kind must be one of ${kindNames.join(', ')}`;
  if (!isObject(value))
    return { faults: [{ line, document: null, message: `a document must be a map of names and values; ${known}` }] };
  const { kind: given, ...rest } = value;
  const kind = ownNames.find((each) => each === given);
  if (kind === undefined && kindNames.some((each) => each === given))
    return readKindManifest(String(given), rest, { lineOf, places });
  if (kind === undefined) {
    const message = given === undefined ? `kind is missing: ${known}` : (notApplied(given) ?? known);
    return { faults: [{ line: lineOf(['kind']), document: null, message }] };
  }
  const name = kind === 'AutoscalingPolicy' ? rest.loadBalancer : rest.name;
  const label = typeof name === 'string' ? `${kind} ${name}` : kind;
  const base = {
    ...{ kind, name: typeof name === 'string' ? name : '', line, folder: places.folder, value: rest, lineOf },
  };
  // Backends have a reader of their own, which reports their faults.
  if (kind === 'Backend') return { manifest: { ...base, fields: {}, tree: new Map(), secrets: [] }, faults: [] };
  const found: ManifestFault[] = [];
  const { fields: read, secrets } = await withFiles(kind, rest, places, found);
  const checked = validateObject(schemas[kind], withoutNulls(read));
  if (!checked.ok)
    for (const { path, message } of checked.faults)
      found.push({ path, message: inWords(path, message, Object.keys(schemas[kind].properties as JsonObject)) });
  const { pools: _pools, listeners: _listeners, ...fields } = read;
  const tree = kind === 'LoadBalancer' ? readChildren('LoadBalancer', read, [], found) : new Map();
  if (checked.ok) found.push(...valueFaults(kind, fields));
  const faults = found.map(({ path, message }) => ({ line: lineOf(path), document: label, message }));
  return { manifest: { ...base, fields, tree, secrets }, faults };
}

/** Inserts the content of the referenced files. Drops null members, except those of autoscaling. */
async function withFiles(
  kind: OwnName,
  map: JsonObject,
  places: SecretPlaces,
  faults: ManifestFault[],
): Promise<{ readonly fields: JsonObject; readonly secrets: readonly string[] }> {
  const keepsNull = (name: string) => kind === 'AutoscalingPolicy' || name === 'autoscaling';
  const given = Object.entries(map)
    .filter(([name, member]) => member !== null || keepsNull(name))
    .map(([name, member]) => [name, isObject(member) && !keepsNull(name) ? withoutNulls(member) : member]);
  const fields: Record<string, JsonValue | undefined> = Object.fromEntries(given);
  if (kind !== 'TlsCertificate') return { fields, secrets: [] };
  if (fields.privateKey !== undefined) {
    const secret = await readSecret('privateKey', fields.privateKey, places);
    if (!secret.ok) faults.push({ path: ['privateKey'], message: secret.message });
    fields.privateKey = secret.ok ? secret.value : '';
  }
  const { chain } = fields;
  if (isObject(chain)) {
    const { file, ...others } = chain;
    const read =
      typeof file === 'string' && Object.keys(others).length === 0
        ? await readPlaced(file, places)
        : ({ ok: false, message: 'give the certificates in PEM, or { file: PATH }' } as const);
    if (!read.ok) faults.push({ path: ['chain'], message: `chain: ${read.message}` });
    fields.chain = read.ok ? read.value : '';
  }
  return { fields, secrets: typeof fields.privateKey === 'string' ? [fields.privateKey] : [] };
}

function withoutNulls(map: JsonObject): JsonObject {
  const given = Object.entries(map).filter(([, member]) => member !== null);
  return Object.fromEntries(given.map(([name, member]) => [name, isObject(member) ? withoutNulls(member) : member]));
}

function inWords(path: readonly string[], message: string, known: readonly string[]): string {
  const at = path.join('.');
  if (message === 'is not an argument of this operation')
    return path.length === 1 ? unknownField(at, ['kind', ...known].join(', ')) : `${at} is not a field; remove it`;
  return message === 'is required' ? `${at} is missing` : `${at} ${message}`;
}

/** The graph's own checks and messages, for fields of the right type. */
function valueFaults(kind: OwnName, fields: JsonObject): ManifestFault[] {
  const check = new InputCheck('document');
  if (kind === 'LoadBalancer') {
    const input = fields as unknown as Parameters<typeof describedBalancer>[1];
    // Bounds that the file leaves out are unknown here for an existing load balancer.
    describedBalancer(check, { ...input, minNodes: input.minNodes ?? Math.min(2, input.maxNodes ?? 2) });
  } else if (kind === 'AutoscalingPolicy') {
    const { loadBalancer: _name, ...policy } = fields;
    checkedPolicy(check, '', policy as unknown as Parameters<typeof checkedPolicy>[2]);
  } else {
    check.name('name', String(fields.name));
    if (kind === 'ProjectSubnet') check.addressBlock('cidr', String(fields.cidr));
    // An unreadable file has its fault already. The key is optional for an existing certificate.
    else if (fields.chain !== '' && fields.privateKey !== '' && fields.privateKey !== undefined)
      checkCertificate(check, fields as { readonly chain: string; readonly privateKey: string } & JsonObject);
  }
  // A policy's own manifest has no field around its fields.
  return check.errors.map(({ field, message }) => ({
    path: field.slice(1).filter((name) => name !== ''),
    message: message.replace(/^\./, ''),
  }));
}
