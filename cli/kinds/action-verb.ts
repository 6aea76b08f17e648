// A verb that sends one mutation of a kind: create, set, update, delete, revoke, and others of the graph. Its options are the fields of the
// mutation's input.
import { randomUUID } from 'node:crypto';
import { registry } from '../../generated/kinds/registry.ts';
import { isObject, type JsonObject, type JsonValue } from '../../platform/values/json.ts';
import { actionDocument } from '../../schema/kinds/documents.ts';
import type { Action, Kind } from '../../schema/kinds/kind.ts';
import { settled } from '../balancer.ts';
import { confirmed } from '../confirmed.ts';
import { CommandFailure, UsageError } from '../failures.ts';
import type { GraphqlDocument, UserError } from '../graph-client.ts';
import { type Options, several, text } from '../option.ts';
import { commonOptions, type RemoteCall, remoteVerb } from '../remote-verb.ts';
import type { Verb } from '../verb.ts';
import type { Commit, WaitingCall } from '../wait.ts';
import { asInput, mergedInput } from './as-input.ts';
import { kindExamples } from './examples.ts';
import { type FieldOption, fieldOptions } from './field-options.ts';
import { documentOf, findObject, idOf, kindOf, nameOf, readObject, type Where, wordsOf } from './find-object.ts';
import { checkWhole, readGiven, withIds } from './given-input.ts';
import { alsoNeeded, missingIn } from './needed.ts';
import { isProjects, parentOption, parentOptions, placeOptions, type Values, whereOf } from './place.ts';
import { aOf, isGiven } from './read-verbs.ts';
import { refuseIfAny } from './refusals.ts';

const { project, wait } = commonOptions;
const from = text('FILE', 'Fields in YAML or JSON, by their names in the graph. Options win over it.');
const unset = several('FIELD', 'Field that gets no value, by the name of its option.');

interface ActionVerb {
  /** Default: derived from the name of the verb. */
  readonly summary?: string;
  readonly examples?: readonly string[];
  /** The field for the argument NAME. Default: the id. For a new object, the field that identifies it for people. */
  readonly key?: string;
  /** Participle for the confirmation: `is attached`. */
  readonly done: string;
  /** The kind of NAME, if it differs from the mutation's. */
  readonly named?: Kind;
}

interface Payload {
  readonly made?: JsonObject | null;
  readonly commit: Commit;
  readonly userErrors: readonly UserError[];
  readonly [secret: string]: unknown;
}

type PayloadDocument = GraphqlDocument<Readonly<Record<string, Payload>>, { readonly input: JsonObject }>;

const doneWords: Readonly<Record<string, string>> = {
  ...{ create: 'is created', set: 'is set', update: 'is changed' },
  ...{ delete: 'is deleted', remove: 'is removed', revoke: 'is revoked' },
};
const summaryWords: Readonly<Record<string, string>> = {
  ...{ create: 'Create', set: 'Set', update: 'Change', delete: 'Delete', remove: 'Remove', revoke: 'Revoke' },
};

/** One of the usual verbs of a kind. */
export function usualVerb(kind: Kind, name: string): Verb {
  const action = actionOf(kind, name);
  const makesSecret = name === 'create' && action.secrets !== undefined;
  const what = makesSecret ? ', and print its secret, which is shown only once' : '';
  const changes = name === 'update' ? '; options left out change nothing' : '';
  const example = kindExamples[kind.type]?.[name];
  const verb = actionVerb(kind, action, {
    // If the kind has no name, the graph's description is more useful.
    summary: !kind.node ? action.description : `${summaryWords[name]} ${aOf(kind)}${what}${changes}.`,
    done: doneWords[name] ?? 'is done',
    ...(example === undefined ? {} : { examples: [example] }),
  });
  return name === 'delete' ? confirmed(kind.type, verb) : verb;
}

export function actionOf(kind: Kind, name: string): Action {
  const action = kind.actions[name];
  if (action === undefined) throw new Error(`the graph has no ${name} of ${kind.type}`);
  return action;
}

/** Maps the argument NAME and the options to an input. */
interface Shape {
  readonly kind: Kind;
  readonly action: Action;
  /** The field for NAME. Undefined if the verb takes no NAME. */
  readonly key: string | undefined;
  /** The kind to which that field refers. */
  readonly named: Kind | undefined;
  readonly fields: readonly FieldOption[];
  /** The input's field for the parent, and its option. */
  readonly parent: { readonly field: string; readonly option: string } | undefined;
  readonly takesProject: boolean;
  readonly renames: boolean;
}

