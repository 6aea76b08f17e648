// The plan for kinds that are known from the registry alone: compares each manifest with the object of its name, by the fields of the update input.
// Looks objects up by name, a hundred at a time.
import { randomUUID } from 'node:crypto';
import { registry } from '../../generated/kinds/registry.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { selectionOf } from '../../schema/kinds/documents.ts';
import type { InputField, Kind } from '../../schema/kinds/kind.ts';
import { allAtOnce, chunks } from '../at-once.ts';
import type { GraphClient } from '../graph-client.ts';
import { asInput, mergedInput, shownField } from '../kinds/as-input.ts';
import { kindOf, listChildrenOfMany, listObjects, nameOf, readObject, wordsOf } from '../kinds/find-object.ts';
import { readAll } from '../pages.ts';
import { differences } from './compare.ts';
import { keptForm, withDefaults } from './kept-form.ts';
import { appliedKinds, inputHas, makeAction, manifestField } from './kind-manifest.ts';
import type { ApplyFault, WantedManifest } from './manifest.ts';
import type { Plan } from './plan.ts';
import { ownIdOfSetting } from './settings.ts';
import { type Change, notYetMade, type Step, stepKey } from './step.ts';

interface PlanOptions {
  readonly projectId: string | undefined;
  /** Also send secrets, which can't be compared. */
  readonly renewCredentials: boolean;
  /** Steps of kinds with a planner of their own. */
  readonly before: readonly Step[];
}

const namesOfOneRequest = 100;
const notYetThere = Symbol('a project that is still to be made');
const installation = Symbol('no project');

/** Where to find a name: in a project (its id), or in all visible projects (undefined). */
type Place = string | undefined | typeof notYetThere | typeof installation;

export async function planKinds(
  client: GraphClient,
  manifests: readonly WantedManifest[],
  options: PlanOptions,
): Promise<Plan> {
  const planning = new KindPlanning(client, manifests, options);
  for (const type of appliedKinds) await planning.planKind(kindOf(type));
  return planning;
}

class KindPlanning implements Plan {
  readonly steps: Step[] = [];
  readonly faults: ApplyFault[] = [];
  readonly #client: GraphClient;
  readonly #manifests: readonly WantedManifest[];
  readonly #options: PlanOptions;
  /** Ids of the file's objects, by kind and name. Null if they are yet to be created. */
  readonly #inFile = new Map<string, string | null>();
  /** Ids of other objects that are referred to. */
  readonly #known = new Map<string, readonly string[]>();

  constructor(client: GraphClient, manifests: readonly WantedManifest[], options: PlanOptions) {
    this.#client = client;
    this.#manifests = manifests;
    this.#options = options;
    for (const step of options.before) this.#inFile.set(stepKey(step), step.id);
  }

  async planKind(kind: Kind): Promise<void> {
    const wanted = this.#manifests.filter((each) => each.kind === kind.type);
    if (wanted.length === 0) return;
    await this.#lookUpReferences(kind, wanted);
    const resolved = wanted.map((manifest) => this.#resolved(kind, manifest));
    const existing = await this.#existing(kind, resolved);
    for (const { manifest, fields, sound } of resolved) {
      const here = existing(manifest, fields);
      if (here.length > 1)
        this.#fault(manifest, [], `several projects have a ${wordsOf(kind)} of that name: give --project`);
      const [object] = here;
      const id = object === undefined ? null : String(object.id ?? '');
      this.#inFile.set(stepKey(manifest), id);
      if (sound && here.length < 2) this.#plan(kind, manifest, fields, object);
    }
  }

  #fault(manifest: WantedManifest, path: readonly string[], message: string): void {
    const { kind, name, lineOf } = manifest;
    this.faults.push({ line: lineOf(path), document: `${kind} ${name}`, message });
  }

