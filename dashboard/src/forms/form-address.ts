// Reads the address of a form, which links.ts writes. No DOM here.
import { registry } from '../../../generated/kinds/registry.ts';
import type { Action, Kind } from '../../../schema/kinds/kind.ts';
import { formFields } from './draft.ts';
import type { WayBack } from './links.ts';
import { kindNamed } from './names.ts';

export type Asked =
  | {
      readonly what: 'new';
      readonly kind: Kind;
      readonly verb: string;
      readonly action: Action;
      readonly presets: Readonly<Record<string, string>>;
      /** The deletion of an object that is created again. */
      readonly wayBack?: WayBack;
    }
  | {
      readonly what: 'edit';
      readonly kind: Kind;
      readonly id: string;
      /** Settings of a version that are filled in. */
      readonly wayBack?: WayBack;
    }
  | {
      readonly what: 'call';
      readonly action: Action;
      readonly backendId: string;
      readonly presets: Readonly<Record<string, string>>;
    }
  | { readonly what: 'choose' };

export function askedBy(search: string): Asked {
  const params = new URLSearchParams(search);
  if (params.has('call')) return callAskedBy(params);
  const kind = kindNamed(params.get('new') ?? params.get('edit') ?? '');
  if (kind === undefined) return { what: 'choose' };
  const id = params.get('id');
  if (params.has('edit'))
    return id === null || id === '' ? { what: 'choose' } : { what: 'edit', kind, id, ...wayBackIn(params) };
  const verb = params.get('do') ?? makingVerb(kind);
  const action = verb === undefined ? undefined : kind.actions[verb];
  if (verb === undefined || action === undefined) return { what: 'choose' };
  return { what: 'new', kind, verb, action, presets: presetsIn(params, action), ...wayBackIn(params) };
}

function wayBackIn(params: URLSearchParams): { readonly wayBack?: WayBack } {
  const [id, way] = [params.get('version'), params.get('way')];
  const known = (['undo', 'restore', 'before'] as const).find((each) => each === way);
  return id === null || id === '' || known === undefined ? {} : { wayBack: { id, way: known } };
}

function callAskedBy(params: URLSearchParams): Asked {
  const [name, backendId] = [params.get('call') ?? '', params.get('backend') ?? ''];
  const action = Object.hasOwn(registry.calls, name) ? registry.calls[name] : undefined;
  if (action === undefined || backendId === '') return { what: 'choose' };
  return { what: 'call', action, backendId, presets: presetsIn(params, action) };
}

/** A link that somebody else made fills in no secret: nobody would see which. */
function presetsIn(params: URLSearchParams, { input }: Action): Readonly<Record<string, string>> {
  const known = new Set(formFields(input).flatMap(({ name, secret }) => (secret === true ? [] : [name])));
  return Object.fromEntries([...params].filter(([name, value]) => known.has(name) && value !== ''));
}

/** With which a kind is made. */
export function makingVerb({ actions }: Kind): string | undefined {
  return ['create', 'set'].find((verb) => verb in actions);
}

/** The actions on an existing object, except changing its fields. */
export function furtherVerbs({ actions }: Kind, takesId: (action: Action) => boolean): readonly string[] {
  return Object.keys(actions)
    .filter((verb) => verb !== 'update' && takesId(actions[verb] as Action))
    .toSorted((a, b) => Number(isEnd(a)) - Number(isEnd(b)));
}

export function isEnd(verb: string): boolean {
  return verb === 'delete' || verb === 'revoke' || verb === 'remove';
}