function shapeOf(kind: Kind, action: Action, verb: ActionVerb): Shape {
  const known = registry.inputs[action.input]?.fields ?? [];
  const has = (name: string) => known.some((each) => each.name === name);
  const parentField = kind.parent !== undefined && has(kind.parent.input) ? kind.parent.input : undefined;
  const own = kind.key.find((each) => has(each) && each !== parentField);
  const key = verb.key ?? (has('id') ? 'id' : own);
  const refersTo = known.find(({ name }) => name === key)?.refersTo;
  const named = verb.named ?? (key === 'id' ? kind : refersTo === undefined ? undefined : kindOf(refersTo));
  const renames = key === 'id' && own !== undefined;
  const without = [
    'projectId',
    ...(parentField === undefined ? [] : [parentField]),
    ...(key === undefined ? [] : [key]),
  ];
  return {
    ...{ kind, action, key, named, renames, takesProject: has('projectId') },
    fields: fieldOptions(action.input, {
      singular: kind.singular,
      without: renames ? [...without, own] : without,
      changes: key === 'id',
    }),
    parent: parentField === undefined ? undefined : { field: parentField, option: parentOption(kind) ?? '' },
  };
}

export function actionVerb(kind: Kind, action: Action, verb: ActionVerb): Verb {
  const shape = shapeOf(kind, action, verb);
  const { fields, key, renames, takesProject, named } = shape;
  const place = placeOptions(named !== undefined && key !== 'id' ? named : kind);
  const options: Options = {
    ...Object.fromEntries(fields.map(({ name, option }) => [name, option])),
    ...(renames ? { rename: text('NAME', 'Its new name.') } : {}),
    ...(fields.length > 0 ? { from } : {}),
    ...(fields.length > 0 && key === 'id' ? { unset } : {}),
    ...(shape.parent === undefined ? {} : parentOptions(kind)),
    ...place,
    ...(takesProject || isProjects(kind) ? { project } : {}),
    wait,
  };
  return remoteVerb<Options, readonly string[]>({
    summary: verb.summary ?? action.description,
    examples: verb.examples ?? [],
    takes: key === undefined ? [] : ['NAME'],
    options,
    alsoNeeds: (given) => alsoNeeded(shape, given),
    run: (call) => run(shape, verb, call as unknown as ActionCall),
  });
}

type ActionCall = RemoteCall<Options, readonly string[]> & WaitingCall & { readonly options: Values };

async function run(shape: Shape, verb: ActionVerb, call: ActionCall): Promise<void> {
  const { kind, action, fields, key } = shape;
  const { client, options, stderr } = call;
  const given = await givenInput(shape, call);
  if (key === 'id' && (fields.length > 0 || shape.renames) && verb.done === doneWords.update && given.isEmpty)
    throw new UsageError('nothing to change was given');
  const where = await whereOf(client, kind, options);
  const target = await targetOf(shape, call, where);
  const whole = await withKept(shape, call, given.input, target);
  const referred = await withIds(client, action.input, whole, { projectId: where.projectId });
  // A secret that is shown once is not shown again for the same key.
  const idempotencyKey = action.secrets === undefined ? { idempotencyKey: randomUUID() } : {};
  const input = { ...idempotencyKey, ...referred, ...target };
  const document = documentOf(actionDocument(registry, kind, action)) as unknown as PayloadDocument;
  const payload = await client.tryMutate(document, input);
  refuseIfAny(payload.userErrors, blameOf(shape, options), given.secrets);
  // Verbs without secrets, such as revoke, may have the same payload.
  const shown = (action.secrets ?? []).filter((name) => payload[name] != null);
  const once = Object.fromEntries(shown.map((name) => [name, payload[name]]));
  const isOnce = Object.keys(once).length > 0;
  // A secret is printed before a wait that may fail, because it can't be shown again.
  if (isOnce)
    stderr.write(`tidegate: keep ${Object.keys(once).map(secretWords).join(' and ')}: nobody can show it again\n`);
  if (isOnce) await printDone(shape, verb, call, { payload, target, input: given.input, once });
  await settled(call, payload.commit, balancerIn(kind, payload.made));
  if (!isOnce) await printDone(shape, verb, call, { payload, target, input: given.input, once });
}

interface Done {
  readonly payload: Payload;
  readonly target: JsonObject;
  /** The given input. */
  readonly input: JsonObject;
  /** Secrets that are shown once. */
  readonly once: Readonly<Record<string, unknown>>;
}