  /** Names that are neither in the file nor in an earlier read, in as few requests as possible. */
  async #lookUpReferences(kind: Kind, wanted: readonly WantedManifest[]): Promise<void> {
    const make = makeAction(kind);
    const names = new Map<string, Set<string>>();
    const note = (type: string, name: string) => {
      const key = stepKey({ kind: type, name });
      if (this.#inFile.has(key) || this.#known.has(key)) return;
      names.set(type, (names.get(type) ?? new Set()).add(name));
    };
    for (const { fields } of wanted) eachReference(make?.input ?? '', fields, note);
    for (const [type, texts] of names) await this.#lookUp(kindOf(type), [...texts]);
  }

  async #lookUp(kind: Kind, names: readonly string[]): Promise<void> {
    const found = Map.groupBy(await this.#named(kind, names, { selection: 'id' }), (each) => nameOf(kind, each));
    await allAtOnce(names, async (name) => {
      const ids = (found.get(name) ?? []).map(({ id }) => String(id));
      const byId = ids.length > 0 ? null : await readObject(this.#client, kind, name, 'id');
      this.#known.set(stepKey({ kind: kind.type, name }), byId === null ? ids : [String(byId.id)]);
    });
  }

  async #named(
    kind: Kind,
    names: readonly string[],
    {
      projectId = this.#options.projectId,
      selection,
    }: { readonly projectId?: string | null | undefined; readonly selection?: string },
  ): Promise<readonly JsonObject[]> {
    const { list, key } = kind;
    if (list === undefined) return [];
    const scope = projectId != null && list.filters.some(({ name }) => name === 'projectId') ? { projectId } : {};
    const text = selection === undefined ? selectionOf(registry, kind) : [selection, ...key].join(' ');
    const found = await allAtOnce(chunks(names, namesOfOneRequest), (some) =>
      readAll(listObjects(this.#client, kind, { names: some, ...scope }, text)),
    );
    return found.flat();
  }

  /** Replaces names in the fields by ids, or by references to steps. */
  #resolved(kind: Kind, manifest: WantedManifest) {
    const before = this.faults.length;
    const { projectId } = this.#options;
    const make = makeAction(kind);
    const named = withDefaults(kind.type, make?.input ?? '', manifest.fields);
    const given = this.#withIds(make?.input ?? '', named, [], manifest) as JsonObject;
    const scope = make !== undefined && projectId !== undefined && inputHas(make, 'projectId') ? { projectId } : {};
    const fields = { ...scope, ...given };
    if (kind.parent?.input === 'projectId' && fields.projectId === undefined)
      this.#fault(manifest, [], 'projectId is missing: write it, or give --project');
    return { manifest, fields, sound: this.faults.length === before };
  }

  #withIds(input: string, value: JsonObject, path: readonly string[], manifest: WantedManifest): JsonValue {
    const made = Object.entries(value).map(([name, member]) => {
      const field = registry.inputs[input]?.fields.find((each) => each.name === name);
      return [name, field === undefined ? member : this.#memberIds(field, member ?? null, [...path, name], manifest)];
    });
    return Object.fromEntries(made);
  }

  #memberIds(field: InputField, value: JsonValue, path: readonly string[], manifest: WantedManifest): JsonValue {
    if (value === null) return null;
    if (Array.isArray(value))
      return value.map((each: JsonValue, at) => this.#memberIds(field, each, [...path, String(at)], manifest));
    if (field.refersTo !== undefined) return this.#idOf(field.refersTo, String(value), path, manifest);
    return isObject(value) && registry.inputs[field.type] !== undefined
      ? this.#withIds(field.type, value, path, manifest)
      : value;
  }

  #idOf(type: string, name: string, path: readonly string[], manifest: WantedManifest): JsonValue {
    const key = stepKey({ kind: type, name });
    const inFile = this.#inFile.get(key);
    if (inFile !== undefined) return inFile ?? notYetMade(type, name);
    const [first, ...others] = this.#known.get(key) ?? [];
    const at = path.join('.');
    const words = wordsOf(kindOf(type));
    if (first === undefined)
      this.#fault(manifest, path, `${at}: there is no ${words} '${name}', and the file has none`);
    else if (others.length > 0)
      this.#fault(manifest, path, `${at}: several projects have a ${words} '${name}': give --project`);
    return first ?? null;
  }

