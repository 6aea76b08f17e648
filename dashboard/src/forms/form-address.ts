// What the address of a form asks for (links.ts writes it). No DOM here.
import type { Action, Kind } from '../../../schema/kinds/kind.ts';
import { formFields } from './draft.ts';
import { kindNamed } from './names.ts';

export type Asked =
  | {
      readonly what: 'new';
      readonly kind: Kind;
      readonly verb: string;
      readonly action: Action;
      readonly presets: Readonly<Record<string, string>>;
    }
  | { readonly what: 'edit'; readonly kind: Kind; readonly id: string }
  | { readonly what: 'choose' };

export function askedBy(search: string): Asked {
  const params = new URLSearchParams(search);
  const kind = kindNamed(params.get('new') ?? params.get('edit') ?? '');
  if (kind === undefined) return { what: 'choose' };
  const id = params.get('id');
  if (params.has('edit')) return id === null || id === '' ? { what: 'choose' } : { what: 'edit', kind, id };
  const verb = params.get('do') ?? makingVerb(kind);
  const action = verb === undefined ? undefined : kind.actions[verb];
  if (verb === undefined || action === undefined) return { what: 'choose' };
  const known = new Set(formFields(action.input).map(({ name }) => name));
  const presets = [...params].filter(([name, value]) => known.has(name) && value !== '');
  return { what: 'new', kind, verb, action, presets: Object.fromEntries(presets) };
}

/** With which a kind is made. */
export function makingVerb({ actions }: Kind): string | undefined {
  return ['create', 'set'].find((verb) => verb in actions);
}

/** What can be done with an object that there is, apart from changing its fields. */
export function furtherVerbs({ actions }: Kind, takesId: (action: Action) => boolean): readonly string[] {
  return Object.keys(actions)
    .filter((verb) => verb !== 'update' && takesId(actions[verb] as Action))
    .toSorted((a, b) => Number(isEnd(a)) - Number(isEnd(b)));
}

export function isEnd(verb: string): boolean {
  return verb === 'delete' || verb === 'revoke' || verb === 'remove';
}