async function printDone(
  { kind, key }: Shape,
  { done }: ActionVerb,
  { options, printer, names }: ActionCall,
  { payload: { made }, target, input, once }: Done,
): Promise<void> {
  const id = (isObject(made) ? made.id : undefined) ?? (key === 'id' ? target.id : undefined) ?? null;
  if (options.json === true) {
    const what = done.replace(/^is /, '');
    return printer.json({ ...(isObject(made) ? made : { id, [what]: true }), ...once });
  }
  const secrets = Object.values(once);
  if (secrets.length > 0) return printer.line(secrets.map((each) => String(each ?? '')).join(' '));
  if (isRenamed(input, kind, options)) return printer.line(`${names[0]} is ${options.rename} now`);
  const name = printer.idText(names[0] ?? (isObject(made) ? nameOf(kind, made) : String(id)));
  const shown = printer.idText(String(id));
  const isNew = done === doneWords.create && typeof id === 'string';
  return printer.line(`${name} ${done}${isNew && shown !== name ? `: ${shown}` : ''}`);
}

/** An object inside the object is sent whole. Members that were not given keep their values. */
async function withKept(
  { kind, action, key, fields }: Shape,
  { client }: ActionCall,
  input: JsonObject,
  { id }: JsonObject,
): Promise<JsonObject> {
  if (key !== 'id') return input;
  const known = registry.inputs[action.input]?.fields ?? [];
  const merged = known.filter(({ name, type }) => registry.inputs[type] !== undefined && isObject(input[name]));
  if (merged.length === 0) return input;
  const object = await readObject(client, kind, String(id));
  const before = object === null ? {} : asInput(action.input, kind.output, object);
  const kept = merged.map(({ name, type }) => [name, mergedInput(type, before[name] ?? null, input[name] ?? null)]);
  const whole = { ...input, ...(Object.fromEntries(kept) as JsonObject) };
  checkWhole(action.input, whole, fields);
  return whole;
}

/** For a part: the load balancer whose nodes must apply the change. */
function balancerIn(kind: Kind, made: JsonObject | null | undefined): string | undefined {
  const { loadBalancer } = made ?? {};
  return kind.scope === 'parent' && isObject(loadBalancer) ? String(loadBalancer.id) : undefined;
}

function isRenamed(input: JsonObject, kind: Kind, { rename }: Values): boolean {
  return rename !== undefined && Object.keys(input).every((name) => name === ownKey(kind));
}

function secretWords(name: string): string {
  return name === 'joinToken' ? 'the token' : 'the secret';
}

async function givenInput(shape: Shape, { options, env }: ActionCall) {
  const { action, fields, key, renames, kind } = shape;
  const file = options.from as string | undefined;
  const read = await readGiven({
    input: action.input,
    options: fields,
    values: options,
    from: file,
    unset: (options.unset as readonly string[] | undefined) ?? [],
    changes: key === 'id',
    env,
  });
  const rename = renames && typeof options.rename === 'string' ? { [ownKey(kind)]: options.rename } : {};
  const input: JsonObject = { ...read.input, ...rename };
  if (key !== 'id') missingIn(shape, input, file);
  return { input, secrets: read.secrets, isEmpty: Object.keys(input).length === 0 };
}

function ownKey({ key }: Kind): string {
  return key[0] ?? 'name';
}

/** The fields for NAME, the parent and the project. */
async function targetOf(shape: Shape, call: ActionCall, where: Where): Promise<JsonObject> {
  const { key, kind, named, parent, takesProject } = shape;
  const { client, options, names } = call;
  const made: Record<string, JsonValue> = {};
  if (takesProject && where.projectId !== undefined) made.projectId = where.projectId;
  if (parent !== undefined && parent.field !== 'projectId') {
    const given = options[parent.option];
    made[parent.field] = await idOf(client, kind.parent?.kind ?? '', String(given), { projectId: where.projectId });
  }
  if (key === undefined) return made;
  const name = names[0] ?? '';
  if (named === undefined) return { ...made, [key]: name };
  const isOwn = named === kind;
  const place = isOwn ? where : named.scope === 'installation' ? {} : { projectId: where.projectId };
  const found = await findObject(client, named, name, place);
  if (found.id === undefined) throw new CommandFailure(`${wordsOf(named)} '${name}' has no id`);
  return { ...made, [key]: found.id };
}

function blameOf({ fields, key, parent, kind, renames }: Shape, options: Values) {
  return {
    options: fields,
    given: new Set(Object.keys(options).filter((name) => isGiven(options[name]))),
    from: options.from as string | undefined,
    others: {
      projectId: '--project',
      ...(key === undefined ? {} : { [key]: 'NAME' }),
      ...(parent === undefined ? {} : { [parent.field]: `--${parent.option}` }),
      ...(renames ? { [ownKey(kind)]: '--rename' } : {}),
    },
  };
}