  /** The existing object of each manifest. */
  async #existing(
    kind: Kind,
    resolved: readonly { readonly manifest: WantedManifest; readonly fields: JsonObject }[],
  ): Promise<(manifest: WantedManifest, fields: JsonObject) => readonly JsonObject[]> {
    const { parent } = kind;
    const keyOf = ({ name }: WantedManifest) => (parent === undefined ? name : name.slice(name.indexOf('/') + 1));
    if (parent === undefined) {
      const canonical = (name: string) => name.toLowerCase().replace(/\.$/, '');
      const byPlace = Map.groupBy(resolved, ({ fields }) => this.#placeOf(fields));
      const found = await allAtOnce(byPlace, async ([place, some]) => {
        const names = [...new Set(some.map(({ manifest }) => manifest.name))];
        const objects = place === notYetThere ? [] : await this.#namedAt(kind, names, place);
        return [place, Map.groupBy(objects, (each) => canonical(nameOf(kind, each)))] as const;
      });
      const byName = new Map(found);
      return (manifest, fields) => byName.get(this.#placeOf(fields))?.get(canonical(manifest.name)) ?? [];
    }
    const parents = new Set(resolved.map(({ fields }) => fields[parent.input]).filter((of) => typeof of === 'string'));
    const [own = 'name'] = kind.key.filter((each) => each !== parent.input);
    const field = registry.inputs[makeAction(kind)?.input ?? '']?.fields.find(({ name }) => name === own);
    const shown = (field === undefined ? undefined : shownField(kind.output, field))?.name ?? own;
    // Objects that are identified by a link are found by its id.
    const keyIn = (object: JsonObject) => {
      const value = object[shown];
      return isObject(value) ? `id ${String(value.id)}` : `name ${String(value)}`;
    };
    const read = await listChildrenOfMany(this.#client, kind, parents);
    const byParent = new Map([...read].map(([of, children]) => [of, Map.groupBy(children, keyIn)]));
    return (manifest, fields) => {
      const children = byParent.get(String(fields[parent.input]));
      return children?.get(`name ${keyOf(manifest)}`) ?? children?.get(`id ${String(fields[own])}`) ?? [];
    };
  }

  async #namedAt(
    kind: Kind,
    names: readonly string[],
    place: Exclude<Place, typeof notYetThere>,
  ): Promise<readonly JsonObject[]> {
    if (place !== installation) return this.#named(kind, names, { projectId: place });
    const all = await this.#named(kind, names, { projectId: null });
    return all.filter(({ project }) => project === null);
  }

  #placeOf({ projectId }: JsonObject): Place {
    if (projectId === null) return installation;
    if (isObject(projectId)) return notYetThere;
    return typeof projectId === 'string' ? projectId : this.#options.projectId;
  }

  #plan(kind: Kind, manifest: WantedManifest, fields: JsonObject, here: JsonObject | undefined): void {
    const { actions } = kind;
    const make = actions.create ?? actions.set;
    const base = { ...stepOf(manifest, here), ...ownIdOf(kind, fields), ...noteOn(kind, here) };
    if (here === undefined) {
      const missing = (registry.inputs[make?.input ?? '']?.fields ?? []).filter(
        ({ name, required }) => required === true && (fields[name] ?? null) === null,
      );
      if (make === undefined) this.#fault(manifest, [], `there is no ${wordsOf(kind)} of that name`);
      for (const { name } of missing)
        this.#fault(manifest, [], `${manifestField(kind, name)} is missing: there is no such ${wordsOf(kind)} yet`);
      if (make !== undefined && missing.length === 0)
        this.steps.push({ ...base, action: 'create', request: { mutation: make.mutation, input: fields } });
      return;
    }
    const change = actions.set ?? actions.update;
    const current = asInput((change ?? make)?.input ?? '', kind.output, here);
    const changes = this.#changes(kind, manifest, fields, here, current);
    if (changes.length === 0 || change === undefined) {
      this.steps.push(base);
      return;
    }
    const inputs = registry.inputs[change.input]?.fields ?? [];
    const sent = changes.map(({ field }) => {
      const type = inputs.find(({ name }) => name === field)?.type;
      return [field, mergedInput(type, current[field] ?? null, fields[field] ?? null)];
    });
    const version = inputHas(change, 'expectedVersion') ? { expectedVersion: here.version ?? null } : {};
    const input = {
      ...(inputHas(change, 'id') ? { id: here.id ?? null, ...version } : fields),
      ...(Object.fromEntries(sent) as JsonObject),
    };
    // Objects without a version are replaced as a whole. Each request gets a new key, because the object may have changed back and forth.
    const seen = here.version ?? randomUUID();
    this.steps.push({ ...base, action: 'update', changes, request: { mutation: change.mutation, input, seen } });
  }

  #changes(
    kind: Kind,
    manifest: WantedManifest,
    fields: JsonObject,
    here: JsonObject,
    current: JsonObject,
  ): readonly Change[] {
    const make = makeAction(kind);
    const change = kind.actions.set ?? kind.actions.update;
    const found: Change[] = [];
    for (const field of registry.inputs[make?.input ?? '']?.fields ?? []) {
      const wanted = fields[field.name];
      if (wanted === undefined || kind.key.includes(field.name) || field.name === kind.parent?.input) continue;
      const isChangeable = change !== undefined && inputHas(change, field.name);
      if (isHidden(kind, field)) {
        if (isChangeable && this.#options.renewCredentials) found.push({ field: field.name });
        continue;
      }
      if (field.tree === true) continue;
      const shown = isChangeable ? current : asInput(make?.input ?? '', kind.output, here);
      // An object of any kind, possibly hidden from the caller.
      if (field.type === 'ID' && field.refersTo === undefined && (shown[field.name] ?? null) === null) continue;
      const differing = changesOf(kind, field.name, wanted, shown[field.name] ?? null);
      if (isChangeable) found.push(...differing);
      else
        for (const { from } of differing)
          this.#fault(
            manifest,
            [field.name],
            `${field.name} can't be changed, it is ${JSON.stringify(from ?? null)}: delete the ${wordsOf(kind)} first`,
          );
    }
    return found;
  }
}

function changesOf({ type }: Kind, field: string, to: JsonValue, from: JsonValue): readonly Change[] {
  const differing = differences({ [field]: keptForm(type, field, to) }, { [field]: keptForm(type, field, from) });
  return differing.map(() => ({ field, from, to }));
}

/** The graph does not show it. */
function isHidden({ output }: Kind, field: InputField): boolean {
  return field.secret === true || shownField(output, field) === undefined;
}

function stepOf({ kind, name, line, secrets, lineOf }: WantedManifest, here: JsonObject | undefined): Step {
  const id = typeof here?.id === 'string' ? here.id : null;
  return { kind, name, line, action: 'nothing', changes: [], id, secrets, lineOf };
}

/** For a setting of a project, which has no id. */
function ownIdOf(kind: Kind, fields: JsonObject): Pick<Step, 'ownId'> {
  const id = ownIdOfSetting(kind, fields);
  return id === undefined ? {} : { ownId: id };
}

/** A file can't express this: somebody disabled the user for a reason. */
function noteOn({ type, noun }: Kind, here: JsonObject | undefined): Pick<Step, 'note'> {
  if (type !== 'User' || here?.enabled !== false) return {};
  return { note: `it is disabled: to enable it, "tidegate ${noun} update ${String(here.name)} --enabled true"` };
}

function eachReference(input: string, value: JsonObject, note: (type: string, name: string) => void): void {
  for (const field of registry.inputs[input]?.fields ?? []) {
    const member = value[field.name];
    const items: readonly JsonValue[] = Array.isArray(member) ? member : [member ?? null];
    for (const item of items) {
      if (field.refersTo !== undefined && typeof item === 'string') note(field.refersTo, item);
      else if (isObject(item) && registry.inputs[field.type] !== undefined) eachReference(field.type, item, note);
    }
  }
}
